"""Decode DB's probability map to text regions.

DB is from Liao et al. 2019, "Real-time Scene Text Detection with Differentiable Binarization". The
network is trained to predict regions that are shrunk by an offset proportional to area / perimeter,
so each region that is found in the map is grown back by the same rule ("unclip").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import ArrayError
from .geometry import Float32, Map, box_scores, offset_rectangles, rectangle_corners, side_lengths

# Regions narrower than this many map pixels are noise, before and after unclipping
# (PaddleOCR's `min_size`).
MINIMUM_SIDE = 3
MINIMUM_SIDE_UNCLIPPED = 5
# A polygon is simplified by up to this share of its perimeter (PaddleOCR's value).
SIMPLIFICATION = 0.002
# pyclipper works on integers, so polygons are offset on a grid this much finer than the map.
CLIPPER_GRID = 8


def quads(
    probability: Map,
    *,
    threshold: float,
    box_threshold: float,
    unclip_ratio: float,
    max_candidates: int,
    dilation: bool = False,
    score: Literal["box", "polygon"] = "box",
) -> tuple[Float32, Float32]:
    """Find rotated rectangles in a probability map.

    Args:
        probability: float32 [H, W] from 0 to 1, where NaN counts as 0; or uint8 [H, W], 255 times
            the probability.
        threshold: A pixel above it belongs to a region.
        box_threshold: A region is kept if the mean of the map over it is at least this.
        unclip_ratio: A region grows by area · ratio / perimeter on each side.
        max_candidates: The number of regions that are examined, the largest first.
        dilation: Whether to join regions that are one pixel apart.
        score: Whether a region's score is the mean over its rectangle ("box") or over its own
            pixels ("polygon").

    Returns:
        Quads in map pixels, float32 [N, 4, 2], clockwise from the top left, and their scores,
        float32 [N].

    Raises:
        ArrayError: `probability` is not a two-dimensional array of floats or uint8.
    """
    _, boxes, scores = _candidates(
        probability, threshold, box_threshold, max_candidates, dilation, score
    )
    width, height = side_lengths(boxes)
    # Area / perimeter of a rectangle has a closed form, and its offset is a rectangle again.
    boxes = offset_rectangles(boxes, width * height * unclip_ratio / (2 * (width + height)))
    kept = np.minimum(*side_lengths(boxes)) >= MINIMUM_SIDE_UNCLIPPED
    return boxes[kept], scores[kept]


def polygons(
    probability: Map,
    *,
    threshold: float,
    box_threshold: float,
    unclip_ratio: float,
    max_candidates: int,
    dilation: bool = False,
) -> tuple[list[Float32], Float32]:
    """Find polygons in a probability map, for curved text.

    Args:
        probability: As in `quads`.
        threshold: As in `quads`.
        box_threshold: As in `quads`. The score is the mean over the region's own pixels, since most
            of the rectangle around a curved line is not text.
        unclip_ratio: As in `quads`.
        max_candidates: As in `quads`.
        dilation: As in `quads`.

    Returns:
        N polygons in map pixels, float32 [K, 2] each, clockwise, and their scores, float32 [N].

    Raises:
        ArrayError: `probability` is not a two-dimensional array of floats or uint8.
    """
    import pyclipper
    import shapely

    contours, _, scores = _candidates(
        probability, threshold, box_threshold, max_candidates, dilation, "polygon"
    )
    outlines = [
        cv2.approxPolyDP(c, SIMPLIFICATION * cv2.arcLength(c, True), True)[:, 0] for c in contours
    ]
    found, kept = [], []
    for i, outline in enumerate(outlines):
        if len(outline) < 4:
            continue
        shape = shapely.Polygon(outline)
        distance = shape.area * unclip_ratio / shape.length
        offset = pyclipper.PyclipperOffset(arc_tolerance=0.25 * CLIPPER_GRID)
        offset.AddPath(outline * CLIPPER_GRID, pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
        grown = offset.Execute(distance * CLIPPER_GRID)
        if len(grown) != 1:
            continue
        polygon = np.array(grown[0], np.float32) / np.float32(CLIPPER_GRID)
        if min(cv2.minAreaRect(polygon)[1]) >= MINIMUM_SIDE_UNCLIPPED:
            found.append(polygon)
            kept.append(i)
    return found, (scores[kept] if found else np.empty(0, np.float32))


def region_scores(
    probability: Map,
    mask: NDArray[np.uint8],
    contours: Sequence[NDArray[np.int32]],
) -> Float32:
    """Return the mean of the map over the region of each contour.

    Args:
        probability: float32 or uint8 [H, W].
        mask: uint8 [H, W], 1 where there is a region.
        contours: The outer contour of N connected regions of the mask.

    Returns:
        float32 [N].
    """
    count, labels = cv2.connectedComponents(mask, connectivity=8)
    sums = np.bincount(labels.ravel(), weights=probability.ravel(), minlength=count)
    areas = np.bincount(labels.ravel(), minlength=count)
    x, y = np.array([contour[0, 0] for contour in contours]).T
    mine = labels[y, x]
    return np.asarray(sums[mine] / areas[mine], np.float32)


def _candidates(
    probability: Map,
    threshold: float,
    box_threshold: float,
    most: int,
    dilation: bool,
    score: Literal["box", "polygon"],
) -> tuple[list[NDArray[np.int32]], Float32, Float32]:
    """Return contours, smallest rectangles [N, 4, 2] and scores [N] of the regions to keep."""
    probability = _checked(probability)
    mask = _binarize(probability, threshold, dilation)
    contours = _outer_contours(mask, most)
    boxes, large = _rectangles(contours, MINIMUM_SIDE)
    contours = [contours[i] for i in large.tolist()]
    if not contours:
        return contours, boxes, np.empty(0, np.float32)
    if score == "box":
        scores = box_scores(probability, boxes)
    else:
        scores = region_scores(probability, mask, contours)
    if probability.dtype == np.uint8:
        scores /= 255
    scores = np.nan_to_num(np.clip(scores, 0, 1))  # a faulty map has values outside 0 to 1
    kept = scores >= box_threshold
    return [contours[i] for i in np.flatnonzero(kept).tolist()], boxes[kept], scores[kept]


def _checked(probability: Map) -> Map:
    if probability.ndim == 2 and probability.dtype == np.uint8:
        return probability
    if probability.ndim != 2 or not np.issubdtype(probability.dtype, np.floating):
        raise ArrayError(
            "DB's probability map must be float or uint8 [H, W], not "
            f"{probability.dtype} {probability.shape}"
        )
    probability = np.ascontiguousarray(probability, np.float32)
    # The sum of infinities of both signs is invalid, and that of huge numbers overflows.
    with np.errstate(invalid="ignore", over="ignore"):
        finite = np.isfinite(probability.sum())
    if not finite:
        probability = np.clip(np.nan_to_num(probability, posinf=0.0, neginf=0.0), 0, 1)
    return probability


def _binarize(probability: Map, threshold: float, dilation: bool) -> NDArray[np.uint8]:
    if probability.dtype == np.uint8:
        threshold = int(threshold * 255)
    mask = (probability > threshold).view(np.uint8)
    if dilation and mask.size:
        mask = cv2.dilate(mask, np.ones((2, 2), np.uint8)).astype(np.uint8, copy=False)
    return mask


def _outer_contours(mask: NDArray[np.uint8], most: int) -> list[NDArray[np.int32]]:
    if not mask.size:
        return []
    contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if not len(contours):
        return []
    # The rim of a hole is not a region; a region inside a hole has an entry of its own.
    outer = [contours[i] for i in np.flatnonzero(hierarchy[0, :, 3] < 0).tolist()]
    if len(outer) > most:
        areas = np.array([cv2.contourArea(c) for c in outer])
        largest = np.sort(np.argsort(-areas, kind="stable")[:most])
        outer = [outer[i] for i in largest]
    return outer


def _rectangles(
    contours: Sequence[NDArray[np.int32]], minimum_side: float
) -> tuple[Float32, NDArray[np.intp]]:
    """Return the smallest rectangles around contours that are large enough, and their indices."""
    if not contours:
        return np.empty((0, 4, 2), np.float32), np.empty(0, np.intp)
    rectangles = np.array(
        [(*center, *size, angle) for center, size, angle in map(cv2.minAreaRect, contours)]
    )
    large = np.flatnonzero(rectangles[:, 2:4].min(axis=1) >= minimum_side)
    return rectangle_corners(rectangles[large]), large
