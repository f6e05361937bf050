"""Draw labelled pictures to measure accuracy on: python -m benchmarks pages --output DIR."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from edgeocr.accuracy.labels import DONT_CARE

from . import conditions, number_columns
from .drawn_picture import Corners, Line, Picture, corners, default_font, random_word

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

# No setting of edgeocr was chosen with pictures of this seed.
SEED = 2028
SIGNS = 40
SIGN_SIZES = (11, 12, 13, 14, 16, 18, 20, 24, 28, 36)
# The largest angle by which a sign is tilted, in degrees.
TILT = 4.0
# Pixels of paper around a sign, which tilting moves into the picture.
MARGIN = 64
PAPER_INCHES = (8.27, 11.69)
# For each page its dots per inch and the size of its text in points.
PAGES = (
    *((300, points) for points in (5, 6, 7, 8, 10, 12)),
    *((200, points) for points in (6, 7, 9, 10)),
    *((150, points) for points in (7, 10, 12)),
)
# Screenshots of several screens: their height and the size of their text, in pixels.
SCREENSHOTS = ((8000, 40), (14_000, 34), (20_000, 28))
SCREEN_WIDTH = 1080
# Scans of an A4 sheet on which a receipt lies: dots per inch and the size of its text in points.
RECEIPTS = ((600, 5), (600, 6), (600, 8), (300, 6))
RECEIPT_INCHES = (2.3, 5.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="folder to write into"
    )
    parser.add_argument(
        "--kind",
        choices=(*KINDS, "columns", "conditions"),
        help="kind of picture; default: all kinds, each in a folder of its name",
    )
    parser.add_argument(
        "--fonts",
        type=Path,
        nargs="+",
        default=(),
        metavar="FILE",
        help="further fonts for the kind conditions; default: the one that comes with Pillow",
    )
    parser.add_argument(
        "--chinese-font",
        type=Path,
        metavar="FILE",
        help="font for Chinese in the kind conditions; default: no Chinese",
    )
    parser.add_argument(
        "--seed", type=int, default=SEED, help=f"seed of the random numbers; default: {SEED}"
    )


def run(options: argparse.Namespace) -> None:
    """Draw the pictures and write a Label.txt beside them."""
    fonts = conditions.Fonts(options.fonts, options.chinese_font)
    kinds: dict[str, Callable[[int], Iterator[Picture]]] = {
        **KINDS,
        "columns": number_columns.tables,
        "conditions": partial(conditions.pages, fonts=fonts),
    }
    try:
        _check_pillow()
        for kind in kinds if options.kind is None else (options.kind,):
            folder = options.output / kind
            pictures, lines = write(folder, kinds[kind](options.seed))
            print(f"{folder}: {pictures} pictures, {lines} lines that count")
    except (ImportError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def write(folder: Path, pictures: Iterator[Picture]) -> tuple[int, int]:
    """Save pictures and their Label.txt.

    Args:
        folder: The folder to write into; it is made if it does not exist.
        pictures: The pictures.

    Returns:
        The number of pictures, and the number of their lines that count.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows, count = [], 0
    for picture in pictures:
        dpi = (picture.dpi, picture.dpi)
        picture.image.save(folder / picture.name, quality=picture.quality, dpi=dpi)
        regions = [
            {
                "transcription": line.text,
                "points": [[round(x, 1), round(y, 1)] for x, y in line.corners],
            }
            for line in picture.lines
        ]
        rows.append(f"{picture.name}\t{json.dumps(regions)}\n")
        count += sum(line.text not in DONT_CARE for line in picture.lines)
    (folder / "Label.txt").write_text("".join(rows), encoding="utf-8", newline="\n")
    return len(rows), count


def signs(seed: int) -> Iterator[Picture]:
    """Draw small tilted pictures: a few lines in many sizes on a coloured and noisy ground."""
    for number in range(SIGNS):
        yield draw_sign(f"{number:02}.jpg", Random(f"{seed} signs {number}"))


def pages(seed: int) -> Iterator[Picture]:
    """Draw whole pages in small print that look as if they were scanned."""
    for dpi, points in PAGES:
        name = f"{dpi}dpi-{points:02}pt.jpg"
        yield draw_page(name, dpi, points, Random(f"{seed} pages {dpi} {points}"))


def large(seed: int) -> Iterator[Picture]:
    """Draw pictures far larger than a detector's input: screenshots, and receipts in scans."""
    for height, size in SCREENSHOTS:
        yield draw_screenshot(
            f"screen-{height}.jpg", height, size, Random(f"{seed} {height} {size}")
        )
    for dpi, points in RECEIPTS:
        name = f"receipt-{dpi}dpi-{points:02}pt.jpg"
        yield draw_receipt(name, dpi, points, Random(f"{seed} receipt {dpi} {points}"))


KINDS = {"signs": signs, "pages": pages, "large": large}


def draw_sign(name: str, rng: Random) -> Picture:
    """Draw one sign; lines that tilting moves out of the picture do not count."""
    from PIL import Image, ImageDraw, ImageFilter

    width, height = rng.randrange(320, 1001), rng.randrange(260, 701)
    image = _noisy_ground(width + 2 * MARGIN, height + 2 * MARGIN, rng)
    draw = ImageDraw.Draw(image)
    boxes = []
    top = rng.randrange(6, 30)
    while True:
        font = default_font(rng.choice(SIGN_SIZES))
        words = [random_word(rng) for _ in range(rng.randrange(1, 6))]
        while len(words) > 1 and font.getlength(" ".join(words)) > width - 10:
            words.pop()
        text = " ".join(words)
        room = int(width - 10 - font.getlength(text))
        blank = font.getbbox(text)[1]
        at = (MARGIN + 5 + rng.randrange(room + 1), MARGIN + top - blank)
        box = draw.textbbox(at, text, font=font)
        if box[3] > MARGIN + height - 4:
            break
        ink = (rng.randrange(70), rng.randrange(70), rng.randrange(70))
        draw.text(at, text, font=font, fill=ink)
        boxes.append((text, box))
        top = math.ceil(box[3]) - MARGIN + rng.randrange(6, 27)
    degrees = rng.uniform(-TILT, TILT)
    image = image.rotate(degrees, resample=Image.Resampling.BICUBIC)
    image = image.crop((MARGIN, MARGIN, MARGIN + width, MARGIN + height))
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.7)))
    lines = []
    for text, box in boxes:
        outline = _turned(corners(box), degrees, image.width, image.height)
        inside = all(0 <= x <= width and 0 <= y <= height for x, y in outline)
        lines.append(Line(text if inside else DONT_CARE[0], outline))
    return Picture(name, image, lines, quality=rng.randrange(60, 93), dpi=72)


def _noisy_ground(width: int, height: int, rng: Random) -> Image:
    """Return a coloured ground with smooth noise of random strength."""
    from PIL import Image

    coarse = (width // 8 + 1, height // 8 + 1)
    noise = Image.frombytes("RGB", coarse, rng.randbytes(3 * coarse[0] * coarse[1]))
    colour = (rng.randrange(120, 256), rng.randrange(120, 256), rng.randrange(120, 256))
    plain = Image.new("RGB", (width, height), colour)
    large = noise.resize((width, height), Image.Resampling.BICUBIC)
    return Image.blend(plain, large, rng.uniform(0.03, 0.2))


def _turned(corners: Corners, degrees: float, width: int, height: int) -> Corners:
    """Map points of the untilted sheet, margin included, to the tilted and cropped sign.

    Args:
        corners: Points (x, y) in pixels of the sheet.
        degrees: The tilt, counter-clockwise.
        width: Width of the sign in pixels.
        height: Height of the sign in pixels.
    """
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    middle_x, middle_y = width / 2, height / 2
    turned = []
    for x, y in corners:
        right, down = x - MARGIN - middle_x, y - MARGIN - middle_y
        turned.append(
            (middle_x + right * cosine + down * sine, middle_y - right * sine + down * cosine)
        )
    return turned


def draw_page(name: str, dpi: int, points: int, rng: Random) -> Picture:
    """Draw one page.

    Args:
        name: Name of its file.
        dpi: Dots per inch.
        points: Size of the text in points.
        rng: Source of its text.
    """
    from PIL import Image, ImageDraw, ImageFilter

    width, height = (int(inches * dpi) for inches in PAPER_INCHES)
    image = Image.new("RGB", (width, height), (250, 250, 248))
    draw = ImageDraw.Draw(image)
    size = round(points * dpi / 72)
    font = default_font(size)
    column = width - 1.8 * dpi
    lines = []
    left, top = int(0.9 * dpi), int(0.8 * dpi)
    while top < height - dpi:
        for text in _paragraph(font, column, rng):
            if top >= height - dpi:
                break
            draw.text((left, top), text, font=font, fill=(20, 20, 20))
            lines.append(Line(text, corners(draw.textbbox((left, top), text, font=font))))
            top += round(1.6 * size)
        top += round(1.2 * size)
    image = image.filter(ImageFilter.GaussianBlur(0.5))
    return Picture(name, image, lines, quality=80, dpi=dpi)


def draw_screenshot(name: str, height: int, size: int, rng: Random) -> Picture:
    """Draw a long screenshot: paragraphs of text that is `size` pixels high."""
    from PIL import Image

    image = Image.new("RGB", (SCREEN_WIDTH, height), (255, 255, 255))
    lines = _fill(image, (40, 40, SCREEN_WIDTH - 40, height - 40), size, rng)
    return Picture(name, image, lines, quality=90, dpi=72)


def draw_receipt(name: str, dpi: int, points: int, rng: Random) -> Picture:
    """Draw a scan of an A4 sheet with a narrow strip of text somewhere on it."""
    from PIL import Image, ImageFilter

    width, height = (int(inches * dpi) for inches in PAPER_INCHES)
    wide, high = (int(inches * dpi) for inches in RECEIPT_INCHES)
    left, top = rng.randrange(width - wide), rng.randrange(height - high)
    image = Image.new("RGB", (width, height), (244, 244, 242))
    lines = _fill(image, (left, top, left + wide, top + high), round(points * dpi / 72), rng)
    return Picture(name, image.filter(ImageFilter.GaussianBlur(1)), lines, quality=80, dpi=dpi)


def _fill(image: Image, box: tuple[int, int, int, int], size: int, rng: Random) -> list[Line]:
    """Write paragraphs into a box (left, top, right, bottom) of an image; return their lines."""
    from PIL import ImageDraw

    draw, font = ImageDraw.Draw(image), default_font(size)
    left, top, right, bottom = box
    lines = []
    while top < bottom - 2 * size:
        for text in _paragraph(font, right - left, rng):
            if top < bottom - 2 * size:
                draw.text((left, top), text, font=font, fill=(20, 20, 20))
                lines.append(Line(text, corners(draw.textbbox((left, top), text, font=font))))
            top += round(1.6 * size)
        top += round(1.2 * size)
    return lines


def _paragraph(font: FreeTypeFont, width: float, rng: Random) -> Iterator[str]:
    """Yield the lines of a paragraph of 31 to 101 words, broken at a width in pixels."""
    line = random_word(rng)
    for _ in range(rng.randrange(30, 101)):
        word = random_word(rng)
        if font.getlength(f"{line} {word}") > width:
            yield line
            line = word
        else:
            line = f"{line} {word}"
    yield line


def _check_pillow() -> None:
    """Check that Pillow is installed and comes with a TrueType font.

    Raises:
        ImportError: It does not.
    """
    needed = 'Pillow 10.1 or newer is needed: pip install "edgeocr[overlay]" "pillow>=10.1"'
    try:
        from PIL import ImageFont

        ImageFont.load_default(SIGN_SIZES[0])
    except (ImportError, TypeError):  # TypeError: before 10.1 it takes no size
        raise ImportError(needed) from None
