"""Draw pages of text that are turned by any angle."""

from __future__ import annotations

import random
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFont

WORDS = [
    *("river", "north", "hills", "flow", "past", "four", "small", "towns", "before", "reach"),
    *("sea", "near", "old", "harbour", "where", "boats", "built", "sold", "every", "spring"),
    *("fishermen", "coast", "who", "pay", "silver", "Invoice", "Total", "Number", "1471", "39.40"),
]
MARGIN = 30
Font: TypeAlias = "ImageFont.FreeTypeFont | ImageFont.ImageFont"


def page(seed: int) -> tuple[Image.Image, list[str]]:
    """Draw a page of one to ten lines in one size, of several words each.

    Returns:
        The page, and the text of each line.
    """
    chance = random.Random(seed)
    size, width = chance.randint(20, 34), chance.randint(420, 900)
    font, pitch = ImageFont.load_default(size), size * 3 // 2
    lines = [_line(chance, font, width - 2 * MARGIN) for _ in range(chance.randint(1, 10))]
    drawn = Image.new("RGB", (width, pitch * len(lines) + 2 * MARGIN), "white")
    draw = ImageDraw.Draw(drawn)
    for i, line in enumerate(lines):
        draw.text((MARGIN, MARGIN + i * pitch), line, font=font, fill="black")
    return drawn, lines


def turned(drawn: Image.Image, degrees: float) -> np.ndarray:
    """Turn a page clockwise by any angle; return uint8 [H, W, 3] BGR."""
    whole = drawn.rotate(
        -degrees, expand=True, resample=Image.Resampling.BICUBIC, fillcolor="white"
    )
    return np.ascontiguousarray(np.asarray(whole)[..., ::-1])


def character(text: str, size: int, seed: int) -> np.ndarray:
    """Draw one character somewhere on a small white picture; return uint8 [H, W, 3] BGR."""
    chance = random.Random(seed)
    font = ImageFont.load_default(size)
    drawn = Image.new("RGB", (size + chance.randint(20, 60), 2 * size + 10), "white")
    at = (chance.randint(10, 20), chance.randint(5, 20))
    ImageDraw.Draw(drawn).text(at, text, font=font, fill="black")
    return np.ascontiguousarray(np.asarray(drawn)[..., ::-1])


def _line(chance: random.Random, font: Font, width: int) -> str:
    """Return words that fill most of a width in pixels."""
    words = [chance.choice(WORDS), chance.choice(WORDS)]
    while font.getbbox(" ".join([*words, "fishermen"]))[2] < width:
        words.append(chance.choice(WORDS))
    return " ".join(words)
