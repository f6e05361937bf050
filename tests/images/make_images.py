"""Render the test photographs in this folder and their ground truth, Label.txt.

Four pictures come out: sample.jpg (a wall with a shop notice, a price card, a parcel label, a
sideways strip and an upside-down sticker), receipt.jpg (a photographed till receipt), poster.jpg
(headlines, a caption and a line set along an arc) and badge.jpg (a round sign with lines along
its rim). Each is drawn flat, warped into a
scene, then lit, blurred and given sensor noise, so the outline of every line of text is known
exactly and is written to Label.txt in PaddleOCR's label format.

Fonts: Noto Sans CJK, Noto Sans Mono CJK and Noto Serif CJK, Debian package ``fonts-noto-cjk``.
They are under the SIL Open Font License (OFL), so the pictures carry no restriction from them.
The pictures were made for this project and are under its licence (Apache-2.0). Names, addresses,
numbers and prices in them are invented.

Usage: ``python tests/images/make_images.py [--out DIR]`` (needs numpy, OpenCV and Pillow).
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Pixels = npt.NDArray[Any]
Points = npt.NDArray[np.float64]  # n x 2, x then y
Color = tuple[int, int, int]

OVERSAMPLING = 2  # everything is drawn this many times larger than the finished picture
FONT_DIR = Path("/usr/share/fonts/opentype/noto")
# File and face index; each collection holds JP, KR, SC, TC, HK, then the mono ones.
SANS, BOLD = ("NotoSansCJK-Regular.ttc", 2), ("NotoSansCJK-Bold.ttc", 2)
SERIF, MONO = ("NotoSerifCJK-Bold.ttc", 2), ("NotoSansCJK-Regular.ttc", 7)
INK, WHITE, PAPER = (32, 30, 34), (248, 246, 240), (238, 233, 220)
RED, NAVY, GREEN = (178, 34, 40), (24, 40, 74), (22, 74, 58)


class Label(NamedTuple):
    """One line of text and its outline, clockwise from the text's own top-left corner."""

    transcription: str
    outline: Points


class Style(NamedTuple):
    """How a line is set: the size is in finished-picture pixels."""

    face: tuple[str, int]
    size: float
    color: Color = INK


def bent(mask: Image.Image, box: Points, apex: Points, radius: float) -> tuple[Image.Image, Points]:
    """Bend a straight line of text over a circle whose highest point is ``apex``.

    A negative radius hangs it under one whose lowest point that is.
    """
    sign, reach = math.copysign(1, radius), abs(radius)
    across, down = np.meshgrid(np.arange(mask.width), np.arange(mask.height))
    # As seen from the circle's centre.
    right, out = across - apex[0], sign * (apex[1] + radius - down)
    straight_x = (apex[0] + reach * np.arctan2(right, out)).astype(np.float32)
    straight_y = (apex[1] + radius - sign * np.hypot(right, out)).astype(np.float32)
    pixels = cv2.remap(np.asarray(mask), straight_x, straight_y, cv2.INTER_LINEAR)

    along = np.linspace(box[0, 0], box[2, 0], 7)
    angle = (np.concatenate([along, along[::-1]]) - apex[0]) / reach
    away = sign * (apex[1] + radius - np.repeat([box[0, 1], box[2, 1]], len(along)))
    polygon = [apex[0] + away * np.sin(angle), apex[1] + radius - sign * away * np.cos(angle)]
    return Image.fromarray(pixels), np.stack(polygon, axis=1)


class Sheet:
    """A flat printed surface: its pixels are oversampled, its coordinates are not."""

    def __init__(self, width: int, height: int, color: Color) -> None:
        """Start with a blank surface."""
        self.size = (width, height)
        self.image = Image.new("RGB", (width * OVERSAMPLING, height * OVERSAMPLING), color)
        self.labels: list[Label] = []

    def panel(self, left: float, top: float, right: float, bottom: float, color: Color) -> None:
        """Fill a rectangle."""
        box = [edge * OVERSAMPLING for edge in (left, top, right, bottom)]
        ImageDraw.Draw(self.image).rectangle(box, fill=color)

    def line(
        self, text: str, x: float, y: float, style: Style, anchor: str = "mm", radius: float = 0
    ) -> None:
        """Print a line with Pillow's ``anchor`` at (x, y), on an arc if a ``radius`` is given."""
        size = round(style.size * OVERSAMPLING)
        font = ImageFont.truetype(FONT_DIR / style.face[0], size, index=style.face[1])
        mask, at = Image.new("L", self.image.size), np.array([x, y]) * OVERSAMPLING
        draw = ImageDraw.Draw(mask)
        draw.text(tuple(at), text, fill=255, font=font, anchor=anchor)
        ink = draw.textbbox(tuple(at), text, font=font, anchor=anchor)
        left, top, right, bottom = np.array(ink) + 0.08 * size * np.array([-1, -1, 1, 1])
        outline = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
        if radius:
            mask, outline = bent(mask, outline, at, radius * OVERSAMPLING)
        self.image.paste(style.color, mask=mask)
        self.labels.append(Label(text, outline / OVERSAMPLING))

    def corners(self) -> Points:
        """Return the corners, clockwise from the top left."""
        return np.array([(0, 0), (1, 0), (1, 1), (0, 1)], dtype=float) * self.size

    def turned(self, x: float, y: float, degrees: float) -> Points:
        """Return where the corners fall when the sheet is centred on (x, y), turned clockwise."""
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        return (self.corners() - np.array(self.size) / 2) @ [(cos, sin), (-sin, cos)] + (x, y)


def cloud(rng: np.random.Generator, shape: tuple[int, int], cell_h: int, cell_w: int) -> Pixels:
    """Return smooth noise whose blobs are cell_h x cell_w pixels, one value a pixel."""
    coarse = (max(2, math.ceil(shape[0] / cell_h)), max(2, math.ceil(shape[1] / cell_w)))
    blobs = rng.standard_normal(coarse).astype(np.float32)
    return cv2.resize(blobs, shape[::-1], interpolation=cv2.INTER_CUBIC)[..., None]


class Scene:
    """A textured background onto which sheets are laid, then photographed."""

    def __init__(self, width: int, height: int, color: Color, grain: str, seed: int) -> None:
        """Paint the background; ``grain`` is "plaster" or "wood"."""
        self.rng = np.random.default_rng(seed)
        self.size = (width, height)
        self.labels: list[Label] = []
        shape = (height * OVERSAMPLING, width * OVERSAMPLING)
        coarse, fine = {"plaster": ((160, 160), (7, 7)), "wood": ((9, 700), (3, 250))}[grain]
        relief = 6 * cloud(self.rng, shape, *coarse) + 4 * cloud(self.rng, shape, *fine)
        self.pixels = np.array(color, np.float32) + relief

    def lay(self, sheet: Sheet, corners: Points) -> None:
        """Warp a sheet so that its corners (from its top left, clockwise) fall on ``corners``."""
        edges = (sheet.corners().astype(np.float32), corners.astype(np.float32))
        to_scene = cv2.getPerspectiveTransform(*edges)
        scale = np.diag([OVERSAMPLING, OVERSAMPLING, 1.0])
        warp = scale @ to_scene @ np.linalg.inv(scale)
        size = (self.size[0] * OVERSAMPLING, self.size[1] * OVERSAMPLING)

        shape = (sheet.image.height, sheet.image.width)
        fibre = cloud(self.rng, shape, 4, 4) + cloud(self.rng, shape, 90, 90)
        flat = np.asarray(sheet.image, dtype=np.float32) + 1.6 * fibre
        laid = cv2.warpPerspective(flat, warp, size)
        cover = cv2.warpPerspective(np.ones(shape, np.float32), warp, size)
        offset = np.array([(1, 0, 5 * OVERSAMPLING), (0, 1, 6 * OVERSAMPLING)], dtype=float)
        under = cv2.GaussianBlur(cv2.warpAffine(cover, offset, size), (0, 0), 5 * OVERSAMPLING)
        self.pixels *= 1 - 0.45 * under[..., None]
        self.pixels += (laid - self.pixels) * cover[..., None]
        for text, outline in sheet.labels:
            self.labels.append(Label(text, cv2.perspectiveTransform(outline[None], to_scene)[0]))

    def photograph(
        self, brightest: tuple[float, float], shadow: list[tuple[float, float]], noise: float
    ) -> Pixels:
        """Light the scene around a point, shade a polygon (both in 0..1), blur and add noise."""
        width, height = self.size
        picture: Pixels = cv2.resize(self.pixels, self.size, interpolation=cv2.INTER_AREA)
        across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
        light = 1.06 - 0.34 * np.hypot(across - brightest[0], down - brightest[1])
        cast = np.zeros((height, width), np.float32)
        cv2.fillPoly(cast, [(np.array(shadow) * self.size).astype(np.int32)], 1.0)
        light *= 1 - 0.24 * cv2.GaussianBlur(cast, (0, 0), width / 45)
        picture = picture * light[..., None] * (1.02, 1.0, 0.95)
        picture = cv2.GaussianBlur(picture, (0, 0), 0.55)
        grey, chroma = (self.rng.standard_normal((height, width, n)) for n in (1, 3))
        picture = picture + noise * (grey + chroma / 2)
        return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def sample() -> tuple[Pixels, list[Label]]:
    """Draw a wall with a notice, a price card, a parcel label, a strip and a sticker."""
    scene = Scene(960, 720, (176, 164, 148), "plaster", seed=11)

    notice = Sheet(620, 430, PAPER)
    notice.panel(0, 0, 620, 118, GREEN)
    notice.line("欢迎光临", 310, 60, Style(SERIF, 76, WHITE))
    notice.line("NOODLE AND TEA ROOM", 310, 156, Style(BOLD, 36, GREEN))
    notice.line("营业时间", 34, 216, Style(BOLD, 36), "lm")
    notice.line("09:00-21:30", 586, 216, Style(BOLD, 38, RED), "rm")
    notice.line("地址：云杉市青石路128号二楼", 34, 274, Style(SANS, 30), "lm")
    notice.line("订座电话555-0142", 34, 328, Style(SANS, 30), "lm")
    notice.line("Please keep your receipt: returns within 14 days", 34, 388, Style(SANS, 24), "lm")
    scene.lay(notice, np.array([(38, 52), (622, 26), (640, 446), (30, 420)]))

    strip = Sheet(430, 72, NAVY)
    strip.line("请勿停车NO PARKING", 215, 36, Style(BOLD, 38, WHITE))
    scene.lay(strip, strip.turned(893, 252, 90) + np.array([(0, 0), (3, 8), (-2, 4), (2, -4)]))

    price = Sheet(230, 180, (244, 205, 72))
    price.line("今日特价", 115, 40, Style(BOLD, 38, RED))
    price.line("¥28.50", 115, 96, Style(BOLD, 50))
    price.line("Until 2031-05-20", 115, 150, Style(SANS, 23))
    scene.lay(price, price.turned(735, 180, -19))

    parcel = Sheet(470, 226, (216, 184, 140))
    parcel.panel(14, 14, 456, 212, WHITE)
    parcel.line("PARCEL 4720 8816 35", 34, 48, Style(MONO, 32), "lm")
    parcel.line("收件：三号楼前台", 34, 98, Style(SANS, 31), "lm")
    parcel.line("Weight 2.45 kg", 34, 144, Style(SANS, 28), "lm")
    parcel.line("小心轻放FRAGILE", 34, 188, Style(BOLD, 29, RED), "lm")
    scene.lay(parcel, np.array([(62, 470), (520, 488), (508, 706), (50, 684)]))

    sticker = Sheet(330, 92, RED)
    sticker.line("此面向上THIS SIDE UP", 165, 46, Style(BOLD, 29, WHITE))
    scene.lay(sticker, sticker.turned(742, 600, 180) + np.array([(0, 0), (2, 4), (-3, 0), (0, 3)]))

    shadow = [(0.46, 0.0), (0.62, 0.0), (1.0, 0.72), (1.0, 1.0), (0.93, 1.0)]
    return scene.photograph((0.3, 0.25), shadow, noise=3.2), scene.labels


RECEIPT_ROWS = """\
Date 2031-03-08|Time 17:42:09
Desk 03|Receipt 004518
商品Item|金额Amount
Whole milk 2 pcs|12.80
Brown bread 400g|9.50
鲜鸡蛋10枚|15.90
Green tea 250g|56.00
苹果1.26kg|11.34
Soy sauce 2 pcs|13.60
纸巾3包|10.90
Dark chocolate 70%|18.50
Tomatoes 0.82kg|6.48
矿泉水6瓶|12.00
Subtotal|167.02
Discount 5%|-8.35
Tax included|18.25
合计TOTAL|158.67
Cash现金|200.00
Change找零|41.33"""


def receipt() -> tuple[Pixels, list[Label]]:
    """Draw a till receipt lying on a table."""
    scene = Scene(600, 900, (104, 74, 52), "wood", seed=23)
    paper = Sheet(500, 850, (240, 238, 232))
    paper.line("街角便利店", 250, 42, Style(BOLD, 34))
    paper.line("CORNER GROCERY", 250, 84, Style(MONO, 24))
    paper.line("云杉市青石路16号", 250, 118, Style(MONO, 19))
    paper.line("Tel 555-0117", 250, 148, Style(MONO, 19))
    for number, row in enumerate(RECEIPT_ROWS.splitlines()):
        item, amount = row.split("|")
        y = 192 + 31 * number
        style = Style(BOLD, 25) if item.startswith("合计") else Style(MONO, 20)
        paper.line(item, 30, y, style, "lm")
        paper.line(amount, 470, y, style, "rm")
        if item.startswith(("商品", "Subtotal")):
            paper.panel(30, y - 16, 470, y - 15, (120, 118, 116))
    paper.line("Goods may be exchanged within 7 days", 250, 788, Style(MONO, 18))
    paper.line("谢谢惠顾Thank you", 250, 822, Style(SANS, 22))
    scene.lay(paper, paper.turned(302, 452, 2.4) + np.array([(4, 0), (-4, 2), (3, 4), (-5, -2)]))
    return scene.photograph((0.6, 0.3), [(0, 0.7), (0.45, 1), (0, 1)], noise=3.0), scene.labels


def poster() -> tuple[Pixels, list[Label]]:
    """Draw a reading-fair poster with a curved line, in white on dark and dark on light."""
    scene = Scene(1280, 800, (150, 152, 150), "plaster", seed=37)
    sheet = Sheet(1200, 730, PAPER)
    sheet.panel(0, 0, 1200, 420, NAVY)
    gold = Style(SERIF, 46, (246, 214, 120))
    sheet.line("every page opens another door", 600, 52, gold, radius=2400)
    sheet.line("城市读书节", 600, 206, Style(BOLD, 148, WHITE))
    sheet.line("CITY READING FAIR", 600, 348, Style(BOLD, 88, WHITE))
    sheet.line("2031年6月14日周六", 60, 486, Style(SERIF, 54, RED), "lm")
    sheet.line("10:00-17:00", 1140, 486, Style(BOLD, 60), "rm")
    sheet.line("云杉市图书馆一层大厅", 60, 574, Style(BOLD, 46), "lm")
    sheet.line("Main Library Hall", 1140, 574, Style(SERIF, 46, GREEN), "rm")
    sheet.panel(60, 622, 420, 702, RED)
    sheet.line("免费入场FREE", 240, 661, Style(BOLD, 44, WHITE))
    sheet.line("Bring one book, take another home.", 1140, 646, Style(SANS, 22), "rm")
    sheet.line("儿童需由成人陪同", 1140, 686, Style(SANS, 20, (96, 92, 88)), "rm")
    scene.lay(sheet, np.array([(46, 40), (1240, 26), (1226, 770), (58, 756)]))
    shadow = [(0.0, 0.0), (0.2, 0.0), (0.06, 1.0), (0.0, 1.0)]
    return scene.photograph((0.62, 0.35), shadow, noise=2.6), scene.labels


def badge() -> tuple[Pixels, list[Label]]:
    """Draw a round sign with a line over it, one under it and one through its middle."""
    scene = Scene(720, 640, (128, 140, 146), "wood", seed=41)
    sign = Sheet(560, 560, PAPER)
    sign.line("HARBOUR COFFEE HOUSE", 280, 64, Style(BOLD, 42, NAVY), radius=216)
    sign.line("freshly roasted since 2031", 280, 496, Style(SERIF, 36, RED), radius=-216)
    sign.line("现磨咖啡", 280, 250, Style(BOLD, 64, GREEN))
    sign.line("OPEN 07:30", 280, 330, Style(BOLD, 44))
    scene.lay(sign, sign.turned(360, 320, 4))
    shadow = [(0.7, 0.0), (1.0, 0.0), (1.0, 0.6)]
    return scene.photograph((0.35, 0.3), shadow, noise=2.6), scene.labels


def main() -> None:
    """Render every picture and write Label.txt."""
    parser = argparse.ArgumentParser(description="Render the test pictures and Label.txt.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, metavar="DIR")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    truth = []
    for draw in (sample, receipt, poster, badge):
        picture, labels = draw()
        Image.fromarray(picture).save(out / f"{draw.__name__}.jpg", quality=88)
        entries = []
        for text, outline in labels:
            points = outline.round().astype(int).tolist()
            entries.append({"transcription": text, "points": points, "difficult": False})
        truth.append(f"{draw.__name__}.jpg\t{json.dumps(entries, ensure_ascii=False)}\n")
    (out / "Label.txt").write_text("".join(truth), encoding="utf-8")


if __name__ == "__main__":
    main()
