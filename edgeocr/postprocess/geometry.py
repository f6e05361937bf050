"""Quads as arrays: [N, 4, 2] float32 (x, y), clockwise from the top left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Float32: TypeAlias = NDArray[np.float32]

# A region at least this much taller than wide holds text that runs down (PaddleOCR's value).
TALL = 1.5
# Their intermediate results stay in a processor's cache.
PAIRS_AT_ONCE = 1024
# Stands for a distance of 0 where a division by 0 has to be avoided.
TINY = np.finfo(np.float64).tiny


def rectangle_corners(rectangles: NDArray[np.floating]) -> Float32:
    """Rotated rectangles [N, 5] (center x, center y, width, height, degrees) → quads [N, 4, 2].

    The columns are those of `cv2.minAreaRect`. Each quad starts at the upper of its two leftmost
    corners and goes on clockwise.
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
    """Order the corners of convex quads [N, 4, 2]: the upper of the two leftmost comes first."""
    by_x = np.take_along_axis(quads, np.argsort(quads[..., :1], axis=1, kind="stable"), axis=1)
    pairs = by_x.reshape(-1, 2, 2, 2)  # left pair, right pair
    by_y = np.take_along_axis(pairs, np.argsort(pairs[..., 1:], axis=2, kind="stable"), axis=2)
    return np.ascontiguousarray(by_y.reshape(-1, 4, 2)[:, [0, 2, 3, 1]])


def side_lengths(quads: Float32) -> tuple[Float32, Float32]:
    """Lengths [N] of the top and of the left side of quads [N, 4, 2]."""
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


def box_scores(probability: NDArray[np.float32], boxes: Float32) -> Float32:
    """Mean of the map over each convex quad of `boxes` [N, 4, 2], edges included → float32 [N].

    What lies beside the map doesn't count; a box that lies beside it as a whole has 0.

    A quad is a stack of row spans, and all spans are summed in one go. The pixels are those that
    `cv2.fillPoly` would paint.
    """
    if not len(boxes):
        return np.empty(0, np.float32)
    height, width = probability.shape
    corners = np.floor(boxes).astype(np.int64)
    first = np.clip(corners[..., 1].min(axis=1), 0, height - 1)
    last = np.clip(corners[..., 1].max(axis=1), 0, height - 1)
    rows = last - first + 1
    starts = np.cumsum(rows) - rows
    owner = np.repeat(np.arange(len(boxes)), rows)
    y = np.arange(rows.sum()) - np.repeat(starts - first, rows)

    left = np.full(len(y), np.inf)
    right = np.full(len(y), -np.inf)
    for a, b in ((0, 1), (1, 2), (2, 3), (3, 0)):
        ax, ay = corners[owner, a].T
        bx, by = corners[owner, b].T
        rise = np.where(by == ay, 1, by - ay)
        slope = (bx - ax) / rise
        x = ax + slope * (y - ay)
        # A line flatter than 45° covers several pixels of a row.
        reach = np.where(by == ay, np.inf, np.where(np.abs(slope) > 1, np.abs(slope) / 2, 0))
        low, high = np.minimum(ax, bx), np.maximum(ax, bx)
        crossed = (np.minimum(ay, by) <= y) & (y <= np.maximum(ay, by))
        left = np.where(crossed, np.minimum(left, np.clip(x - reach, low, high)), left)
        right = np.where(crossed, np.maximum(right, np.clip(x + reach, low, high)), right)
    begin = np.clip(np.floor(left + 0.5), 0, width).astype(np.int64)
    end = np.clip(np.floor(right + 0.5) + 1, 0, width).astype(np.int64)
    end = np.maximum(end, begin)  # a row that is beside the map

    sums = _span_sums(probability.reshape(-1), y * width + begin, y * width + end)
    totals = np.add.reduceat(sums, starts)
    counts = np.add.reduceat(end - begin, starts)
    return np.asarray(totals / np.maximum(counts, 1), np.float32)


def _span_sums(
    values: Float32, begins: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Sums of values[begin:end], float64 [N]."""
    # Each span and the gap to the next one are an interval; in order of their begins all gaps
    # together are no longer than the values. An interval that goes backwards is one value.
    order = np.argsort(begins, kind="stable")
    # No interval may begin behind the last value, so that value is left out and added.
    last = len(values) - 1
    cuts = np.minimum(np.stack([begins[order], ends[order]], 1), last).reshape(-1)
    sums = np.empty(len(begins))
    sums[order] = np.add.reduceat(values, cuts)[::2]
    empty = np.minimum(begins, last) == np.minimum(ends, last)  # for which it gives one value
    sums[empty] = 0
    sums[(begins <= last) & (ends > last)] += values[last]
    return sums


def enclosing(polygons: Sequence[Float32]) -> Float32:
    """The smallest rectangle around each polygon [K, 2] → quads [N, 4, 2]; a polygon of four
    points is its own.
    """
    around = [
        polygon if len(polygon) == 4 else cv2.boxPoints(cv2.minAreaRect(polygon))
        for polygon in polygons
    ]
    return clockwise(np.array(around, np.float32).reshape(-1, 4, 2))


def signed_areas(quads: NDArray[np.floating]) -> NDArray[np.float64]:
    """Areas [N] of quads [N, 4, 2]: positive where the corners go clockwise (y points down)."""
    diagonals = (quads[:, 2:] - quads[:, :2]).astype(np.float64)
    first, second = diagonals[:, 0], diagonals[:, 1]
    return np.asarray((first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2)


def intersection_areas(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Areas [N] that convex quads a and b [N, 4, 2] have in common, pair by pair.

    The intersection's border consists of those parts of each quad's sides that lie in the other
    quad. A side from p to q of which a share s lies inside adds s · (p × q) / 2 to the area
    (Green's theorem).
    """
    areas = np.empty(len(a))
    for start in range(0, len(a), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        center = a[part, :1].astype(np.float64)
        first, second = (_by_corner(quads[part] - center) for quads in (a, b))
        # Sides that lie on each other would count twice; so one quad is larger by a hair.
        middle = second[:, :4].mean(axis=1, keepdims=True)
        second = middle + (second - middle) * (1 + 1e-9)
        areas[part] = _border_within(first, second) + _border_within(second, first)
    return np.maximum(areas, 0, out=areas)


def _by_corner(quads: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quads [N, 4, 2] → [2, 5, N]: x and y of the corners, clockwise, with the first one again at
    the end.
    """
    corners = np.empty((2, 5, len(quads)))
    corners[:, :4] = quads.transpose(2, 1, 0)
    turned = np.flatnonzero(signed_areas(quads) < 0)
    corners[:, :4, turned] = quads[turned, ::-1].transpose(2, 1, 0)
    corners[:, 4] = corners[:, 0]
    return corners


def _border_within(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Green's sum over the parts of a's sides that lie in b; both [2, 5, N]."""
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
