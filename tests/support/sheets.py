"""Sheets of placed texts whose reading order is known: imitated as quads, or drawn as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edgeocr.layout.scripts import EAST_ASIAN
from edgeocr.postprocess.geometry import Float32

Picture = NDArray[np.uint8]
Random = np.random.Generator

# Letters that rise above the x-height, and those that go below the baseline.
RISING = set("bdfhkltABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!?()/|#$%&")
FALLING = set("gjpqy,;()/|Q")
# Heights above and below the baseline, as shares of the font's size.
ASCENDER, X_HEIGHT, DESCENDER = 0.73, 0.54, 0.21
# The least and greatest share of the lean of its letters by which a detector's box leans: it is
# about the same for all boxes of a picture. Measured with the package's own detector.
LEAN = (0.2, 0.9)


@dataclass(frozen=True)
class Text:
    """A line, a cell or a word on a sheet.

    Attributes:
        text: What is written.
        x: Left end in pixels.
        y: Baseline in pixels; of text that runs downwards, its upper end.
        size: Size of the font in pixels.
        width: Length in pixels.
        down: None for horizontal text; "upright" for characters one below the other; "turned" for
            a line that is turned by 90 degrees clockwise, "turned back" counterclockwise.
    """

    text: str
    x: float
    y: float
    size: float
    width: float
    down: str | None = None


@dataclass(frozen=True)
class Sheet:
    """Texts in the order in which a person reads them.

    Attributes:
        texts: The texts.
        width: Width of the sheet in pixels.
        height: Height of the sheet in pixels.
        warp: float64 [3, 3], a homography from the sheet to the picture of it.
        figures: Left, top, right and bottom of what is drawn beside the texts.
    """

    texts: tuple[Text, ...]
    width: int
    height: int
    warp: NDArray[np.float64] | None = None
    figures: tuple[tuple[float, ...], ...] = ()

    def placed(self, moves: Float32) -> Float32:
        """Move points [..., 2] of the sheet to where they are in the picture."""
        if self.warp is None:
            return moves
        flat = moves.reshape(1, -1, 2).astype(np.float64)
        return cv2.perspectiveTransform(flat, self.warp).reshape(moves.shape).astype(np.float32)


def length(text: str, size: float) -> float:
    """Return how long a text is in Pillow's own font of this size, in pixels.

    That font holds Latin letters only; others count as squares, or as half a square if they are
    read from the right.
    """
    if any(ord(c) >= EAST_ASIAN for c in text):
        return size * len(text)
    if any("\u0590" <= c <= "\u06ff" for c in text):
        return size * 0.5 * len(text)
    return size * _font(None, 100).getlength(text) / 100


def fitted(
    texts: Sequence[Text], random: Random, figures: Sequence[tuple[float, ...]] = ()
) -> Sheet:
    """Return a sheet that is as large as its texts, with a margin."""
    margin = random.uniform(8, 60)
    right = max(t.x + (t.size if t.down else t.width) for t in texts) + margin
    bottom = max(t.y + (t.width if t.down else 0.3 * t.size) for t in texts) + margin
    return Sheet(tuple(texts), int(right), int(bottom), figures=tuple(figures))


def turned(sheet: Sheet, degrees: float) -> Sheet:
    """Return the sheet turned clockwise about its middle, on a picture that shows all of it."""
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    width = int(abs(cos) * sheet.width + abs(sin) * sheet.height)
    height = int(abs(sin) * sheet.width + abs(cos) * sheet.height)
    x, y = sheet.width / 2, sheet.height / 2
    warp = np.array(
        [
            [cos, -sin, width / 2 - cos * x + sin * y],
            [sin, cos, height / 2 - sin * x - cos * y],
            [0, 0, 1],
        ]
    )
    return replace(sheet, warp=warp)


def photographed(sheet: Sheet, random: Random, most: float = 0.06, degrees: float = 3) -> Sheet:
    """Return the sheet as a camera sees it that isn't held quite above it.

    Args:
        sheet: The sheet.
        random: The random numbers.
        most: By how much a corner moves at most, as a share of the sheet's width and height.
        degrees: By how much the sheet is turned at most.
    """
    w, h = sheet.width, sheet.height
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    moved = corners + random.uniform(-most, most, (4, 2)).astype(np.float32) * [w, h]
    warp = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    turn = turned(sheet, random.uniform(-degrees, degrees)).warp
    assert turn is not None
    return replace(sheet, warp=turn @ warp)


def imitated(sheet: Sheet, random: Random, jitter: float = 0.7) -> tuple[Float32, list[str]]:
    """Return quads [N, 4, 2] as a detector finds them, and their texts, in reading order.

    Boxes lean by the letters at their ends, have a margin, and stray by a pixel or so. Now and
    then a line comes in two pieces.

    Args:
        sheet: What is to be imitated.
        random: The random numbers.
        jitter: Standard deviation of a corner's place, in pixels.
    """
    quads, texts = [], []
    lean = float(random.uniform(*LEAN))
    for each in sheet.texts:
        for piece in _pieces(each, random):
            quad = sheet.placed(_box(piece, random, lean))
            if sheet.warp is not None:
                quad = cv2.boxPoints(cv2.minAreaRect(quad)).astype(np.float32)
                quad = _from_top_left(quad)
            quads.append(quad + random.normal(0, jitter, (4, 2)))
            texts.append(piece.text)
    return np.array(quads, np.float32).reshape(-1, 4, 2), texts


def _pieces(text: Text, random: Random) -> list[Text]:
    words = text.text.split(" ")
    if text.down or len(words) < 3 or random.random() > 0.03:
        return [text]
    cut = int(random.integers(1, len(words)))
    left, right = " ".join(words[:cut]), " ".join(words[cut:])
    share = length(left, 1) / length(text.text, 1)
    space = 0.3 * text.size
    first = replace(text, text=left, width=text.width * share - space / 2)
    start = text.x + first.width + space
    second = replace(text, text=right, x=start, width=text.x + text.width - start)
    # Lines of right-to-left scripts begin at the right.
    if "\u0590" <= text.text[0] <= "\u06ff":
        second = replace(second, x=text.x)
        first = replace(first, x=text.x + second.width + space)
    return [first, second]


def _box(text: Text, random: Random, share: float) -> Float32:
    """Return the box [4, 2] of a text on its sheet."""
    size = text.size
    if text.down:
        wide = size * random.uniform(1.0, 1.25)
        x, top = text.x + size / 2, text.y
        left, right, bottom = x - wide / 2, x + wide / 2, top + text.width
        margin = 0.15 * size
        corners = [[left, top - margin], [right, top - margin]]
        corners += [[right, bottom + margin], [left, bottom + margin]]
        return np.array(corners, np.float32)
    letters = [c for c in text.text if not c.isspace()] or ["x"]
    if ord(letters[0]) > 0x590:
        top, bottom, lean = 0.85 * size, 0.15 * size, random.normal(0, 0.03) * size
    else:
        rises = [ASCENDER if c in RISING else X_HEIGHT for c in letters]
        falls = [DESCENDER if c in FALLING else 0.0 for c in letters]
        top = size * (max(rises) * 0.6 + float(np.mean(rises)) * 0.4)
        bottom = size * (max(falls) * 0.5 + float(np.mean(falls)) * 0.5)
        lean = size * share * ((rises[0] - rises[-1]) + (falls[-1] - falls[0])) / 2
    if random.random() < 0.35:
        lean = 0.0
    # Boxes of East Asian text are 0.9 to 1.2 times as high as its characters (measured).
    margin = (
        random.uniform(-0.05, 0.1) if ord(letters[0]) >= EAST_ASIAN else random.uniform(0.1, 0.25)
    )
    margin *= size
    left, right = text.x - margin, text.x + text.width + margin
    corners = [[left, -top - margin - lean / 2], [right, -top - margin + lean / 2]]
    corners += [[right, bottom + margin + lean / 2], [left, bottom + margin - lean / 2]]
    return np.array(corners, np.float32) + np.array([0, text.y], np.float32)


def _from_top_left(quad: Float32) -> Float32:
    """Order corners clockwise from the top left, as detectors do."""
    by_x = quad[np.argsort(quad[:, 0], kind="stable")]
    left, right = by_x[:2], by_x[2:]
    left, right = left[np.argsort(left[:, 1])], right[np.argsort(right[:, 1])]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)


def drawn(sheet: Sheet, font: Path | None = None, scale: float = 1.0) -> Picture:
    """Return a picture [H, W, 3] of the sheet, black on white.

    Args:
        sheet: What is to be drawn.
        font: A font's file; by default Pillow's own font, which holds Latin letters only.
        scale: Enlarges everything.
    """
    image = Image.new("L", (round(sheet.width * scale), round(sheet.height * scale)), 250)
    draw = ImageDraw.Draw(image)
    for left, top, right, bottom in sheet.figures:
        draw.rectangle([v * scale for v in (left, top, right, bottom)], fill=170)
        draw.ellipse([v * scale for v in (left, top, right, bottom)], fill=90)
    for text in sheet.texts:
        _draw(image, draw, text, font, scale)
    picture = np.repeat(np.asarray(image)[..., None], 3, axis=2)
    if sheet.warp is None:
        return picture
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * [sheet.width, sheet.height]
    placed = sheet.placed(corners.astype(np.float32))
    low, high = placed.min(axis=0), placed.max(axis=0)
    enlarge, shrink = np.diag([scale, scale, 1]), np.diag([1 / scale, 1 / scale, 1])
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]])
    w, h = ((high - low) * scale).astype(int)
    warp = enlarge @ shift @ sheet.warp @ shrink
    seen = cv2.warpPerspective(picture, warp, (int(w), int(h)), borderValue=(250, 250, 250))
    return np.asarray(seen, np.uint8)


def _draw(
    image: Image.Image, draw: ImageDraw.ImageDraw, text: Text, font: Path | None, scale: float
) -> None:
    face = _font(font, round(text.size * scale))
    x, y = text.x * scale, text.y * scale
    if text.down == "upright":
        step = text.width * scale / len(text.text)
        for i, character in enumerate(text.text):
            middle = (x + text.size * scale / 2, y + (i + 0.5) * step)
            draw.text(middle, character, fill=20, font=face, anchor="mm")
    elif text.down:
        room = round(face.getlength(text.text)) + 4
        strip = Image.new("L", (room, round(text.size * scale * 1.3)), 250)
        ImageDraw.Draw(strip).text((2, 2), text.text, fill=20, font=face)
        strip = strip.rotate(-90 if text.down == "turned" else 90, expand=True)
        image.paste(strip, (round(x), round(y)))
    else:
        long = face.getlength(text.text)
        if long > 1.02 * text.width * scale:
            face = _font(font, max(int(face.size * text.width * scale / long), 6))
        draw.text((x, y), text.text, fill=20, font=face, anchor="ls")


@cache
def _font(path: Path | None, size: int) -> ImageFont.FreeTypeFont:
    if path is not None:
        return ImageFont.truetype(str(path), size)
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font
