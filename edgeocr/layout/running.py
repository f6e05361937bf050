"""The rule that tells columns, which are read one after the other, from the cells of rows.

A gutter separates columns if

1. the lines on both of its sides run on: they are long, begin at the same place, and most reach
   the end of their column, or, where the texts are known, go on in the middle of a sentence; or
2. the lines on one side run on, and the lines of the two sides are not at the same heights; or
3. there are many lines on both sides, and hardly any two are at the same height.

Otherwise, what stands side by side is a row: a label and its value, an article and its price.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from .boxes import Boxes, Float64, Indices, median
from .scripts import goes_on, is_east_asian

# Lines that run on have a median length of at least this many times their height: LONG_IF_ON if
# their texts say that they go on, LONG_IF_NOT if the texts say that they don't, otherwise LONG. ...
LONG, LONG_IF_ON, LONG_IF_NOT = 6.5, 5.0, 9.0
# ... At least the share BEGIN of them begins within INDENT line heights of the column's edge, ...
INDENT, BEGIN = 1.0, 0.55
# ... and the share FULL ends within the last 30 % (END) of the column's width. In prose, these are
# all but the last lines of paragraphs; of names of random lengths, less than half.
END, FULL = 0.3, 0.6
# That share if texts say that lines go on, and if they say that lines don't go on. They say so if
# the share of lines with a small first letter is at least ON, and at most NOT_ON.
FULL_IF_ON, FULL_IF_NOT = 0.7, 0.85
ON, NOT_ON = 0.35, 0.12
# Lines with a pitch of more than this many line heights are more often rows than text, so they need
# the share for lines that don't go on.
SPARSE = 1.55
# East Asian text is set with wider pitches, because none of its characters rises or falls.
# The number was chosen on 600 drawn sheets of Chinese columns and 600 of Chinese tables.
SPARSE_EAST_ASIAN = 1.75
# What the last lines of paragraphs end with.
ENDS = (".", "!", "?", ":", "\u3002", "\uff01", "\uff1f", "\u061f")
# Two lines are at the same height if their middles differ by less than this share of a line.
LEVEL = 0.25
# A gutter separates columns if fewer lines than this share have a line at the same height on the
# other side: the first number where one side runs on, the second where neither does.
SOME_LEVEL, FEW_LEVEL = 0.6, 0.3
# A line stands beside another one if their middles differ by less than this many line heights:
# lines of two columns need not be at the same heights.
BESIDE = 0.9
# A column next to a gutter is at most this wide, as a multiple of the third quartile of the lines'
# widths; and it has at least this share of the lines that face the gutter.
COLUMN, NEAREST = 1.35, 0.35
# The least number of lines on either side for a judgement, and for a judgement by heights alone.
LEAST, MANY = 3, 8


class Verdict(Enum):
    """How the lines on the two sides of a gutter are read."""

    COLUMNS = "columns"
    ROWS = "rows"
    UNKNOWN = "unknown"


def judge(
    boxes: Boxes, texts: Sequence[str] | None, left: Indices, right: Indices, least: int = LEAST
) -> Verdict:
    """Tell whether a gutter separates columns or cells.

    Args:
        boxes: Lines of a page.
        texts: Their texts, if known.
        left: Indices of the lines before the gutter.
        right: Indices of those behind it.
        least: The least number of lines on either side for a judgement.
    """
    both = np.concatenate([left, right])
    solid = bool(boxes.solid[both].any())
    height = boxes.take(both).line_height() if solid else max(median(boxes.height[both]), 1.0)
    if not solid:
        if min(len(left), len(right)) < least:
            return Verdict.UNKNOWN
        # If no line is long, columns can be told only by the heights of many lines.
        if min(len(left), len(right)) < MANY and not may_run_on(boxes, both):
            return Verdict.ROWS
    left = left[facing(boxes.take(left).mirrored(), height)]
    right = right[facing(boxes.take(right), height)]
    if solid and (boxes.solid[left].all() or boxes.solid[right].all()):
        return Verdict.COLUMNS
    if min(len(left), len(right)) < least:
        return Verdict.UNKNOWN
    number = sum(
        _runs_on(boxes, texts, side[_nearest(boxes.take(side), sign)], height)
        for side, sign in ((left, 1), (right, -1))
    )
    if number == 2:
        return Verdict.COLUMNS
    if number == 0 and min(len(left), len(right)) < MANY:
        return Verdict.ROWS
    level = _level(boxes.middle[left], boxes.middle[right], height)
    return Verdict.COLUMNS if level < (SOME_LEVEL if number else FEW_LEVEL) else Verdict.ROWS


def may_run_on(boxes: Boxes, chosen: Indices) -> bool:
    """Return whether at least a few of the chosen lines are as long as running text."""
    height = boxes.bottom[chosen] - boxes.top[chosen]
    width = boxes.right[chosen] - boxes.left[chosen]
    solid = bool(boxes.solid[chosen].any())
    return solid or int((width >= LONG_IF_ON * median(height)).sum()) >= LEAST


def facing(boxes: Boxes, height: float) -> NDArray[np.bool_]:
    """Return which boxes [N] have no other box between them and the gutter in their row.

    Args:
        boxes: Lines on one side of a gutter, which is to their left.
        height: The usual height of a line.
    """
    order = np.argsort(boxes.middle)
    middle, left = boxes.middle[order], boxes.left[order]
    right = np.maximum(boxes.right[order], left + 0.5 * height)
    low = np.searchsorted(middle, middle - BESIDE * height)
    high = np.searchsorted(middle, middle + BESIDE * height, side="right")
    spans = np.stack([low, high], 1).ravel()
    # Where the first box of each row ends; a row is a box and its neighbours in height.
    first = np.minimum.reduceat(np.append(right, np.inf), spans)[::2]
    found = np.empty(len(boxes), bool)
    found[order] = first > left + 0.3 * height
    for k in np.flatnonzero(boxes.solid).tolist():
        beside = (boxes.top < boxes.bottom[k]) & (boxes.bottom > boxes.top[k])
        found &= ~(beside & (boxes.right[k] <= boxes.left + 0.3 * height))
    return found


def _nearest(boxes: Boxes, side: int) -> NDArray[np.bool_]:
    """Return which boxes [N] belong to the column next to a gutter.

    Where that column is short, lines of the next one face the gutter as well.

    Args:
        boxes: Boxes that face a gutter.
        side: 1 if the gutter is at their right, -1 if it is at their left.
    """
    width = float(np.sort(boxes.width)[int(0.75 * (len(boxes) - 1))])
    if side == 1:
        found = boxes.left > boxes.right.max() - COLUMN * width
    else:
        found = boxes.left < boxes.left.min() + (COLUMN - 0.5) * width
    enough = found.sum() >= max(LEAST, NEAREST * len(boxes))
    return np.asarray(found if enough else np.ones_like(found), bool)


def _runs_on(boxes: Boxes, texts: Sequence[str] | None, chosen: Indices, height: float) -> bool:
    """Tell whether the chosen lines look like running text, such as paragraphs."""
    if len(chosen) < 2:
        return False
    left, right = boxes.left[chosen], boxes.right[chosen]
    width = median(right - left)
    if width < LONG_IF_ON * height:
        return False
    begin, end = median(left), float(np.sort(right)[int(0.9 * (len(right) - 1))])
    if (np.abs(left - begin) < INDENT * height).sum() < BEGIN * len(chosen):
        return False
    ending = right > end - END * (end - begin)
    on = None
    if texts is not None:
        read = [texts[i] for i in chosen.tolist()]
        on = goes_on(read)
        # The length of the last line of a paragraph tells nothing.
        last = np.array([text.rstrip().endswith(ENDS) for text in read], bool)
        ending = ending[ending | ~last]
    long, full = LONG, FULL
    if on is not None and on >= ON:
        long, full = LONG_IF_ON, FULL_IF_ON
    elif on is not None and on <= NOT_ON:
        long, full = LONG_IF_NOT, FULL_IF_NOT
    pitch = median(np.diff(np.sort(boxes.middle[chosen])))
    east_asian = texts is not None and is_east_asian("".join(texts[i] for i in chosen.tolist()))
    if pitch > (SPARSE_EAST_ASIAN if east_asian else SPARSE) * height:
        full = max(full, FULL_IF_NOT)
    return bool(width >= long * height and ending.mean() >= full)


def _level(left: Float64, right: Float64, height: float) -> float:
    """Return the share of lines, on the side with fewer, that face one on the other side."""
    few, many = sorted((np.sort(left), np.sort(right)), key=len)
    places = np.searchsorted(many, few)
    below = np.abs(few - many[np.minimum(places, len(many) - 1)])
    above = np.abs(few - many[np.maximum(places - 1, 0)])
    return float((np.minimum(below, above) < LEVEL * height).mean())
