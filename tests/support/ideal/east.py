"""EAST's maps for known quads, in the convention of PaddleOCR's labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

STRIDE = 4
# A corner moves inwards along both of its sides, by this share of the shorter one.
SHRINKING = 0.3


def maps(quads: Float32, height: int, width: int) -> tuple[Float32, Float32]:
    """Return the maps of quads. Where quads overlap, the last one counts.

    Args:
        quads: [N, 4, 2], clockwise from the top left, in pixels of the input.
        height: Height of the input.
        width: Width of the input.

    Returns:
        The score, float32 [height / 4, width / 4], which is 1 within the shrunk quads, and the
        geometry, float32 [8, height / 4, width / 4]: there, the pixel's position minus the four
        corners' (x and y of each). The map's pixel (y, x) lies at (4 y, 4 x) of the input.
    """
    score, owner = regions(quads, height, width)
    y, x = np.nonzero(owner >= 0)
    positions = np.stack([x, y], 1)[:, None] * STRIDE
    geometry = np.zeros((8, *score.shape), np.float32)
    corners = np.asarray(quads, np.float64).reshape(-1, 4, 2)[owner[y, x]]
    geometry[:, y, x] = (positions - corners).reshape(-1, 8).T
    return score, geometry


def regions(quads: Float32, height: int, width: int) -> tuple[Float32, NDArray[np.intp]]:
    """Return the score map, and for each of its pixels the index of its quad, -1 for none."""
    shape = height // STRIDE, width // STRIDE
    owner = np.full(shape, -1, np.intp)
    for index, quad in enumerate(shrunk(quads)):
        owner[inside(quad, shape)] = index
    return (owner >= 0).astype(np.float32), owner


def shrunk(quads: Float32) -> NDArray[np.float64]:
    """Move each corner inwards, by the same length along both of its sides."""
    corners = np.asarray(quads, np.float64).reshape(-1, 4, 2)
    ahead = np.roll(corners, -1, axis=1) - corners
    behind = np.roll(corners, 1, axis=1) - corners
    length_ahead = np.linalg.norm(ahead, axis=2, keepdims=True)
    length_behind = np.linalg.norm(behind, axis=2, keepdims=True)
    step = SHRINKING * np.minimum(length_ahead, length_behind)
    directions = ahead / np.maximum(length_ahead, 1e-9) + behind / np.maximum(length_behind, 1e-9)
    moved: NDArray[np.float64] = corners + step * directions
    return moved


def inside(quad: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which pixels of a map lie within a convex clockwise quad [4, 2] of input pixels."""
    y, x = np.indices(shape) * STRIDE
    mask = np.ones(shape, bool)
    for (x0, y0), (x1, y1) in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        mask &= (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) >= 0
    return mask
