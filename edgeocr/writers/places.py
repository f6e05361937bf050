"""Where lines, words and blocks stand, in the terms of document formats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..postprocess.geometry import TALL, Float32
from ..results.lines import Block, Line, Word, blocks_of
from ..results.read_page import ReadPage

Float64 = NDArray[np.float64]

# How far above the lower side of a line's quad its baseline is, as a share of the quad's height:
# with and without letters that hang below the baseline. Both are means over lines in two fonts and
# four sizes, read by the bundles `tiny` and `mobile`.
HANGING, LEVEL = 0.28, 0.15
HANGING_LETTERS = frozenset("gjpqy,;()")
# The most degrees by which the text of a quad that stands level may slope.
STRAIGHT = 0.5


@dataclass(frozen=True)
class Box:
    """A rectangle in whole pixels; right and bottom are the first pixels outside of it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """The width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """The height in pixels."""
        return self.bottom - self.top


@dataclass(frozen=True, eq=False)
class Baseline:
    """The line on which a text stands.

    Attributes:
        points: float32 [2, 2], its beginning and end in pixels of the picture.
        quarter_turns: By how many quarter turns clockwise the text is turned, from 0 to 3; a text
            that slopes by less than 45 degrees isn't.
        slope: How far the text falls per pixel, seen with the quarter turns undone.
        offset: How far the baseline at the left side of the line's box is above (below 0) the
            bottom of the box, in pixels, seen in the same way.
        size: The height of the line, in pixels.
    """

    points: Float32
    quarter_turns: int
    slope: float
    offset: float
    size: float


def blocks_in(page: ReadPage) -> tuple[Block, ...]:
    """Return the blocks of a page; where they are unknown, all lines are in one block."""
    if page.blocks or not page.lines:
        return tuple(page.blocks)
    return blocks_of(page.lines, [range(len(page.lines))], 0.0)


def box_of(points: Float32, page: ReadPage) -> Box:
    """Return the smallest rectangle around points [..., 2], of which no part is off the page.

    Points that are not finite count as the page's top left corner.
    """
    flat = np.nan_to_num(np.asarray(points, np.float64).reshape(-1, 2), posinf=0, neginf=0)
    size = np.array([page.width, page.height])
    least = np.clip(np.floor(flat.min(axis=0)), 0, np.maximum(size - 1, 0)).astype(int)
    most = np.clip(np.ceil(flat.max(axis=0)), least + 1, np.maximum(size, least + 1)).astype(int)
    return Box(*least.tolist(), *most.tolist())


def reading_quad(line: Line) -> Float32:
    """Return the quad of a line, float32 [4, 2], from the corner at which reading begins.

    The text runs along the first side. Words tell the direction; without them, text of several
    characters runs down in a quad that is much higher than wide.
    """
    quad = line.quad
    if line.words:
        along = sum((each.quad[1] - each.quad[0] for each in line.words), np.zeros(2, np.float32))
        if np.isfinite(along).all() and along.any():
            sides = np.roll(quad, -1, axis=0) - quad
            lengths = np.maximum(np.linalg.norm(sides, axis=1), 1e-6)
            return np.roll(quad, -int(np.argmax(sides @ along / lengths)), axis=0)
    width = np.linalg.norm(quad[1] - quad[0])
    height = np.linalg.norm(quad[3] - quad[0])
    is_tall = height >= TALL * width and len(line.text) > 1
    return np.roll(quad, -1, axis=0) if is_tall else quad


def baseline_of(line: Line) -> Baseline:
    """Return the baseline of a line, which is estimated from its quad and its text."""
    quad = np.nan_to_num(reading_quad(line).astype(np.float64), posinf=0, neginf=0)
    share = HANGING if HANGING_LETTERS & set(line.text) else LEVEL
    points = np.stack(
        [quad[3] + share * (quad[0] - quad[3]), quad[2] + share * (quad[1] - quad[2])]
    )
    turns = round(angle_of(line) / 90) % 4
    level, seen = _turned_back(points, turns), _turned_back(quad, turns)
    right, down = level[1] - level[0]
    slope = float(down / right) if right > 0 else 0.0
    left, bottom = seen[:, 0].min(), seen[:, 1].max()
    offset = float(level[0, 1] + slope * (left - level[0, 0]) - bottom)
    size = float(np.linalg.norm(quad[3] + quad[2] - quad[0] - quad[1]) / 2)
    return Baseline(points.astype(np.float32), turns, slope, offset, size)


def angle_of(line: Line) -> float:
    """Return by how many degrees, from -180 to 180, a line's text is turned clockwise."""
    quad = reading_quad(line).astype(np.float64)
    right, down = np.nan_to_num(quad[1] + quad[2] - quad[0] - quad[3], posinf=0, neginf=0)
    return float(np.rad2deg(np.arctan2(down, right)))


def outline_of(found: Line | Word | Block) -> Float32 | None:
    """Return the outline of what a rectangle with level sides doesn't describe, else None.

    The outline is float32 [K, 2].
    """
    if isinstance(found, Line) and found.polygon is not None:
        return found.polygon
    sides = np.roll(found.quad, -1, axis=0) - found.quad
    # Each side of a level quad changes either x or y, by less than a pixel for short sides.
    stray = np.abs(sides).min(axis=1)
    most = np.maximum(np.tan(np.deg2rad(STRAIGHT)) * np.abs(sides).max(axis=1), 1.0)
    return found.quad if (stray > most).any() else None


def percent(score: float) -> int:
    """Return a score from 0 to 1 as a whole number from 0 to 100; what isn't finite is 0."""
    return round(100 * share(score))


def share(score: float) -> float:
    """Return a score limited to the range from 0 to 1; what isn't finite is 0."""
    return float(min(max(score, 0.0), 1.0)) if np.isfinite(score) else 0.0


def _turned_back(points: Float64, quarter_turns: int) -> Float64:
    """Turn points [..., 2] counter-clockwise around the picture's top left corner."""
    x, y = points[..., 0], points[..., 1]
    turned = ((x, y), (y, -x), (-x, -y), (-y, x))[quarter_turns]
    return np.stack(turned, -1)
