"""Render crops of words of digits and capitals; the same seed always gives the same ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tests.trained import pages

Crop = NDArray[np.uint8]

# Least and greatest size of the font, in pixels.
SIZES = (14, 56)
# Space around the ink, as a share of the font's size.
MARGINS = (0.02, 0.3)
# Degrees by which words are tilted at most, and their greatest shear.
TILT, SLANT = 3.0, 0.2


class Word(NamedTuple):
    """A word in a picture.

    Attributes:
        crop: uint8 [h, w, 3], BGR.
        text: What it says.
        middles: Where the middle of each character is, float64 [len(text)]: its distance from the
            crop's left edge as a share of the crop's width.
    """

    crop: Crop
    text: str
    middles: NDArray[np.float64]


def fonts() -> list[Path]:
    """Return DejaVu's fonts, if installed, without those in which an O is as narrow as a 0."""
    return [path for path in pages.dejavu() if not re.search("Condensed|Mono", path.name)]


def clean(number: int, seed: int, lengths: tuple[int, int] = (6, 6)) -> list[Word]:
    """Draw words in Pillow's own font, straight, dark on plain light paper.

    Args:
        number: Number of words.
        seed: Seed of the random numbers.
        lengths: The least and the greatest number of characters.
    """
    rng = np.random.default_rng([seed, 0])
    made = []
    for _ in range(number):
        text = _text(rng, lengths)
        ink, middles = _ink(text, None, int(rng.integers(24, 49)), rng.uniform(0.1, 0.2, 4))
        crop = _coloured(ink, rng.uniform(220, 255, 3), rng.uniform(0, 60, 3))
        made.append(Word(crop, text, middles))
    return made


def varied(
    rng: np.random.Generator, number: int, lengths: tuple[int, int], fonts: Sequence[Path] = ()
) -> list[Word]:
    """Draw words like `clean`, but in any size and colour, a little tilted, blurred and noisy.

    Args:
        rng: The random numbers.
        number: Number of words.
        lengths: The least and the greatest number of characters.
        fonts: Files of fonts for half of the words; the others are in Pillow's own font.
    """
    return [_varied(rng, lengths, fonts) for _ in range(number)]


def fit(crop: Crop, height: int, width: int) -> Crop:
    """Resize a crop to the height that a network sees, squeezed if it is wider than `width`."""
    natural = int(np.ceil(height * crop.shape[1] / crop.shape[0]))
    return np.asarray(cv2.resize(crop, (min(natural, width), height)), np.uint8)


def stretch(crop: Crop, height: int, width: int) -> Crop:
    """Return grey [height, w], stretched to one of four widths as PaddleOCR does for SRN."""
    steps = [height, 2 * height, 3 * height, width]
    natural = height * crop.shape[1] / crop.shape[0]
    drawn = next((step for step in steps if natural <= step), width)
    resized = cv2.resize(crop, (drawn, height))
    return np.asarray(cv2.cvtColor(resized, cv2.COLOR_BGR2GRAY), np.uint8)


def _text(rng: np.random.Generator, lengths: tuple[int, int]) -> str:
    shortest, longest = lengths
    return "".join(rng.choice(list(pages.CAPITALS), rng.integers(shortest, longest + 1)))


def _varied(rng: np.random.Generator, lengths: tuple[int, int], fonts: Sequence[Path]) -> Word:
    text = _text(rng, lengths)
    path = fonts[int(rng.integers(len(fonts)))] if len(fonts) and rng.random() < 0.5 else None
    smallest, largest = SIZES
    size = round(smallest * (largest / smallest) ** rng.random())
    ink, middles = _ink(text, path, size, rng.uniform(*MARGINS, 4))
    if rng.random() < 0.5:
        ink = _leaning(rng, ink)
    if rng.random() < 0.4:
        ink = np.float32(cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.2, 0.03 * size + 0.2)))
    paper = rng.uniform(0, 255)
    contrast = rng.uniform(60, 255)
    light = paper + contrast if rng.random() < (255 - paper) / 255 else paper - contrast
    if abs(np.clip(light, 0, 255) - paper) < 60:
        light = 255 if paper < 128 else 0
    crop = _coloured(ink, paper + rng.uniform(-30, 30, 3), light + rng.uniform(-30, 30, 3))
    if rng.random() < 0.5:
        noise = rng.normal(0, rng.uniform(1, 10), crop.shape)
        crop = np.clip(np.round(crop + noise), 0, 255).astype(np.uint8)
    return Word(crop, text, middles)


def _ink(
    text: str, path: Path | None, size: int, margins: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the text's ink, 0 to 1, and `Word.middles`.

    Args:
        text: The text.
        path: File of the font; None for Pillow's own.
        size: Size of the font in pixels.
        margins: Space at the left, above, at the right and below, as shares of the size.
    """
    font = pages.font(path, size)
    left, top, right, bottom = font.getbbox(text)
    before, above, after, below = np.round(margins * size).astype(int).tolist()
    shape = (int(right - left) + before + after, int(bottom - top) + above + below)
    image = Image.new("L", shape)
    ImageDraw.Draw(image).text((before - left, above - top), text, fill=255, font=font)
    ends = np.array([font.getlength(text[:index]) for index in range(len(text) + 1)])
    middles = (before - left + (ends[:-1] + ends[1:]) / 2) / shape[0]
    return np.asarray(image, np.float32) / np.float32(255), middles


def _leaning(rng: np.random.Generator, ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn the ink about its middle and slant it; what leaves the crop is cut off."""
    height, width = ink.shape
    # A long word leaves its crop at a smaller angle than a short one.
    turn = np.radians(rng.uniform(-TILT, TILT)) * min(1, 5 * height / width)
    slant = rng.uniform(-SLANT, SLANT)
    matrix = np.array([[1, slant], [np.tan(turn), 1]])
    middle = np.array([width / 2, height / 2])
    moved = np.hstack([matrix, (middle - matrix @ middle)[:, None]])
    return np.asarray(cv2.warpAffine(ink, moved, (width, height)), np.float32)


def _coloured(
    ink: NDArray[np.float32], paper: NDArray[np.float64], colour: NDArray[np.float64]
) -> Crop:
    mixed = paper + ink[..., None] * (colour - paper)
    return np.clip(np.round(mixed), 0, 255).astype(np.uint8)
