"""Outline texts that are given by their center lines, as SAST and PGNet do.

A text is described by a few points along its center line and, from each point, the offsets to the
upper and to the lower border.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .geometry import Float32
from .maps import STRIDE

Places = NDArray[np.integer]


def offsets(border: Float32, places: Places) -> NDArray[np.float64]:
    """Look up the offsets to both borders.

    Args:
        border: float32 [4, h, w], the border map.
        places: integer [N, K, 2], points as (y, x).

    Returns:
        float64 [N, K, 2, 2], offsets in map pixels to the upper and the lower border, y before x.
    """
    ways = border[:, places[..., 0], places[..., 1]]
    return np.moveaxis(ways, 0, -1).reshape(*places.shape[:2], 2, 2).astype(np.float64)


def outline(places: Places, ways: NDArray[np.float64], lengthening: float) -> Float32:
    """Make polygons of center lines.

    Args:
        places: integer [N, K, 2], points (y, x) on N center lines, in map pixels.
        ways: float64 [N, K, 2, 2], their offsets to both borders.
        lengthening: The share of its height by which a polygon grows at each end, because center
            lines end before their texts do.

    Returns:
        Polygons float32 [N, 2 · K, 2] in pixels of the network's input: the upper border in reading
        direction, then the lower one back.
    """
    borders = (places[:, :, None] + ways)[..., ::-1] * STRIDE
    polygons = np.concatenate([borders[:, :, 0], borders[:, ::-1, 1]], axis=1)
    middle = places.shape[1]
    # For each end: its two corners, the points next to them, and the pair whose distance is the
    # height. PaddleOCR measures the height where a section begins, at both ends.
    first = (0, 1, -1, -2, 0, -1)
    last = (middle - 1, middle - 2, middle, middle + 1, middle - 2, middle + 1)
    moved = polygons.copy()
    for upper, next_upper, lower, next_lower, above, below in (first, last):
        height = np.linalg.norm(polygons[:, above] - polygons[:, below], axis=1)
        step = polygons[:, upper] - polygons[:, next_upper]
        length = np.linalg.norm(step, axis=1)
        share = np.where(length > 1e-3, lengthening * height / np.maximum(length, 1e-3), 0)
        moved[:, upper] += share[:, None] * step
        moved[:, lower] += share[:, None] * (polygons[:, lower] - polygons[:, next_lower])
    longer: Float32 = moved.astype(np.float32)
    return longer
