"""Run a network on a place of a picture in overlapping tiles, as if it were one large input."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from ..bundle.manifest import Resize
from ..images import Image

# Neighbouring tiles share this many pixels of the network's input. The seam is in the middle of the
# shared pixels, so each tile sees half of them beyond the seam: more than the height of two lines
# of text.
OVERLAP = 96
# cv2's linear interpolation skips pixels if a picture is reduced to less than this share.
AREA_BELOW = 0.5


@dataclass(frozen=True)
class Place:
    """A part of a picture, and the scale at which the network sees it.

    Attributes:
        left: First column of the picture.
        top: First row.
        right: The column after the last one.
        bottom: The row after the last one.
        scale: The network's pixels per pixel of the picture.
    """

    left: int
    top: int
    right: int
    bottom: int
    scale: float

    @property
    def width(self) -> int:
        """The width of the place in pixels of the network's input."""
        return max(1, round((self.right - self.left) * self.scale))

    @property
    def height(self) -> int:
        """The height of the place in pixels of the network's input."""
        return max(1, round((self.bottom - self.top) * self.scale))


@dataclass(frozen=True)
class Grid:
    """Equal tiles that cover a place.

    Attributes:
        height: Rows of one tile.
        width: Columns of one tile.
        rows: The first pixel row of each row of tiles, in pixels of the place at its scale.
        columns: The first pixel column of each column of tiles.
    """

    height: int
    width: int
    rows: tuple[int, ...]
    columns: tuple[int, ...]

    @property
    def pixels(self) -> int:
        """The pixels of all tiles together."""
        return self.height * self.width * len(self)

    def __len__(self) -> int:
        """Return the number of tiles."""
        return len(self.rows) * len(self.columns)

    def tiles(self, place: Place) -> Iterator[Tile]:
        """Yield the tiles of a place, row by row."""
        for top, rows in _seams(self.rows, self.height, place.height):
            for left, columns in _seams(self.columns, self.width, place.width):
                yield Tile(top, left, self.height, self.width, rows, columns)


def grid(height: int, width: int, rule: Resize, *, fixed: bool = False) -> Grid:
    """Choose the tiles that cover a height and width with the fewest pixels.

    Args:
        height: Rows to cover, in pixels of the network's input.
        width: Columns to cover.
        rule: Gives the most pixels of a tile, the number whose multiples its sides are, and the
            fixed sizes.
        fixed: Give tiles one of the rule's fixed sizes.
    """
    if fixed:
        sizes: Iterator[tuple[int, int]] = ((size[0], size[1]) for size in rule.sizes)
    else:
        sizes = _sizes(height, width, rule)
    grids = [
        Grid(high, wide, _starts(height, high), _starts(width, wide))
        for high, wide in sizes
        if _covers(high, height) and _covers(wide, width)
    ]
    if grids:
        return min(grids, key=lambda each: (each.pixels, len(each.columns)))
    # The limit leaves no room for an overlap: the largest square within it, tiled side by side.
    side = max(1, math.isqrt(rule.max_pixels) // rule.multiple) * rule.multiple
    high, wide = max(rule.sizes, key=math.prod) if fixed else (side, side)
    return Grid(high, wide, _starts(height, high), _starts(width, wide))


@dataclass(frozen=True)
class Tile:
    """One tile, and the part of the place's map that comes from it.

    Where tiles overlap, each gives the half on its own side, so that every pixel of the map comes
    from a tile that sees the surroundings of that pixel.

    Attributes:
        top: Its first row, in pixels of the place at its scale.
        left: Its first column.
        height: Its rows.
        width: Its columns.
        rows: The first row of the map that it gives, and the one after the last.
        columns: The first column of the map that it gives, and the one after the last.
    """

    top: int
    left: int
    height: int
    width: int
    rows: tuple[int, int]
    columns: tuple[int, int]

    def cut(self, image: Image, place: Place) -> Image:
        """Cut the tile out of the picture, at the place's scale.

        A tile that is larger than its place shows what is around the place. Beyond the picture it
        repeats the picture's edge.

        Args:
            image: uint8 [H, W, 3], the whole picture.
            place: The place that the tile is part of.

        Returns:
            uint8 [height, width, 3].
        """
        scale = place.scale
        y, x = place.top + round(self.top / scale), place.left + round(self.left / scale)
        part = image[y : y + round(self.height / scale), x : x + round(self.width / scale)]
        inside = (
            min(self.height, max(1, round(part.shape[0] * scale))),
            min(self.width, max(1, round(part.shape[1] * scale))),
        )
        if part.shape[:2] != inside:
            method = cv2.INTER_AREA if scale < AREA_BELOW else cv2.INTER_LINEAR
            part = cv2.resize(part, inside[::-1], interpolation=method).astype(np.uint8, copy=False)
        below, right = self.height - inside[0], self.width - inside[1]
        if below or right:
            part = cv2.copyMakeBorder(part, 0, below, 0, right, cv2.BORDER_REPLICATE).astype(
                np.uint8, copy=False
            )
        return np.ascontiguousarray(part)

    def paste(self, probability: NDArray[np.floating], joined: NDArray[np.uint8]) -> None:
        """Put the tile's part of its map into the place's map, times 255.

        Args:
            probability: float [height, width], what the network returns for the tile.
            joined: uint8 [height, width of the place at its scale], which is changed.
        """
        (first_row, last_row), (first, last) = self.rows, self.columns
        part = probability[
            first_row - self.top : last_row - self.top, first - self.left : last - self.left
        ]
        with np.errstate(invalid="ignore"):  # the sum of infinities of both signs
            if not np.isfinite(part.sum()):
                part = np.nan_to_num(part, posinf=0.0, neginf=0.0)
        joined[first_row:last_row, first:last] = cv2.convertScaleAbs(np.maximum(part, 0), alpha=255)


def _sizes(height: int, width: int, rule: Resize) -> Iterator[tuple[int, int]]:
    """Yield the best size of tiles within the rule's limits for each number of columns."""
    step = rule.multiple
    for columns in range(1, 2 + width // OVERLAP):
        wide = _up((width + (columns - 1) * OVERLAP) / columns, step)
        most = rule.max_pixels // wide // step * step
        if not most:
            continue
        rows = 1 if height <= most else math.ceil((height - OVERLAP) / max(1, most - OVERLAP))
        yield min(most, _up((height + (rows - 1) * OVERLAP) / rows, step)), wide


def _up(value: float, step: int) -> int:
    """Round up to a multiple of `step`."""
    return math.ceil(value / step) * step


def _covers(side: int, whole: int) -> bool:
    """Return whether tiles of this side cover the whole with a worthwhile overlap."""
    return side >= whole or side >= 2 * OVERLAP


def _starts(whole: int, side: int) -> tuple[int, ...]:
    """Return where tiles of this side begin, so that they overlap evenly and end with the whole."""
    if whole <= side:
        return (0,)
    overlap = OVERLAP if side >= 2 * OVERLAP else 0
    number = math.ceil((whole - overlap) / (side - overlap))
    return tuple(round(i * (whole - side) / (number - 1)) for i in range(number))


def _seams(starts: tuple[int, ...], side: int, whole: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield where each tile begins, and the first and the last position that it gives the map."""
    middles = [(before + side + after) // 2 for before, after in pairwise(starts)]
    yield from zip(starts, zip([0, *middles], [*middles, whole], strict=True), strict=True)
