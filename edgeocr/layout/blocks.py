"""Divide rows into blocks: paragraphs, headings, and parts of tables."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .boxes import Boxes, Float64, median

# A row begins a block if it is farther below the row before it than is usual among these rows, by
# this share of a line's height; half of that is enough between a single line and a row of cells.
SPACE = 0.4
# A row also begins a block if it is this many times as high as the row before it, or if that row is
# this many times as high as it.
SIZE = 1.45
# A line also begins a block if it is indented by this many line heights (at least and at most), and
# the lines before and after it are not: they begin no farther than the third number from the usual
# place.
INDENT = (0.7, 4.0, 0.35)


def of_rows(boxes: Boxes, rows: list[list[int]]) -> Iterator[list[list[int]]]:
    """Yield the rows of each block.

    Args:
        boxes: The lines that the rows consist of.
        rows: Indices of each row's lines, in reading order.
    """
    if not rows:
        return
    tops, bottoms = _means(boxes.top, rows), _means(boxes.bottom, rows)
    heights = np.maximum(bottoms - tops, 1.0)
    steps = np.diff(tops + bottoms) / 2
    usual = median(steps) if len(steps) else 0.0
    height = median(heights)
    ratio = heights[1:] / heights[:-1]
    cells = np.array([len(row) > 1 for row in rows])
    # Two rows of cells may belong to the same table although their sizes differ.
    table = cells[1:] & cells[:-1]
    begins = steps > usual + SPACE * height
    begins |= (np.maximum(ratio, 1 / ratio) > SIZE) & ~table
    begins |= (cells[1:] != cells[:-1]) & (steps > usual + SPACE / 2 * height)
    if not cells.any():
        begins |= _indented(np.array([boxes.left[row[0]] for row in rows]), height)[1:]
    start = 0
    for end in [*(np.flatnonzero(begins) + 1).tolist(), len(rows)]:
        yield rows[start:end]
        start = end


def _means(values: Float64, rows: list[list[int]]) -> Float64:
    """Return the mean of the values of each row's lines; most rows have one line."""
    alone = values.tolist()
    return np.array([alone[row[0]] if len(row) == 1 else values[row].mean() for row in rows])


def _indented(left: Float64, height: float) -> NDArray[np.bool_]:
    """Return which lines [N], that begin at `left`, are the first ones of indented paragraphs."""
    least, most, stray = (share * height for share in INDENT)
    away = left - median(left)
    plain = np.abs(away) < stray
    found = (away > least) & (away < most)
    found[1:] &= plain[:-1]
    found[:-1] &= plain[1:]
    return np.asarray(found, bool)
