"""SAST's maps for known polygons, in the convention of PaddleOCR's labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.support.ideal.ribbon import STRIDE, ribbon

Float32 = NDArray[np.float32]


class Maps(NamedTuple):
    """SAST's maps, float32, a quarter of the input's size; offsets are in pixels of the maps.

    Attributes:
        tcl: [h, w], 1 on the texts' centre lines. The other maps are 0 where this one is.
        border: [4, h, w], from the pixel to the upper side (y, x) and to the lower one (y, x).
        tvo: [8, h, w], to the pixel from the four vertices (x and y of each, clockwise from the top
            left).
        tco: [2, h, w], to the pixel from the text's centre (x, y).
    """

    tcl: Float32
    border: Float32
    tvo: Float32
    tco: Float32


def maps(polygons: Float32 | Sequence[Float32], height: int, width: int) -> Maps:
    """Return the maps of polygons. Where texts overlap, the last one counts.

    Args:
        polygons: [N, 2 K, 2], in pixels of the input. A polygon follows the upper side in reading
            direction and the lower side back.
        height: Height of the input.
        width: Width of the input.

    Returns:
        The maps, whose pixel (y, x) lies at (4 y, 4 x) of the input.
    """
    shape = height // STRIDE, width // STRIDE
    result = Maps(*(np.zeros((*more, *shape), np.float32) for more in ((), (4,), (8,), (2,))))
    for polygon in polygons:
        text = ribbon(polygon, height, width)
        y, x = np.nonzero(text.centre())
        vertices = enclosing(np.float32(polygon)) / STRIDE
        offsets = np.stack([x, y], 1)[:, None] - vertices
        result.tcl[y, x] = 1
        result.border[:2, y, x] = text.upper[::-1, y, x]
        result.border[2:, y, x] = text.lower[::-1, y, x]
        result.tvo[:, y, x] = offsets.reshape(-1, 8).T
        result.tco[:, y, x] = offsets.mean(axis=1).T
    return result


def enclosing(polygon: Float32) -> Float32:
    """Return a quad as it is, and for more points the smallest rectangle around them."""
    if len(polygon) == 4:
        return polygon
    half = len(polygon) // 2
    corners = polygon[[0, half - 1, half, -1]]
    box = np.float32(cv2.boxPoints(cv2.minAreaRect(polygon)))
    turns = [np.roll(box, -turn, axis=0) for turn in range(4)]
    return min(turns, key=lambda turned: float(np.linalg.norm(turned - corners, axis=1).sum()))
