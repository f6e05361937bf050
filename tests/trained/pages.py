"""Render pages with known texts: straight words, or words along arcs of circles.

The same seed always gives the same pages. Without other fonts only Pillow's own font is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]
Points = NDArray[np.float32]
Plane = NDArray[np.float32]
Page = tuple[Picture, Points, list[str]]

CAPITALS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SMALL = "abcdefghijklmnopqrstuvwxyz"
# Least and greatest height of a quad, and its margin around the ink, in pixels.
LOWEST, HIGHEST = 16, 48
MARGIN = 1.5
# Greatest length of a word in pixels, so that a small network sees both of its ends at once.
LONGEST = 220
# Degrees by which words are tilted at most, and range of the degrees by which an arc turns from its
# first to its last character.
TILT = 20
TURN = (40, 130)
# Degrees by which an arc turns at most over a length that equals its height: characters must stay
# readable.
MOST_TURN = 28
# Points along each of the long sides of an arc's polygon.
SIDE_POINTS = 7
# Space around a word in which there is no other, as a share of the word's height.
APART = 0.5
# Number of attempts to find room for a word.
TRIES = 40
DEJAVU = Path("/usr/share/fonts/truetype/dejavu")


@dataclass(frozen=True)
class Bend:
    """Place, tilt and curvature of a word on a page.

    Attributes:
        x: Place of the word's middle, in pixels.
        y: Place of the word's middle, in pixels.
        tilt: Turn clockwise, in radians.
        radius: Radius of the line through the middles of the characters: positive if the centre of
            the circle is below the word, negative if it is above, infinite for a straight word.
    """

    x: float
    y: float
    tilt: float
    radius: float = np.inf

    def onto_page(self, along: NDArray[np.float64], down: NDArray[np.float64]) -> Points:
        """Convert positions along and down from the word's middle to the page's [..., 2]."""
        if np.isfinite(self.radius):
            turn = along / self.radius
            rest = self.radius - down
            along, down = rest * np.sin(turn), self.radius - rest * np.cos(turn)
        cos, sin = np.cos(self.tilt), np.sin(self.tilt)
        x, y = self.x + cos * along - sin * down, self.y + sin * along + cos * down
        return np.stack([x, y], -1).astype(np.float32)

    def from_page(self, height: int, width: int) -> tuple[Plane, Plane]:
        """Return for each pixel of a page its position along the word and down from its middle."""
        y, x = np.mgrid[:height, :width].astype(np.float64)
        x, y = x - self.x, y - self.y
        cos, sin = np.cos(self.tilt), np.sin(self.tilt)
        along, down = cos * x + sin * y, cos * y - sin * x
        if np.isfinite(self.radius):
            sign = np.sign(self.radius)
            turn = np.arctan2(sign * along, sign * (self.radius - down))
            down = self.radius - sign * np.hypot(along, self.radius - down)
            along = turn * self.radius
        return along.astype(np.float32), down.astype(np.float32)


def pages(
    number: int, seed: int, size: tuple[int, int] = (256, 256), fonts: Sequence[Path] = ()
) -> list[Page]:
    """Render pages of 3 to 8 straight words or short lines.

    Args:
        number: Number of pages.
        seed: Seed of the random numbers.
        size: Height and width in pixels.
        fonts: Files of fonts to choose from besides Pillow's own.

    Returns:
        For each page the image uint8 [H, W, 3] (BGR), quads float32 [N, 4, 2] around the ink,
        clockwise from the word's own top left, and the N texts. The centres of pixels are at whole
        numbers.
    """
    return [_page(rng, size, fonts, 0) for rng in _generators(number, seed)]


def arcs(
    number: int, seed: int, size: tuple[int, int] = (256, 256), fonts: Sequence[Path] = ()
) -> list[Page]:
    """Render pages of 1 to 4 words, most of them along arcs.

    Arguments and result are those of `pages`, except that polygons float32 [N, 2 K, 2] replace the
    quads: a word's upper side in reading direction, then its lower side back.
    """
    return [_page(rng, size, fonts, 0.8) for rng in _generators(number, seed)]


def advance(character: str) -> float:
    """Return the width of a character in Pillow's own font, as a share of the font's size."""
    return float(font(None, 100).getlength(character)) / 100


def dejavu() -> list[Path]:
    """Return the files of DejaVu's fonts, without its mathematical ones; none if not installed."""
    return sorted(path for path in DEJAVU.glob("*.ttf") if "TeX" not in path.name)


def _generators(number: int, seed: int) -> Iterator[np.random.Generator]:
    """Make a generator for each page, so that a page does not depend on how many there are."""
    return (np.random.default_rng([seed, index]) for index in range(number))


def _page(
    rng: np.random.Generator, size: tuple[int, int], fonts: Sequence[Path], bent: float
) -> Page:
    """Render a page on which words are curved with the probability `bent`."""
    height, width = size
    canvas = _background(rng, height, width)
    taken = np.zeros(size, np.uint8)
    outlines, texts = [], []
    for _ in range(rng.integers(1, 5) if bent else rng.integers(3, 9)):
        text = _text(rng)
        ink = _ink(rng, text, fonts, min((0.45 if bent else 0.8) * width, LONGEST))
        curved = rng.random() < bent
        found = _room(rng, taken, ink.shape, curved, SIDE_POINTS if bent else 2)
        if found is None:
            continue
        bend, outline = found
        outlines.append(outline)
        texts.append(text)
        _print(rng, canvas, ink, bend, outline)
    points = 2 * (SIDE_POINTS if bent else 2)
    return _photographed(rng, canvas), np.array(outlines, np.float32).reshape(-1, points, 2), texts


def _text(rng: np.random.Generator) -> str:
    """Draw a text of one word or, once in six times, two.

    A sixth of the words is in small letters, a sixth in digits, the rest in digits and capitals.
    """

    def word(shortest: int, longest: int) -> str:
        kind = rng.random()
        letters = SMALL if kind < 1 / 6 else CAPITALS[:10] if kind < 1 / 3 else CAPITALS
        return "".join(rng.choice(list(letters), rng.integers(shortest, longest + 1)))

    if rng.random() < 1 / 6:
        return f"{word(2, 5)} {word(2, 5)}"
    return word(2, 9)


@cache
def font(path: Path | None, size: int) -> ImageFont.FreeTypeFont:
    """Load a font, or Pillow's own for None, with the basic layout, which every Pillow has."""
    if path is not None:
        return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font.font_variant(layout_engine=ImageFont.Layout.BASIC)


def _ink(rng: np.random.Generator, text: str, fonts: Sequence[Path], longest: float) -> Plane:
    """Draw a text's ink, 0 to 1, cut to where there is some.

    The size of the font is chosen so that the height of the quad is within its range, and the text
    is no longer than `longest` pixels.
    """
    path = (None, *fonts)[rng.integers(1 + len(fonts))] if fonts else None
    # The logarithm of the height is uniform, so that small texts are more common.
    wanted = LOWEST * (HIGHEST / LOWEST) ** rng.random() - 2 * MARGIN
    size = 40
    for _ in range(3):
        left, top, right, bottom = font(path, size).getbbox(text)
        enlarge = min(wanted / (bottom - top), longest / (right - left))
        size = max(round(size * enlarge), 10)
    left, top, right, bottom = font(path, size).getbbox(text)
    image = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4))
    ImageDraw.Draw(image).text((2 - left, 2 - top), text, fill=255, font=font(path, size))
    ink = np.asarray(image, np.float32) / np.float32(255)
    y, x = np.nonzero(ink > 0.2)
    cut: Plane = ink[y.min() : y.max() + 1, x.min() : x.max() + 1]
    return cut


def _room(
    rng: np.random.Generator, taken: Picture, ink: tuple[int, ...], curved: bool, points: int
) -> tuple[Bend, Points] | None:
    """Find a free place for ink [h, w] within the page, and mark it as taken.

    Returns:
        The place and the outline there; None if no room is found.
    """
    height, width = taken.shape
    for _ in range(TRIES):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        tilt, radius = np.radians(rng.uniform(-TILT, TILT) * (rng.random() < 0.8)), np.inf
        if curved:
            turn = min(rng.uniform(*TURN), MOST_TURN * ink[1] / ink[0])
            radius = rng.choice([-1, 1]) * ink[1] / np.radians(turn)
        bend = Bend(x, y, tilt, radius)
        outline = _outline(bend, ink, MARGIN, points)
        inside = (outline >= 1) & (outline <= (width - 2, height - 2))
        around = np.zeros_like(taken)
        cv2.fillPoly(
            around, [np.int32(_outline(bend, ink, MARGIN + APART / 2 * ink[0], points))], 1
        )
        if inside.all() and not (around & taken).any():
            taken |= around
            return bend, outline
    return None


def _outline(bend: Bend, ink: tuple[int, ...], margin: float, points: int) -> Points:
    """Return the polygon [2 · points, 2] around ink [h, w]."""
    height, width = ink[:2]
    along = np.linspace(-width / 2 - margin, width / 2 + margin, points)
    down = np.full(points, height / 2 + margin)
    upper, lower = bend.onto_page(along, -down), bend.onto_page(along[::-1], down)
    return np.concatenate([upper, lower])


def _print(
    rng: np.random.Generator, canvas: Plane, ink: Plane, bend: Bend, outline: Points
) -> None:
    """Print ink [h, w] onto the canvas in a colour that differs from the background there."""
    if rng.random() < 0.15:  # the word is on a plate of its own colour
        margin = rng.uniform(3, 0.2 * ink.shape[0] + 3)
        plate = _outline(bend, ink.shape, margin, len(outline) // 2)
        cv2.fillPoly(canvas, [np.int32(plate)], rng.uniform(0, 255, 3).tolist())
    along, down = bend.from_page(*canvas.shape[:2])
    # Pixels' centres are half a pixel inside the ink's outline.
    along += np.float32((ink.shape[1] - 1) / 2)
    down += np.float32((ink.shape[0] - 1) / 2)
    alpha = cv2.remap(ink, along, down, cv2.INTER_LINEAR)[..., None]
    mask = np.zeros(canvas.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.int32(outline)], 1)
    under = float(np.mean(cv2.mean(canvas, mask)[:3]))
    contrast = rng.uniform(70, 255)
    light = under + contrast if rng.random() < (255 - under) / 255 else under - contrast
    colour = np.clip(light + rng.uniform(-40, 40, 3), 0, 255)
    if abs(colour.mean() - under) < 60:
        colour[:] = 255 if under < 128 else 0
    canvas += alpha * (np.float32(colour) - canvas)


def _background(rng: np.random.Generator, height: int, width: int) -> Plane:
    """Draw a plain, graded or blotched background with lines and shapes, 0 to 255 [H, W, 3]."""
    kind = rng.random()
    base = rng.uniform(0, 255) + rng.uniform(-30, 30, 3)
    canvas = np.full((height, width, 3), base, np.float32)
    if kind < 0.3:
        y, x = np.mgrid[:height, :width].astype(np.float32)
        slope = rng.uniform(-120, 120, (2, 3)).astype(np.float32)
        canvas += (x / width)[..., None] * slope[0] + (y / height)[..., None] * slope[1]
    elif kind < 0.6:
        cells = rng.normal(0, rng.uniform(5, 45), (rng.integers(3, 24), rng.integers(3, 24), 3))
        canvas += cv2.resize(np.float32(cells), (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(rng.integers(0, 6)):
        colour = rng.uniform(0, 255, 3).tolist()
        (x, y), (u, v) = rng.uniform(0, (width, height), (2, 2)).astype(int).tolist()
        thickness = int(rng.integers(1, 4))
        shape = int(rng.integers(4))
        if shape == 0:
            cv2.line(canvas, (x, y), (u, v), colour, thickness, cv2.LINE_AA)
        elif shape == 1:
            across = rng.random() < 0.5
            cv2.line(canvas, (x, y), (u, y) if across else (x, v), colour, thickness)
        elif shape == 2:
            cv2.rectangle(canvas, (x, y), (u, v), colour, thickness if rng.random() < 0.6 else -1)
        else:
            radius = int(rng.uniform(4, 60))
            cv2.circle(canvas, (x, y), radius, colour, thickness if rng.random() < 0.6 else -1)
    return np.clip(canvas, 0, 255)


def _photographed(rng: np.random.Generator, canvas: Plane) -> Picture:
    """Add a little blur and noise, and round to uint8."""
    if rng.random() < 0.4:
        canvas = np.float32(cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.3, 1.0)))
    if rng.random() < 0.6:
        canvas = canvas + np.float32(rng.normal(0, rng.uniform(1, 10), canvas.shape))
    return np.clip(np.round(canvas), 0, 255).astype(np.uint8)
