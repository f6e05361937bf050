"""The overlap of polygons, to compare regions with labels or with an oracle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Polygons = Sequence[NDArray[Any]] | NDArray[Any]


def shape(points: NDArray[Any]) -> shapely.Geometry:
    """Return a valid polygon of the points."""
    polygon = shapely.Polygon(points)
    return polygon if polygon.is_valid else polygon.buffer(0)


def iou(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the intersection over union of two polygons."""
    first, second = shape(a), shape(b)
    common = first.intersection(second).area
    return common / max(first.area + second.area - common, 1e-9)


def pairs(found: Polygons, expected: Polygons, least: float = 0.5) -> dict[int, int]:
    """Pair polygons one to one, best overlaps first.

    Args:
        found: Polygons [K, 2].
        expected: Polygons [K, 2].
        least: Smallest intersection over union of a pair.

    Returns:
        The index in `expected` by the index in `found`.
    """
    table = np.array([[iou(a, b) for b in expected] for a in found])
    table = table.reshape(len(found), len(expected))
    matched: dict[int, int] = {}
    for flat in np.argsort(-table, axis=None, kind="stable"):
        i, j = (int(k) for k in np.unravel_index(flat, table.shape))
        if table[i, j] < least:
            break
        if i not in matched and j not in matched.values():
            matched[i] = j
    return matched


def corner_distance(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the largest distance along x or y of two quads' corners, whichever comes first."""
    return min(float(np.abs(np.roll(a, turn, axis=0) - b).max()) for turn in range(4))
