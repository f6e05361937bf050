"""Put regions into reading order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .page import Located
from .postprocess.geometry import Float32


def in_reading_order(found: Sequence[Located]) -> list[Located]:
    """Sort lines or regions by the reading order of their quads."""
    quads = np.array([each.quad for each in found], np.float32).reshape(-1, 4, 2)
    return [found[i] for i in reading_order(quads)]


def reading_order(quads: Float32) -> list[int]:
    """Return the order in which quads are read: rows from the top, each row from the left.

    A region belongs to a row if its vertical centre lies within the middle half of the row's first
    region, or the other way round, so that an uneven row stays together. Rows may slant: the page
    is first levelled by the median direction of its wide regions.

    Args:
        quads: float32 [N, 4, 2], clockwise from the top left.

    Returns:
        The N indices of the quads in reading order.
    """
    if not len(quads):
        return []
    quads = _levelled(quads)
    top, bottom = quads[..., 1].min(axis=1), quads[..., 1].max(axis=1)
    middle, left = (top + bottom) / 2, quads[..., 0].min(axis=1)
    # A tall region (vertical text) would swallow all rows beside it, so only its top counts.
    width = quads[..., 0].max(axis=1) - left
    tall = bottom - top > 2 * width
    height = np.where(tall, width, bottom - top)
    middle = np.where(tall, top + height / 2, middle)

    order: list[int] = []
    rest = np.argsort(middle, kind="stable")
    while len(rest):
        first = rest[0]
        reach = np.maximum(height[first], height[rest]) / 4
        near = np.abs(middle[rest] - middle[first]) <= np.maximum(reach, 1)
        row = rest[near]
        order.extend(row[np.argsort(left[row], kind="stable")].tolist())
        rest = rest[~near]
    return order


def _levelled(quads: Float32) -> Float32:
    """Turn quads [N, 4, 2] so that the median direction of the wide ones is horizontal."""
    along = quads[:, 1] - quads[:, 0]
    wide = np.linalg.norm(along, axis=1) > 2 * np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1)
    if not wide.any():
        return quads
    slant = np.median(np.arctan2(along[wide, 1], along[wide, 0]))
    cos, sin = np.cos(slant), np.sin(slant)
    return np.asarray(quads @ np.array([[cos, -sin], [sin, cos]]), np.float32)
