"""DB's maps for known polygons: what a perfect network gives and what a training needs.

PaddleOCR shrinks a polygon by area * (1 - ratio²) / perimeter. A pixel belongs to the shrunk
polygon if it lies within the polygon and at least that far, less half a pixel, from its sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Polygons = Float32 | Sequence[Float32]

# Texts that are lower or narrower than this many pixels are left out of a training.
SMALLEST = 8
# PaddleOCR draws the shrunk polygon with its outline, which adds about this many pixels.
OUTLINE = 0.5
# Thresholds far from the text's outline and on it.
LOW, HIGH = 0.3, 0.7


class Labels(NamedTuple):
    """The maps that DB is trained with, float32 [H, W] each.

    Attributes:
        shrunk: 1 within the shrunk polygons.
        counts: 0 on texts that are too small to count, 1 elsewhere.
        threshold: LOW to HIGH, higher the nearer a pixel is to an outline.
        near: 1 where the threshold is trained.
    """

    shrunk: Float32
    counts: Float32
    threshold: Float32
    near: Float32


def probability(polygons: Polygons, height: int, width: int, shrink_ratio: float = 0.4) -> Float32:
    """Return the map of polygons [K, 2] in pixels: float32 [height, width] of 0 and 1."""
    result = np.zeros((height, width), np.float32)
    for polygon in polygons:
        offset = shrinking(polygon, shrink_ratio)
        for window, within, distance in near(polygon, 0, height, width):
            result[window][within & (distance >= offset - OUTLINE)] = 1
    return result


def labels(polygons: Polygons, height: int, width: int, shrink_ratio: float = 0.4) -> Labels:
    """Return the four maps of polygons [K, 2] in pixels."""
    shrunk, close, reached = (np.zeros((height, width), np.float32) for _ in range(3))
    counts = np.ones((height, width), np.float32)
    for polygon in polygons:
        offset = max(shrinking(polygon, shrink_ratio), 1e-6)
        small = np.ptp(polygon, axis=0).min() < SMALLEST
        for window, within, distance in near(polygon, offset, height, width):
            core = within & (distance >= offset - OUTLINE)
            if small or not core.any():
                counts[window][within] = 0
            else:
                shrunk[window][core] = 1
            around = within | (distance <= offset)
            nearness = np.where(around, np.maximum(1 - distance / offset, 0), 0)
            close[window] = np.maximum(close[window], nearness)
            reached[window][around] = 1
    return Labels(shrunk, counts, LOW + (HIGH - LOW) * close, reached)


def shrinking(polygon: Float32, ratio: float) -> float:
    """Return by how many pixels a polygon [K, 2] is shrunk."""
    a = np.asarray(polygon, np.float64)
    b = np.roll(a, -1, axis=0)
    area = abs(np.sum(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])) / 2
    return float(area * (1 - ratio**2) / max(np.linalg.norm(b - a, axis=1).sum(), 1e-9))


def near(
    polygon: Float32, margin: float, height: int, width: int
) -> Iterator[tuple[tuple[slice, slice], NDArray[np.bool_], NDArray[np.float64]]]:
    """Yield what a polygon covers of a map, unless that is nothing.

    Yields:
        The window of the map around the polygon, and for each pixel in the window whether it is
        within the polygon and how far it is from the polygon's sides.
    """
    a = np.asarray(polygon, np.float64)
    b = np.roll(a, -1, axis=0)
    left, top = np.maximum(np.floor(a.min(axis=0) - margin).astype(int), 0).tolist()
    right, bottom = (np.ceil(a.max(axis=0) + margin).astype(int) + 1).tolist()
    window = slice(top, max(min(bottom, height), top)), slice(left, max(min(right, width), left))
    y, x = np.mgrid[window].astype(np.float64)
    if not x.size:
        return
    within = np.zeros(x.shape, bool)
    nearest = np.full(x.shape, np.inf)
    for (x0, y0), (x1, y1) in zip(a, b, strict=True):
        dx, dy = x1 - x0, y1 - y0
        along = ((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-12)
        along = np.clip(along, 0, 1)
        nearest = np.minimum(nearest, (x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2)
        # A ray to the right crosses an odd number of sides if it starts within the polygon.
        crossed = (y0 > y) != (y1 > y)
        if dy:
            within ^= crossed & (x < x0 + (y - y0) * dx / dy)
    yield window, within, np.sqrt(nearest)
