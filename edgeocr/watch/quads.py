"""Measure and compare the quads of lines."""

from __future__ import annotations

import numpy as np

from ..postprocess.geometry import Float32

# A line may go on beyond the edge of the picture if its quad is at most this many pixels from it,
# or, at the left and right, as near as this share of its height: the gap to a next letter.
EDGE, GAP = 3, 0.25


def overlap_of(one: Float32, other: Float32) -> float:
    """Return the intersection over union of the rectangles around two quads, float32 [4, 2]."""
    shared, area, other_area = _areas(one, other)
    return shared / max(1e-6, area + other_area - shared)


def covered(one: Float32, other: Float32) -> float:
    """Return the share of the smaller rectangle around two quads that lies in the other one."""
    shared, area, other_area = _areas(one, other)
    return shared / max(1e-6, min(area, other_area))


def area_share(quad: Float32, other: Float32) -> float:
    """Return the area of the rectangle around a quad as a share of that around another one."""
    _, area, other_area = _areas(quad, other)
    return area / max(1e-6, other_area)


def _areas(one: Float32, other: Float32) -> tuple[float, float, float]:
    """Return the area shared by the rectangles around two quads, and the area of each of them."""
    (left, top), (right, bottom) = one.min(axis=0).tolist(), one.max(axis=0).tolist()
    (other_left, other_top) = other.min(axis=0).tolist()
    (other_right, other_bottom) = other.max(axis=0).tolist()
    wide = max(0.0, min(right, other_right) - max(left, other_left))
    high = max(0.0, min(bottom, other_bottom) - max(top, other_top))
    area = (right - left) * (bottom - top)
    return wide * high, area, (other_right - other_left) * (other_bottom - other_top)


def height_of(quad: Float32) -> float:
    """Return the shorter side of a quad in pixels."""
    sides = np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1)
    return float(min(sides[0] + sides[2], sides[1] + sides[3]) / 2)


def length_of(quad: Float32) -> float:
    """Return the longer side of a quad in pixels."""
    sides = np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1)
    return float(max(sides[0] + sides[2], sides[1] + sides[3]) / 2)


def inside(quad: Float32, size: tuple[int, int]) -> Float32:
    """Return the part of a quad inside a picture, whose height and width are given."""
    return np.clip(quad, 0, np.array([size[1] - 1, size[0] - 1], np.float32))


def is_at_edge(quad: Float32, size: tuple[int, int]) -> bool:
    """Tell whether a line may go on beyond a picture, whose height and width are given."""
    left, top = quad.min(axis=0).tolist()
    right, bottom = quad.max(axis=0).tolist()
    height, width = size
    gap = max(EDGE, GAP * height_of(quad))
    across = left <= gap or right >= width - 1 - gap
    return bool(across or top <= EDGE or bottom >= height - 1 - EDGE)
