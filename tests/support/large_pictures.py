"""Draw large pictures with known lines: pages of small letters, long screenshots, strips, scans."""

from __future__ import annotations

import random
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edgeocr.results.lines import Region

Box = tuple[float, float, float, float]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Drawn:
    """A picture and the lines that are drawn in it.

    Attributes:
        image: uint8 [H, W, 3].
        texts: The lines from top to bottom.
        boxes: Left, top, right and bottom of each line.
    """

    image: NDArray[np.uint8]
    texts: list[str]
    boxes: list[Box]


def page(seed: int, em: int, height: int, width: int, *, fonts: Sequence[Path] = ()) -> Drawn:
    """Draw a page of random words.

    Args:
        seed: Decides everything else.
        em: Size of the letters in pixels.
        height: Rows of the picture.
        width: Columns of the picture.
        fonts: Font files to choose from; without any, Pillow's own font.
    """
    pick = random.Random(seed)
    ground, ink = pick.randrange(200, 256), pick.randrange(0, 90)
    if pick.random() < 0.2:
        ground, ink = ink, ground
    font = _font(pick, em, fonts)
    picture = Image.new("L", (width, height), ground)
    pen = ImageDraw.Draw(picture)
    leading = em * pick.uniform(1.3, 1.9)
    texts: list[str] = []
    boxes: list[Box] = []
    y = pick.uniform(0.3, 1) * em
    while y + 1.3 * em < height:
        x = pick.uniform(0.01, 0.15) * width
        end = pick.uniform(0.4, 0.99) * width
        words: list[str] = []
        while pen.textlength(" ".join([*words, word := _word(pick)]), font) < end - x:
            words.append(word)
        if words:
            text = " ".join(words)
            pen.text((x, y), text, ink, font)
            texts.append(text)
            boxes.append(pen.textbbox((x, y), text, font))
        y += leading
    noise = np.random.default_rng(seed).normal(0, pick.uniform(0, 5), (height, width))
    grey = np.clip(np.asarray(picture, np.float64) + noise, 0, 255).astype(np.uint8)
    return Drawn(np.repeat(grey[..., None], 3, axis=2), texts, boxes)


def in_corner(drawn: Drawn, height: int, width: int, seed: int) -> Drawn:
    """Put a picture somewhere on a large blank scan."""
    pick = random.Random(seed)
    high, wide = drawn.image.shape[:2]
    top, left = pick.randrange(height - high + 1), pick.randrange(width - wide + 1)
    paper = np.random.default_rng(seed).integers(240, 250, (height, width, 1), np.uint8)
    image = np.repeat(paper, 3, axis=2)
    image[top : top + high, left : left + wide] = drawn.image
    boxes = [(a + left, b + top, c + left, d + top) for a, b, c, d in drawn.boxes]
    return Drawn(image, drawn.texts, boxes)


def strip(seed: int, em: int, width: int, *, fonts: Sequence[Path] = ()) -> Drawn:
    """Draw one line that is as long as the picture."""
    pick = random.Random(seed)
    font = _font(pick, em, fonts)
    height = round(1.4 * em)
    picture = Image.new("L", (width, height), 255)
    pen = ImageDraw.Draw(picture)
    words = [_word(pick)]
    while pen.textlength(" ".join([*words, word := _word(pick)]), font) < width - em:
        words.append(word)
    text = " ".join(words)
    pen.text((em / 3, 0.05 * em), text, 0, font)
    boxes = [pen.textbbox((em / 3, 0.05 * em), text, font)]
    return Drawn(np.repeat(np.asarray(picture)[..., None], 3, axis=2), [text], boxes)


def parts_of_lines(regions: Sequence[Region], drawn: Drawn) -> list[float]:
    """Return for each line of a picture how much of it regions cover, negative if several do.

    A region covers a line if they share half of their heights, and only if it is less than twice as
    high as the line.
    """
    found = [(*region.quad.min(axis=0), *region.quad.max(axis=0)) for region in regions]
    result = []
    for left, top, right, bottom in drawn.boxes:
        covers = [
            (min(c, right) - max(a, left)) / (right - left)
            for a, b, c, d in found
            if min(c, right) > max(a, left)
            and min(d, bottom) - max(b, top) > 0.5 * min(d - b, bottom - top)
            and d - b < 2.5 * (bottom - top)
        ]
        result.append(sum(covers) if len(covers) < 2 else -sum(covers))
    return result


def _font(pick: random.Random, em: int, fonts: Sequence[Path]) -> Font:
    return ImageFont.truetype(pick.choice(fonts), em) if fonts else ImageFont.load_default(em)


def _word(pick: random.Random) -> str:
    """Return a random word or number."""
    if pick.random() < 0.3:
        return f"{pick.randrange(1000)}.{pick.randrange(100):02d}"
    letters = "".join(pick.choices(string.ascii_lowercase, k=pick.randrange(2, 10)))
    return pick.choice((letters, letters, letters.capitalize(), letters.upper()))
