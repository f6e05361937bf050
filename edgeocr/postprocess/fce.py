"""Decode FCENet's maps of Fourier contours to polygons or quads.

FCENet is from Zhu et al. 2021, "Fourier Contour Embedding for Arbitrary-Shaped Text Detection". At
three scales, each pixel of a text's center predicts the outline of its text as a few coefficients
of a Fourier series. Where outlines overlap, the one with the best score stays.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import ArrayError
from . import maps
from .geometry import Float32, clockwise
from .maps import FARTHEST, MAX_REGIONS

# The maps of a level before the coefficients: the probabilities that a pixel lies outside and
# inside of a text, and outside and inside of a text's center.
CLASSES = 4
# The numbers of maps of a level, with K from 1 to 24: 50 points show no higher frequency.
MAPS = range(CLASSES + 6, CLASSES + 99, 4)
# The points of an outline (PaddleOCR's number).
POINTS = 50
# The most outlines of one center that are compared, the best first: on the coarser levels even a
# text as large as the picture has fewer.
MAX_OUTLINES = 1000
# The most pairs of outlines that are compared within the centers of a picture, within each level,
# and between the levels. When it is reached, the outlines that were not compared are dropped.
MAX_PAIRS = 100_000
# PaddleOCR grows outlines by this many pixels before it intersects them, which makes them valid.
GROWN = 1e-4


def polygons(
    *levels: NDArray[np.float32],
    strides: Sequence[int],
    score_threshold: float,
    nms_threshold: float,
    region_power: float,
    center_power: float,
) -> tuple[list[Float32], Float32]:
    """Find polygons in FCENet's maps.

    Args:
        levels: For each scale float32 [4 + 2 · (2 K + 1), h, w]: the probabilities that a pixel is
            outside and inside of a text, and outside and inside of a text's center; then the real
            and the imaginary parts, x and y, of the coefficients from -K to K. The coefficient 0 is
            the offset from the pixel to the text's center, and all are in pixels of the map.
        strides: The size of each level's pixels in pixels of the input.
        score_threshold: A pixel with a larger score proposes an outline.
        nms_threshold: Outlines with a larger intersection over union are taken for one text.
        region_power: The power of the region's probability in the score.
        center_power: The power of the center's probability in the score.

    Returns:
        N polygons in pixels of the network's input, float32 [50, 2] each, clockwise, and their
        scores, float32 [N], the best first.

    Raises:
        ArrayError: A level is not an array of such maps, or there is not one for each stride.
    """
    found, scores = _merged(
        levels, strides, score_threshold, nms_threshold, region_power, center_power, False
    )
    turned = _signed_areas(found) < 0
    found[turned] = found[turned, ::-1]
    return list(found.astype(np.float32)), scores


def quads(
    *levels: NDArray[np.float32],
    strides: Sequence[int],
    score_threshold: float,
    nms_threshold: float,
    region_power: float,
    center_power: float,
) -> tuple[Float32, Float32]:
    """Find quads, the smallest rectangles around outlines, in FCENet's maps.

    Args:
        levels: As in `polygons`.
        strides: As in `polygons`.
        score_threshold: As in `polygons`.
        nms_threshold: As in `polygons`; the rectangles of different levels are compared, too.
        region_power: As in `polygons`.
        center_power: As in `polygons`.

    Returns:
        float32 [N, 4, 2] in pixels of the network's input, clockwise from the top left, and their
        scores, float32 [N], the best first.

    Raises:
        ArrayError: As in `polygons`.
    """
    found, scores = _merged(
        levels, strides, score_threshold, nms_threshold, region_power, center_power, True
    )
    return clockwise(found.astype(np.float32)), scores


def _merged(
    levels: Sequence[NDArray[np.float32]],
    strides: Sequence[int],
    score_threshold: float,
    nms_threshold: float,
    region_power: float,
    center_power: float,
    boxes: bool,
) -> tuple[NDArray[np.float64], Float32]:
    """Return the outlines [N, P, 2] of all levels that stay, and their scores."""
    if len(levels) != len(strides):
        raise ArrayError(f"FCE has {len(strides)} levels of maps, not {len(levels)}")
    checked = [maps.stacked("FCE", f"level {i}", level, MAPS) for i, level in enumerate(levels)]
    within_centers = _Suppression(nms_threshold)
    outlines, scores = [np.empty((0, 4 if boxes else POINTS, 2))], [np.empty(0)]
    for level, stride in zip(checked, strides, strict=True):
        candidates = _candidates(level, stride, score_threshold, region_power, center_power)
        stay = [within_centers(*each) for each in candidates]
        found, best = _Suppression(nms_threshold)(*_joined(stay))
        if boxes:
            # PaddleOCR drops the fractions of the corners' coordinates.
            around = [cv2.boxPoints(cv2.minAreaRect(each.astype(np.float32))) for each in found]
            found = np.trunc(np.array(around, np.float64).reshape(-1, 4, 2))
        outlines.append(found)
        scores.append(best)
    between_levels = _Suppression(nms_threshold)
    found, best = between_levels(np.concatenate(outlines), np.concatenate(scores))
    return found, best.astype(np.float32)


def _joined(
    parts: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Join outlines and scores of several centers."""
    outlines = [np.empty((0, POINTS, 2)), *(outlines for outlines, _ in parts)]
    return np.concatenate(outlines), np.concatenate([np.empty(0), *(best for _, best in parts)])


def _candidates(
    level: Float32,
    stride: int,
    score_threshold: float,
    region_power: float,
    center_power: float,
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return outlines [N, 50, 2] and scores [N] of the pixels of each center, the largest first."""
    if not level[0].size:
        return []
    region, center = (np.clip(np.nan_to_num(level[i], posinf=0.0), 0, 1) for i in (1, 3))
    score = region**region_power * center**center_power
    mask = _without_holes(score > score_threshold)
    number, labels = cv2.connectedComponents(mask, connectivity=8)
    y, x = np.nonzero((labels > 0) & (score > 0))
    coefficients = level[CLASSES:, y, x].T
    half = coefficients.shape[1] // 2
    degree = half // 2
    series = np.empty((len(y), half), np.complex64)
    series.real, series.imag = coefficients[:, :half], coefficients[:, half:]
    with np.errstate(over="ignore", invalid="ignore"):
        series[:, degree] += x + y * 1j
        series *= stride
        near = np.isfinite(series).all(axis=1) & (np.abs(series).sum(axis=1) < FARTHEST)
    series, x, y = series[near], x[near], y[near]
    owner, scores = labels[y, x], score[y, x].astype(np.float64)

    # The strongest pixels of each center, and centers by their size.
    order = np.lexsort((np.arange(len(owner)), scores, owner))
    ends = np.searchsorted(owner[order], np.arange(1, number + 1))
    groups = [
        np.sort(order[max(begin, end - MAX_OUTLINES) : end])
        for begin, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
        if end > begin
    ]
    groups = sorted(groups, key=len, reverse=True)[:MAX_REGIONS]
    return [(_outlines(series[group]), scores[group]) for group in groups]


def _without_holes(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Fill what the mask encloses."""
    canvas = np.pad(mask.view(np.uint8), 1)
    cv2.floodFill(canvas, None, (0, 0), 2)
    return np.ascontiguousarray((canvas[1:-1, 1:-1] != 2).view(np.uint8))


def _outlines(series: NDArray[np.complexfloating]) -> NDArray[np.float64]:
    """Return the outlines [N, 50, 2] of series with coefficients from -K to K, in whole pixels."""
    degree = series.shape[1] // 2
    spectrum = np.zeros((len(series), POINTS), np.complex128)
    spectrum[:, : degree + 1] = series[:, degree:]
    spectrum[:, POINTS - degree :] = series[:, :degree]
    points = np.fft.ifft(spectrum) * POINTS
    # PaddleOCR drops the fractions of the points' coordinates.
    return np.trunc(np.stack([points.real, points.imag], -1))


def _signed_areas(outlines: NDArray[np.float64]) -> NDArray[np.float64]:
    following = np.roll(outlines, -1, axis=1)
    products = outlines[..., 0] * following[..., 1] - outlines[..., 1] * following[..., 0]
    return np.asarray(products.sum(axis=1) / 2)


class _Suppression:
    """Keeps the best of outlines that overlap, and makes no more than `MAX_PAIRS` comparisons."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._left = MAX_PAIRS

    def __call__(
        self, outlines: NDArray[np.float64], scores: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the outlines [N, P, 2] and scores [N] that stay, the best first."""
        import shapely

        # Where scores are equal, PaddleOCR takes the last one first.
        order = np.argsort(scores, kind="stable")[::-1]
        if len(order) < 2:
            return outlines, scores
        if self._left <= 0:
            return outlines[:0], scores[:0]
        areas = np.abs(_signed_areas(outlines))
        low, high = outlines.min(axis=1), outlines.max(axis=1)
        shapes: NDArray[np.object_] = shapely.polygons(outlines)
        crossed = np.flatnonzero(~shapely.is_valid(shapes))
        shapes[crossed] = shapely.buffer(shapes[crossed], GROWN)
        kept: list[int] = []
        while len(order) and len(kept) < MAX_REGIONS and self._left > 0:
            best, order = int(order[0]), order[1:]
            kept.append(best)
            shared = np.minimum(high[best], high[order]) - np.maximum(low[best], low[order])
            common = np.maximum(shared + 2 * GROWN, 0).prod(axis=1)
            # Two outlines have no more in common than the boxes around them.
            both = areas[best] + areas[order]
            possible = np.flatnonzero(common > self._threshold * (both - common))
            self._left -= len(possible)
            near = order[possible]
            common = shapely.area(shapely.intersection(shapes[best], shapes[near]))
            union = areas[best] + areas[near] - common
            same = (union != 0) & (common > self._threshold * union)
            order = np.delete(order, possible[same])
        return outlines[kept], scores[kept]
