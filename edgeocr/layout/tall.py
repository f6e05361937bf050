"""Tall regions: vertical text, such as vertical Chinese, and labels turned by 90 degrees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..postprocess.median import median
from .boxes import Boxes
from .scripts import is_east_asian

# A line runs downwards if its box is this many times as high as wide, and this many times as high
# as a line is thick. A lone tall character is only as high as a line.
TALL, HIGH = 1.5, 2.0
# Lines that run downwards belong to one block if they are at most this far apart, in thicknesses.
APART = 2.5
# A short piece, such as a number, continues a label if it is at most this many times as wide as the
# label is thick, if this share of its width is inside the label's, and if it is at most this far
# away, in thicknesses.
WIDEST, INSIDE, NEXT = 1.3, 0.7, 0.6


def runs_down(boxes: Boxes, texts: Sequence[str] | None) -> NDArray[np.bool_]:
    """Return which boxes [N] hold a line that runs downwards."""
    width, height = boxes.width, boxes.height
    thickness = median(np.minimum(width, height)) if len(boxes) else 0.0
    found = (height > TALL * width) & (height > HIGH * np.maximum(thickness, 1.0))
    if texts is not None:
        found &= np.array([len(text.strip()) != 1 for text in texts], bool)
    return np.asarray(found, bool)


def groups(
    boxes: Boxes, chosen: Sequence[int], texts: Sequence[str] | None
) -> tuple[list[list[int]], list[list[int]]]:
    """Tell vertical text from labels.

    Args:
        boxes: All boxes of a page.
        chosen: Indices of the boxes that run downwards.
        texts: The texts of all boxes, if known.

    Returns:
        The indices of each block of vertical text, and those of each label. A label consists of
        neighbouring lines most of which hold no East Asian characters or, if the texts aren't
        known, of a lone line.
    """
    rest = list(chosen)
    blocks: list[list[int]] = []
    labels: list[list[int]] = []
    while rest:
        block = [rest.pop()]
        for one in block:
            near = [other for other in rest if _near(boxes, one, other)]
            block.extend(near)
            rest = [other for other in rest if other not in near]
        if texts is None:
            is_text = len(block) > 1
        else:
            is_text = 2 * sum(is_east_asian(texts[i]) for i in block) >= len(block)
        (blocks if is_text else labels).append(sorted(block))
    return blocks, labels


def completed(labels: Sequence[list[int]], boxes: Boxes, down: Sequence[bool]) -> list[list[int]]:
    """Add short pieces, which are not taller than wide, to the labels that they continue.

    Args:
        labels: The indices of the boxes of each label.
        boxes: All boxes of a page.
        down: Which boxes run downwards.
    """
    found = [list(label) for label in labels]
    rest = [i for i, runs_down in enumerate(down) if not runs_down]
    for label in found:
        for one in label:
            pieces = [i for i in rest if _continues(boxes, one, i)]
            label.extend(pieces)
            rest = [i for i in rest if i not in pieces]
    return found


def _continues(boxes: Boxes, one: int, other: int) -> bool:
    """Return whether a box stands right above or below a piece of a label, and no wider."""
    thickness = float(boxes.width[one])
    shared = min(boxes.right[one], boxes.right[other]) - max(boxes.left[one], boxes.left[other])
    gap = max(boxes.top[one], boxes.top[other]) - min(boxes.bottom[one], boxes.bottom[other])
    return bool(
        boxes.width[other] <= WIDEST * thickness
        and shared >= INSIDE * boxes.width[other]
        and gap < NEXT * thickness
    )


def _near(boxes: Boxes, one: int, other: int) -> bool:
    thickness = max(float(boxes.width[one]), float(boxes.width[other]))
    x = max(boxes.left[one], boxes.left[other]) - min(boxes.right[one], boxes.right[other])
    y = max(boxes.top[one], boxes.top[other]) - min(boxes.bottom[one], boxes.bottom[other])
    return bool(max(x, y) < APART * thickness and min(x, y) < 0.5 * thickness)
