"""Quads as arrays: [N, 4, 2] float32 (x, y), clockwise from the top left."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Float32: TypeAlias = NDArray[np.float32]


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
