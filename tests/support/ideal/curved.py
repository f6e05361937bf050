"""The maps of PSE, CT and FCE for known polygons: what perfect networks give.

All maps are float32; pixel (y, x) of a map lies at (stride * y, stride * x) of the input.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tests.support.ideal.db import near, shrinking

Float32 = NDArray[np.float32]
Polygons = Float32 | Sequence[Float32]

STRIDE = 4
# The scales of PSE's kernels, and of CT's.
KERNELS = 1 - 0.1 * np.arange(7)
CT_KERNEL = 0.7
# Pixels of the input in one unit of CT's offsets.
UNIT = 10
# FCE's levels, with the least and the largest share of the picture's longer side of their texts.
LEVELS = {8: (0.0, 0.4), 16: (0.3, 0.7), 32: (0.6, 1.0)}
DEGREE = 5
# By how much a logit changes within a pixel, and its largest amount.
STEEPNESS, LARGEST = 2.0, 8.0


def _depths(
    polygons: Polygons, height: int, width: int, stride: int
) -> Iterator[tuple[Float32, tuple[slice, slice], NDArray[np.float64]]]:
    """Yield each polygon in pixels of the map, and how deep in it the pixels of a window lie."""
    for polygon in polygons:
        small = np.float32(polygon) / stride
        for window, within, distance in near(small, 4, height // stride, width // stride):
            yield small, window, np.where(within, distance, -distance)


def _logits(depth: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(STEEPNESS * depth, -LARGEST, LARGEST)


def pse(polygons: Polygons, height: int, width: int) -> Float32:
    """Return PSE's logits [7, h, w] of polygons."""
    result = np.full((len(KERNELS), height // STRIDE, width // STRIDE), -LARGEST, np.float32)
    for polygon, window, depth in _depths(polygons, height, width, STRIDE):
        for each, ratio in zip(result, KERNELS, strict=True):
            each[window] = np.maximum(each[window], _logits(depth - shrinking(polygon, ratio)))
    return result


def ct(polygons: Polygons, height: int, width: int) -> Float32:
    """Return CT's maps [3, h, w] of polygons: the kernels' logits, and the offsets into them."""
    result = np.zeros((3, height // STRIDE, width // STRIDE), np.float32)
    result[0] = -LARGEST
    for polygon, window, depth in _depths(polygons, height, width, STRIDE):
        inside = depth - shrinking(polygon, CT_KERNEL)
        result[0][window] = np.maximum(result[0][window], _logits(inside))
        kernel = np.argwhere(_logits(inside) > 0.5)
        text = np.argwhere((depth > 0) & (inside <= 0))
        if len(kernel) and len(text):
            apart = ((text[:, None] - kernel) ** 2).sum(axis=2)
            ways = (kernel[apart.argmin(axis=1)] - text) * STRIDE / UNIT
            y, x = text.T + np.array([[window[0].start], [window[1].start]])
            result[1, y, x], result[2, y, x] = ways[:, 1], ways[:, 0]
    return result


def fce(polygons: Polygons, height: int, width: int) -> list[Float32]:
    """Return FCE's maps [26, h, w] of polygons at each of its levels."""
    levels = []
    for stride, (least, most) in LEVELS.items():
        sizes = [np.ptp(polygon, axis=0).max() / max(height, width) for polygon in polygons]
        fitting = [p for p, size in zip(polygons, sizes, strict=True) if least <= size <= most]
        maps = np.zeros((4 + 4 * DEGREE + 2, height // stride, width // stride), np.float32)
        maps[0] = maps[2] = 1
        for polygon, window, depth in _depths(fitting, height, width, stride):
            for first, inside in ((0, depth), (2, depth - shrinking(polygon, 0.55))):
                share = 1 / (1 + np.exp(-_logits(inside)))
                maps[first + 1][window] = np.maximum(maps[first + 1][window], share)
                maps[first][window] = 1 - maps[first + 1][window]
            series = _series(polygon)
            y, x = np.argwhere(depth > 0).T + np.array([[window[0].start], [window[1].start]])
            offsets = np.repeat(series[:, None], len(y), axis=1)
            offsets[DEGREE] -= x + y * 1j
            maps[4 : 5 + 2 * DEGREE, y, x] = offsets.real
            maps[5 + 2 * DEGREE :, y, x] = offsets.imag
        levels.append(maps)
    return levels


def _series(polygon: Float32, points: int = 200) -> NDArray[np.complex128]:
    """Return the Fourier coefficients from -DEGREE to DEGREE of an outline."""
    closed = np.concatenate([polygon, polygon[:1]]).astype(np.float64)
    length = np.append(0, np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1)))
    places = np.arange(points) / points * length[-1]
    x, y = (np.interp(places, length, closed[:, axis]) for axis in (0, 1))
    spectrum = np.fft.fft(x + y * 1j) / points
    return spectrum[np.arange(-DEGREE, DEGREE + 1)]
