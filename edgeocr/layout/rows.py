"""Boxes that stand side by side: pieces of one line, and the cells of one row."""

from __future__ import annotations

import numpy as np

from .boxes import Boxes

# Pieces of a line are at most the first number of line heights apart, and overlap by at most the
# second.
SPACE, OVERLAP = 0.35, 0.8
# The greatest difference of the middles of two cells of a row, as a share of the greater height.
REACH = 0.3


def joined_pieces(boxes: Boxes) -> list[list[int]]:
    """Group boxes that are pieces of one line: equally high, level, and hardly apart.

    Returns:
        The indices of each line's pieces from the left; most lines have one.
    """
    if len(boxes) < 2:
        return [[i] for i in range(len(boxes))]
    # Pairs whose middles are at about the same height: each box, and those that follow it.
    order = np.argsort(boxes.middle, kind="stable")
    sorted_boxes = boxes.take(order)
    middle, height = sorted_boxes.middle, sorted_boxes.height
    last = np.searchsorted(middle, middle + REACH * height)
    number = np.maximum(last - np.arange(len(order)) - 1, 0)
    ones = np.repeat(np.arange(len(order)), number)
    others = ones + 1 + np.arange(len(ones)) - np.repeat(np.cumsum(number) - number, number)
    left, right, solid = sorted_boxes.left, sorted_boxes.right, sorted_boxes.solid
    swap = left[others] < left[ones]
    ones, others = np.where(swap, others, ones), np.where(swap, ones, others)
    least = np.minimum(height[ones], height[others])
    gap = left[others] - right[ones]
    fits = (gap < SPACE * least) & (gap > -OVERLAP * least)
    fits &= np.abs(middle[ones] - middle[others]) < REACH * least
    fits &= np.maximum(height[ones], height[others]) < 1.6 * least
    fits &= (left[others] > left[ones]) & ~(solid[ones] | solid[others])
    ones, others = ones[fits], others[fits]
    nearest = np.argsort(np.abs(middle[ones] - middle[others]), kind="stable")
    ones, others = order[ones[nearest]], order[others[nearest]]
    after: dict[int, int] = {}
    before: dict[int, int] = {}
    for one, other in zip(ones.tolist(), others.tolist(), strict=True):
        if one not in after and other not in before:
            after[one], before[other] = other, one
    lines = []
    for i in range(len(boxes)):
        if i not in before:
            line = [i]
            while line[-1] in after:
                line.append(after[line[-1]])
            lines.append(line)
    return lines


def rows(boxes: Boxes) -> list[list[int]]:
    """Group boxes into rows.

    A box joins the row whose nearest box has its middle at about the same height, unless a box of
    that row stands above or below the one that would join. So a row may be uneven, or bend.

    Returns:
        The indices of each row's boxes from the left; rows from the top.
    """
    middle, height = boxes.middle.tolist(), boxes.height.tolist()
    left, right = boxes.left.tolist(), boxes.right.tolist()
    tallest = max(height, default=0.0)
    found: list[list[int]] = []
    first_open = 0
    lowest: list[float] = []
    for i in np.argsort(boxes.middle, kind="stable").tolist():
        best, row_of_best = np.inf, -1
        while first_open < len(found) and middle[i] - lowest[first_open] > tallest:
            first_open += 1
        for k in range(first_open, len(found)):
            away = _away(i, found[k], middle, height, left, right)
            if away < best:
                best, row_of_best = away, k
        if best <= 1:
            found[row_of_best].append(i)
            lowest[row_of_best] = max(lowest[row_of_best], middle[i])
        else:
            found.append([i])
            lowest.append(middle[i])
    found.sort(key=lambda row: sum(middle[i] for i in row) / len(row))
    return [sorted(row, key=lambda i: (left[i], middle[i])) for row in found]


def _away(
    i: int,
    row: list[int],
    middle: list[float],
    height: list[float],
    left: list[float],
    right: list[float],
) -> float:
    """Return how far a box is above or below a row: at most 1 if the box can belong to the row."""
    nearest, gap = -1, np.inf
    for j in row:
        apart = max(left[j] - right[i], left[i] - right[j])
        if apart < -0.5 * min(right[i] - left[i], right[j] - left[j]):
            return np.inf
        if apart < gap:
            nearest, gap = j, apart
    reach = max(REACH * max(height[i], height[nearest]), 1.0)
    return abs(middle[i] - middle[nearest]) / reach
