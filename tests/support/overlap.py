"""Measure how much polygons overlap, to compare regions with labels or with an oracle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Polygons = Sequence[NDArray[Any]] | NDArray[Any]


def shape(points: NDArray[Any]) -> shapely.Geometry:
    """Return a valid polygon with these corners [K, 2]."""
    polygon = shapely.Polygon(points)
    return polygon if polygon.is_valid else polygon.buffer(0)


def iou(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the intersection over union of two polygons [K, 2]."""
    return float(_overlaps([a], [b])[0, 0])


def pairs(
    found: Polygons,
    expected: Polygons,
    least: float = 0.5,
) -> dict[int, int]:
    """Match polygons one to one, the best overlaps first.

    Args:
        found: Polygons [K, 2].
        expected: Polygons [K, 2].
        least: The intersection over union that a pair must have.

    Returns:
        The index of the expected polygon for each found one that has a partner.
    """
    table = _overlaps(found, expected)
    matched: dict[int, int] = {}
    for flat in np.argsort(-table, axis=None, kind="stable"):
        i, j = (int(k) for k in np.unravel_index(flat, table.shape))
        if table[i, j] < least:
            break
        if i not in matched and j not in matched.values():
            matched[i] = j
    return matched


def corner_distance(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the largest distance along x or y of two quads' corners, whichever corner is first."""
    return min(float(np.abs(np.roll(a, turn, axis=0) - b).max()) for turn in range(4))


def _overlaps(
    found: Polygons, expected: Sequence[NDArray[Any]] | NDArray[Any]
) -> NDArray[np.float64]:
    """Return the intersection over union of each pair, [found, expected]."""
    first, second = (
        np.array([shape(each) for each in polygons], object).reshape(-1)
        for polygons in (found, expected)
    )
    common = shapely.area(shapely.intersection(first[:, None], second[None]))
    union = shapely.area(first)[:, None] + shapely.area(second)[None] - common
    overlaps: NDArray[np.float64] = common / np.maximum(union, 1e-9)
    return overlaps
