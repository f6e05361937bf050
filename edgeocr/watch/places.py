"""Choose which parts of a frame to look at: where it differs, and all of the lines there."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from ..detect import Box
from ..postprocess.geometry import Float32
from .changes import Change

# If the boxes cover at least this share of the picture, the whole picture is looked at instead.
WHOLE = 0.6


def places(change: Change, quads: Iterable[Float32], height: int, width: int) -> list[Box]:
    """Return the boxes to look at.

    Each line lies wholly in a box or wholly outside, and the tiles that differ are surrounded by
    tiles that don't.

    Args:
        change: How the picture differs.
        quads: The quads of the known lines, float32 [4, 2] each, in pixels of the picture.
        height: Height of the picture in pixels.
        width: Width of the picture in pixels.

    Returns:
        Boxes that don't overlap; a single one of the whole picture if they would cover most of it.
    """
    whole = (0, 0, width, height)
    if not change:
        return []
    grown = cv2.dilate(change.tiles.astype(np.uint8), np.ones((3, 3), np.uint8))
    count, _, statistics, _ = cv2.connectedComponentsWithStats(grown)
    side = change.side
    boxes = [
        (left * side, top * side, min(width, (left + w) * side), min(height, (top + h) * side))
        for left, top, w, h, _ in statistics[1:count].tolist()
    ]
    lines = [_around(quad, height, width) for quad in quads]
    while True:
        merged = _merged(boxes, lines)
        if merged == boxes:
            break
        boxes = merged
    if sum(map(_area, boxes)) >= WHOLE * _area(whole):
        return [whole]
    return boxes


def is_cut_off(quad: Float32, boxes: Iterable[Box], height: int, width: int) -> bool:
    """Tell whether a line touches a side of its box that is not a side of the picture."""
    left, top = quad.min(axis=0).tolist()
    right, bottom = quad.max(axis=0).tolist()
    x, y = (left + right) / 2, (top + bottom) / 2
    return any(
        (left <= box[0] + 1 and box[0] > 0)
        or (top <= box[1] + 1 and box[1] > 0)
        or (right >= box[2] - 2 and box[2] < width)
        or (bottom >= box[3] - 2 and box[3] < height)
        for box in boxes
        if box[0] <= x < box[2] and box[1] <= y < box[3]
    )


def grown(quad: Float32) -> Float32:
    """Return the rectangle around a line, with a margin of the line's height, float32 [4, 2]."""
    (left, top), (right, bottom) = quad.min(axis=0), quad.max(axis=0)
    margin = min(right - left, bottom - top)
    left, top, right, bottom = left - margin, top - margin, right + margin, bottom + margin
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def _around(quad: Float32, height: int, width: int) -> Box:
    """Return the box around a line, with a margin of half the line's height."""
    left, top = quad.min(axis=0).tolist()
    right, bottom = quad.max(axis=0).tolist()
    margin = min(right - left, bottom - top) / 2
    return (
        max(0, int(left - margin)),
        max(0, int(top - margin)),
        min(width, int(right + margin) + 2),
        min(height, int(bottom + margin) + 2),
    )


def _merged(boxes: list[Box], lines: list[Box]) -> list[Box]:
    """Extend the boxes to the lines that they touch, and unite boxes that overlap."""
    merged: list[Box] = []
    for each in boxes:
        box = each
        for line in lines:
            if _overlap(box, line):
                box = _union(box, line)
        for other in [other for other in merged if _overlap(box, other)]:
            merged.remove(other)
            box = _union(box, other)
        merged.append(box)
    return merged


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _union(one: Box, other: Box) -> Box:
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[2], other[2]),
        max(one[3], other[3]),
    )


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])
