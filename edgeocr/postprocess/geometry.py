"""Compute with quads: float32 [N, 4, 2], corners as (x, y), clockwise from the top left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Float32: TypeAlias = NDArray[np.float32]
# A map of probabilities: float32 from 0 to 1, or 255 times as much as uint8.
Map: TypeAlias = "NDArray[np.float32] | NDArray[np.uint8]"

# A region at least this much taller than wide holds text that runs down (PaddleOCR's value).
TALL = 1.5
# Pairs of quads that are compared in one go, so that intermediate results stay in the CPU's cache.
PAIRS_AT_ONCE = 1024
# Replaces a distance of 0 as a divisor.
TINY = np.finfo(np.float64).tiny


def rectangle_corners(rectangles: NDArray[np.floating]) -> Float32:
    """Convert rotated rectangles to quads.

    Args:
        rectangles: float [N, 5], the results of `cv2.minAreaRect`: center x, center y, width,
            height and degrees.

    Returns:
        float32 [N, 4, 2], clockwise from the upper of the two leftmost corners.
    """
    centers, sizes = rectangles[:, :2], rectangles[:, 2:4]
    radians = np.deg2rad(rectangles[:, 4])
    cos, sin = np.cos(radians), np.sin(radians)
    along = np.stack([cos, sin], 1) * sizes[:, :1] / 2
    across = np.stack([-sin, cos], 1) * sizes[:, 1:] / 2
    quads = np.stack([-along - across, along - across, along + across, across - along], 1)
    quads += centers[:, None]
    return clockwise(quads.astype(np.float32))


def clockwise(quads: Float32) -> Float32:
    """Sort the corners of convex quads [N, 4, 2], from the upper of the two leftmost."""
    by_x = np.take_along_axis(quads, np.argsort(quads[..., :1], axis=1, kind="stable"), axis=1)
    pairs = by_x.reshape(-1, 2, 2, 2)  # left pair, right pair
    by_y = np.take_along_axis(pairs, np.argsort(pairs[..., 1:], axis=2, kind="stable"), axis=2)
    return np.ascontiguousarray(by_y.reshape(-1, 4, 2)[:, [0, 2, 3, 1]])


def side_lengths(quads: Float32) -> tuple[Float32, Float32]:
    """Return the lengths [N] of the top and of the left sides of quads [N, 4, 2]."""
    top = np.linalg.norm(quads[:, 1] - quads[:, 0], axis=1)
    left = np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1)
    return top, left


def offset_rectangles(quads: Float32, distances: Float32) -> Float32:
    """Move each side of rectangles [N, 4, 2] outwards by `distances` [N] pixels."""
    top, left = (np.maximum(length, 1e-6)[:, None] for length in side_lengths(quads))
    right_step = (quads[:, 1] - quads[:, 0]) / top * distances[:, None]
    down_step = (quads[:, 3] - quads[:, 0]) / left * distances[:, None]
    steps = np.stack(
        [
            -right_step - down_step,
            right_step - down_step,
            right_step + down_step,
            down_step - right_step,
        ],
        axis=1,
    )
    return np.asarray(quads + steps, np.float32)


def box_scores(probability: Map, boxes: Float32) -> Float32:
    """Return the mean of a map over convex quads, edges included.

    A quad is a stack of row spans, and all spans are summed in one go. The pixels are those that
    `cv2.fillPoly` would paint.

    Args:
        probability: float32 or uint8 [H, W], the map.
        boxes: float32 [N, 4, 2], the quads. Parts outside the map do not count.

    Returns:
        float32 [N]; 0 for a quad that lies outside the map.
    """
    if not len(boxes):
        return np.empty(0, np.float32)
    height, width = probability.shape
    corners = np.floor(boxes).astype(np.int64)
    x, y = corners.transpose(2, 1, 0)  # [4, N]
    first = np.clip(y.min(axis=0), 0, height - 1)
    last = np.clip(y.max(axis=0), 0, height - 1)
    rows = last - first + 1
    starts = np.cumsum(rows) - rows
    owner = np.repeat(np.arange(len(boxes)), rows)
    row = np.arange(rows.sum()) - np.repeat(starts - first, rows)

    # What tells where a side crosses a row is computed for each side, and repeated for its rows.
    next_x, next_y = x[[1, 2, 3, 0]], y[[1, 2, 3, 0]]
    level = next_y == y
    slope = (next_x - x) / np.where(level, 1, next_y - y)
    # A line flatter than 45° covers several pixels of a row.
    reach = np.where(level, np.inf, np.where(np.abs(slope) > 1, np.abs(slope) / 2, 0))
    low, high = np.minimum(x, next_x), np.maximum(x, next_x)
    top, bottom = np.minimum(y, next_y), np.maximum(y, next_y)
    sides = np.stack([x, y, slope, reach, low, high, top, bottom]).reshape(32, -1)
    x, y, slope, reach, low, high, top, bottom = sides.take(owner, axis=1).reshape(8, 4, -1)
    at = x + slope * (row - y)
    crossed = (top <= row) & (row <= bottom)
    left = np.where(crossed, np.clip(at - reach, low, high), np.inf).min(axis=0)
    right = np.where(crossed, np.clip(at + reach, low, high), -np.inf).max(axis=0)
    begin = np.clip(np.floor(left + 0.5), 0, width).astype(np.int64)
    end = np.clip(np.floor(right + 0.5) + 1, 0, width).astype(np.int64)
    end = np.maximum(end, begin)  # a row outside the map

    sums = _span_sums(probability.reshape(-1), row * width + begin, row * width + end)
    totals = np.add.reduceat(sums, starts)
    counts = np.add.reduceat(end - begin, starts)
    return np.asarray(totals / np.maximum(counts, 1), np.float32)


def _span_sums(
    values: Map, begins: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the sums of values[begin:end] for N spans, float64 [N]."""
    # `reduceat` sums each span and each gap to the next one. With the spans sorted by their begins,
    # all gaps together are no longer than the values. A backward interval gives one value.
    order = np.argsort(begins, kind="stable")
    # No interval may begin after the last value, so that value is left out here and added below.
    last = len(values) - 1
    cuts = np.minimum(np.stack([begins[order], ends[order]], 1), last).reshape(-1)
    sums = np.empty(len(begins))
    sums[order] = np.add.reduceat(values, cuts)[::2]
    # `reduceat` returns one value for an empty span.
    empty = np.minimum(begins, last) == np.minimum(ends, last)
    sums[empty] = 0
    sums[(begins <= last) & (ends > last)] += values[last]
    return sums


def enclosing(polygons: Sequence[Float32]) -> Float32:
    """Return the smallest rectangle around each polygon, float32 [N, 4, 2].

    Args:
        polygons: N polygons, float32 [K, 2] each. One of four points is returned as it is.
    """
    around = [
        polygon if len(polygon) == 4 else cv2.boxPoints(cv2.minAreaRect(polygon))
        for polygon in polygons
    ]
    return clockwise(np.array(around, np.float32).reshape(-1, 4, 2))


def rectangles_around(sides: Float32) -> Float32:
    """Return rectangles around parts of lines, which lie in the direction of each part.

    Args:
        sides: float32 [N, 2, M, 2], M points along the upper and the lower side of each part.

    Returns:
        float32 [N, 4, 2], clockwise from where the upper side begins.
    """
    middles = sides.mean(axis=1)
    along = middles[:, -1] - middles[:, 0]
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    axes = np.stack([along, across], axis=1)
    points = sides.reshape(len(sides), -1, 2)
    level = points @ axes.swapaxes(1, 2)
    low, high = level.min(axis=1), level.max(axis=1)
    corners = np.stack(
        [low, np.stack([high[:, 0], low[:, 1]], 1), high, np.stack([low[:, 0], high[:, 1]], 1)], 1
    )
    return np.asarray(corners @ axes, np.float32)


def signed_areas(quads: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the areas [N] of quads [N, 4, 2], negative where the corners go counter-clockwise."""
    diagonals = (quads[:, 2:] - quads[:, :2]).astype(np.float64)
    first, second = diagonals[:, 0], diagonals[:, 1]
    return np.asarray((first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2)


def intersection_areas(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the areas [N] that convex quads a and b [N, 4, 2] have in common, pair by pair.

    The intersection's border consists of those parts of each quad's sides that lie in the other
    quad. A side from p to q of which a share s lies inside adds s · (p × q) / 2 to the area
    (Green's theorem).
    """
    areas = np.empty(len(a))
    for start in range(0, len(a), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        center = a[part, :1].astype(np.float64)
        first, second = (_by_corner(quads[part] - center) for quads in (a, b))
        # Sides that lie on each other would count twice, so one quad is made slightly larger.
        middle = second[:, :4].mean(axis=1, keepdims=True)
        second = middle + (second - middle) * (1 + 1e-9)
        areas[part] = _border_within(first, second) + _border_within(second, first)
    return np.maximum(areas, 0, out=areas)


def _by_corner(quads: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return x and y of the corners of quads [N, 4, 2], clockwise, as [2, 5, N].

    The fifth corner is the first one again.
    """
    corners = np.empty((2, 5, len(quads)))
    corners[:, :4] = quads.transpose(2, 1, 0)
    turned = np.flatnonzero(signed_areas(quads) < 0)
    corners[:, :4, turned] = quads[turned, ::-1].transpose(2, 1, 0)
    corners[:, 4] = corners[:, 0]
    return corners


def _border_within(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Green's sum over the parts of a's sides that lie in b; both are [2, 5, N]."""
    x, y = a[:, :, None]
    side_x, side_y = b[:, 1:] - b[:, :-1]
    # Distance of each corner of a from each side of b, times the side's length; inside is positive.
    distance = side_x * (y - b[1, :-1])
    distance -= side_y * (x - b[0, :-1])
    inside = np.maximum(distance, TINY)
    outside = np.minimum(distance, 0, out=distance)
    # The share of each side of a that lies outside before it enters b, and after it leaves b. Both
    # are 1 for a side that lies outside as a whole, and 0 for one that lies inside.
    before = (outside[:-1] / (outside[:-1] - inside[1:])).max(axis=1)
    after = (outside[1:] / (outside[1:] - inside[:-1])).max(axis=1)
    shares = np.maximum(1 - before - after, 0)
    x, y = a
    products = x[:-1] * y[1:] - y[:-1] * x[1:]
    total: NDArray[np.float64] = (shares * products).sum(axis=0)
    return total / 2
