"""Where lines, words and blocks stand, in the terms of document formats."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, ceil, degrees, floor, hypot, isfinite, radians, tan

import numpy as np
from numpy.typing import NDArray

from ..postprocess import bidi
from ..postprocess.geometry import TALL, Float32
from ..results.lines import Block, Line, Word, blocks_of
from ..results.read_page import ReadPage

Float64 = NDArray[np.float64]

# How far above the lower side of a line's quad its baseline is, as a share of the quad's height:
# with and without letters that hang below the baseline. Both are means over lines in two fonts and
# four sizes, read by the bundles `tiny` and `mobile`.
HANGING, LEVEL = 0.28, 0.15
HANGING_LETTERS = frozenset("gjpqy,;()")
# How far the sides of a quad that stands level may slope: by half a degree.
STRAIGHT = tan(radians(0.5))


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
    """Return the smallest rectangle around points [..., 2], cut off at the edges of the page.

    Coordinates that are not finite count as 0.
    """
    x, y = zip(*finite_points(points), strict=True)
    left = min(max(floor(min(x)), 0), max(page.width - 1, 0))
    top = min(max(floor(min(y)), 0), max(page.height - 1, 0))
    right = max(min(ceil(max(x)), page.width), left + 1)
    bottom = max(min(ceil(max(y)), page.height), top + 1)
    return Box(left, top, right, bottom)


def reading_quad(line: Line) -> Float32:
    """Return the quad of a line, float32 [4, 2], from the corner at which reading begins.

    The text runs along the first side of the result. The words show the direction of the text; in a
    line without words, several characters in a quad much higher than wide are taken to run down.
    """
    corners = line.quad.tolist()
    sides = [
        (x - a, y - b) for (a, b), (x, y) in zip(corners, corners[1:] + corners[:1], strict=True)
    ]
    lengths = [hypot(*side) for side in sides]
    right, down = _direction(line.words)
    if right or down:
        along = [
            (x * right + y * down) / max(length, 1e-6)
            for (x, y), length in zip(sides, lengths, strict=True)
        ]
        first = along.index(max(along))
    else:
        first = int(lengths[3] >= TALL * lengths[0] and len(line.text) > 1)
    return np.roll(line.quad, -first, axis=0) if first else line.quad


def baseline_of(line: Line) -> Baseline:
    """Return the baseline of a line, which is estimated from its quad and its text."""
    quad = np.nan_to_num(reading_quad(line).astype(np.float64), posinf=0, neginf=0)
    above = HANGING if HANGING_LETTERS & set(line.text) else LEVEL
    points = quad[[3, 2]] + above * (quad[[0, 1]] - quad[[3, 2]])
    turns = round(_angle_of(quad) / 90) % 4
    (x, y), (end_x, end_y) = _turned_back(points, turns)
    seen = _turned_back(quad, turns)
    slope = (end_y - y) / (end_x - x) if end_x > x else 0.0
    left, bottom = min(x for x, _ in seen), max(y for _, y in seen)
    right, down = (quad[3] + quad[2] - quad[0] - quad[1]).tolist()
    size = hypot(right, down) / 2
    return Baseline(points.astype(np.float32), turns, slope, y + slope * (left - x) - bottom, size)


def angle_of(line: Line) -> float:
    """Return by how many degrees, from -180 to 180, a line's text is turned clockwise."""
    return _angle_of(reading_quad(line))


def outline_of(found: Line | Word | Block) -> Float32 | None:
    """Return an outline that isn't a rectangle with level sides; None for such a rectangle.

    The outline is float32 [K, 2].
    """
    if isinstance(found, Line) and found.polygon is not None:
        return found.polygon
    corners = found.quad.tolist()
    for (a, b), (x, y) in zip(corners, corners[1:] + corners[:1], strict=True):
        # Each side of a level quad changes either x or y, by less than a pixel for short sides.
        short, long = sorted((abs(x - a), abs(y - b)))
        if short > max(STRAIGHT * long, 1.0):
            return found.quad
    return None


def runs_leftwards(text: str) -> bool:
    """Tell whether a text is read from right to left, as a whole."""
    return bidi.is_right_to_left(text) and bidi.direction_of(text) == "right-to-left"


def finite_points(points: Float32) -> list[tuple[float, float]]:
    """Return points [..., 2] as plain numbers; coordinates that are not finite are 0.

    NumPy takes longer to compute with a few points than Python does.
    """
    return [(_finite(x), _finite(y)) for x, y in points.reshape(-1, 2).tolist()]


def percent(score: float) -> int:
    """Return a score from 0 to 1 as a whole number from 0 to 100; what isn't finite is 0."""
    return round(100 * share(score))


def share(score: float) -> float:
    """Return a score limited to the range from 0 to 1; what isn't finite is 0."""
    return min(max(float(score), 0.0), 1.0) if isfinite(score) else 0.0


def _direction(words: tuple[Word, ...]) -> tuple[float, float]:
    """Return the sum of the words' directions as (right, down) in pixels; (0, 0) for no words."""
    right = down = 0.0
    for word in words:
        (a, b), (x, y) = word.quad[:2].tolist()
        right, down = right + x - a, down + y - b
    return _finite(right), _finite(down)


def _angle_of(quad: Float32 | Float64) -> float:
    right, down = (quad[1] + quad[2] - quad[0] - quad[3]).tolist()
    return degrees(atan2(_finite(down), _finite(right)))


def _turned_back(points: Float64, quarter_turns: int) -> list[tuple[float, float]]:
    """Turn points [N, 2] counter-clockwise around the picture's top left corner."""
    turned = []
    for x, y in points.tolist():
        turned.append(((x, y), (y, -x), (-x, -y), (-y, x))[quarter_turns])
    return turned


def _finite(number: float) -> float:
    return number if isfinite(number) else 0.0
