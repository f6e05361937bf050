"""Match outlines of one picture that stand at the same place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import shapely

# The outline of a line, float [K, 2] with K >= 3, in pixels.
Polygon: TypeAlias = NDArray[np.floating]

# The intersection over union from which two outlines count as the same line, as ICDAR's protocols
# of detection have it.
IOU = 0.5


def pairs(ones: Sequence[Polygon], others: Sequence[Polygon]) -> dict[int, int]:
    """Match outlines that overlap, best overlaps first.

    Args:
        ones: Outlines in a picture.
        others: Other outlines in the same picture.

    Returns:
        Places in `others`, by the places in `ones` that they match; each at most once.
    """
    if not ones or not others:
        return {}
    import shapely  # not above: the records of agreements are imported without comparing anything

    tree = shapely.STRtree([shape_of(each) for each in others])
    overlaps = []
    for i, shape in enumerate(map(shape_of, ones)):
        for j in tree.query(shape):
            if (overlap := iou(shape, tree.geometries[j])) >= IOU:
                overlaps.append((overlap, i, int(j)))
    found: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in sorted(overlaps, reverse=True):
        if i not in found and j not in taken:
            found[i] = j
            taken.add(j)
    return found


def same_place(one: Polygon, other: Polygon) -> bool:
    """Tell whether two outlines overlap enough to be of one line."""
    return iou(shape_of(one), shape_of(other)) >= IOU


def shape_of(polygon: Polygon) -> shapely.Geometry:
    """Return an outline as a valid shape, also if it crosses itself."""
    import shapely

    shape = shapely.Polygon(polygon)
    return shape if shape.is_valid else shape.buffer(0)


def iou(one: shapely.Geometry, other: shapely.Geometry) -> float:
    """Return the intersection over union of two shapes."""
    common = one.intersection(other).area
    return float(common / max(one.area + other.area - common, 1e-9))
