"""Part rows into blocks: paragraphs, headings, and parts of tables."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .boxes import Boxes

# A space between rows begins a block if it exceeds the usual one of these rows by this share of a
# line's height.
SPACE = 0.4
# So does a line that is this many times as high as the one before it, or the other way round.
SIZE = 1.45


def of_rows(boxes: Boxes, rows: list[list[int]]) -> Iterator[list[list[int]]]:
    """Yield the rows of each block.

    Args:
        boxes: The lines that the rows consist of.
        rows: Indices of each row's lines, in reading order.
    """
    if not rows:
        return
    tops = np.array([boxes.top[row].mean() for row in rows])
    bottoms = np.array([boxes.bottom[row].mean() for row in rows])
    heights = bottoms - tops
    spaces = tops[1:] - bottoms[:-1]
    usual = float(np.median(spaces)) if len(spaces) else 0.0
    height = float(np.median(heights))
    ratio = np.maximum(heights[1:], heights[:-1]) / np.maximum(
        np.minimum(heights[1:], heights[:-1]), 1.0
    )
    cells = np.array([len(row) > 1 for row in rows])
    # Two headings of a table part it from what is around it only if there is space as well.
    table = cells[1:] & cells[:-1]
    begins = (spaces > usual + SPACE * height) | ((ratio > SIZE) & ~table)
    begins |= (cells[1:] != cells[:-1]) & (spaces > usual + SPACE / 2 * height)
    start = 0
    for end in [*(np.flatnonzero(begins) + 1).tolist(), len(rows)]:
        yield rows[start:end]
        start = end
