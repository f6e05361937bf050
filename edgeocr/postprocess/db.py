"""DB: a probability map → text regions (Liao et al. 2019, "Real-time Scene Text Detection
with Differentiable Binarization").

The network is trained to predict regions shrunk by an offset proportional to area / perimeter,
so each region found in the map is grown back by the same rule ("unclip").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import ArrayError
from .geometry import Float32, box_scores, offset_rectangles, rectangle_corners, side_lengths

# Regions narrower than this many map pixels are noise, before and after unclipping
# (PaddleOCR's `min_size`).
MINIMUM_SIDE = 3
MINIMUM_SIDE_UNCLIPPED = 5
# Share of its own perimeter by which a polygon may be simplified (PaddleOCR's value).
SIMPLIFICATION = 0.002
# pyclipper works on integers: polygons are offset on a grid this much finer than the map.
CLIPPER_GRID = 8


def quads(
    probability: NDArray[np.float32],
    *,
    threshold: float,
    box_threshold: float,
    unclip_ratio: float,
    max_candidates: int,
    dilation: bool = False,
    score: Literal["box", "polygon"] = "box",
) -> tuple[Float32, Float32]:
    """Probability map → rotated rectangles in map pixels.

    probability: float32 [H, W] in 0…1. NaN counts as 0.
    threshold: a pixel above it belongs to a region.
    box_threshold: a region is kept when the map's mean over it is at least this.
    unclip_ratio: regions grow by area · ratio / perimeter on each side.
    max_candidates: at most this many regions are looked at, the largest ones.
    dilation: join regions that are one pixel apart.
    score: take the mean over the region's rectangle ("box") or over its own pixels ("polygon").

    Returns quads float32 [N, 4, 2], clockwise from the top left, and their scores float32 [N].
    Raises `ArrayError` when `probability` is no float map.
    """
    _, boxes, scores = _candidates(
        probability, threshold, box_threshold, max_candidates, dilation, score
    )
    width, height = side_lengths(boxes)
    # Area / perimeter of a rectangle in closed form; offsetting it gives a rectangle again.
    boxes = offset_rectangles(boxes, width * height * unclip_ratio / (2 * (width + height)))
    kept = np.minimum(*side_lengths(boxes)) >= MINIMUM_SIDE_UNCLIPPED
    return boxes[kept], scores[kept]


def polygons(
    probability: NDArray[np.float32],
    *,
    threshold: float,
    box_threshold: float,
    unclip_ratio: float,
    max_candidates: int,
    dilation: bool = False,
) -> tuple[list[Float32], Float32]:
    """Probability map → polygons in map pixels, for curved text.

    Parameters and errors are those of `quads`; scores are of a region's own pixels, since most of
    the rectangle around a curved line isn't text.
    Returns float32 [K, 2] polygons, clockwise, and their scores float32 [N].
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
    probability: NDArray[np.float32],
    mask: NDArray[np.uint8],
    contours: Sequence[NDArray[np.int32]],
) -> Float32:
    """Mean of the map over the connected region of `mask` behind each contour → float32 [N]."""
    count, labels = cv2.connectedComponents(mask, connectivity=8)
    sums = np.bincount(labels.ravel(), weights=probability.ravel(), minlength=count)
    areas = np.bincount(labels.ravel(), minlength=count)
    x, y = np.array([contour[0, 0] for contour in contours]).T
    mine = labels[y, x]
    return np.asarray(sums[mine] / areas[mine], np.float32)


def _candidates(
    probability: NDArray[np.float32],
    threshold: float,
    box_threshold: float,
    most: int,
    dilation: bool,
    score: Literal["box", "polygon"],
) -> tuple[list[NDArray[np.int32]], Float32, Float32]:
    """Contours, smallest rectangles [N, 4, 2] and scores [N] of the regions that count."""
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
    kept = scores >= box_threshold
    return [contours[i] for i in np.flatnonzero(kept).tolist()], boxes[kept], scores[kept]


def _checked(probability: NDArray[np.float32]) -> NDArray[np.float32]:
    if probability.ndim != 2 or not np.issubdtype(probability.dtype, np.floating):
        raise ArrayError(
            f"a DB probability map is float [H, W], got {probability.dtype} {probability.shape}"
        )
    probability = np.ascontiguousarray(probability, np.float32)
    with np.errstate(invalid="ignore"):  # infinities of both signs
        finite = np.isfinite(probability.sum())
    if not finite:
        probability = np.nan_to_num(probability, nan=0.0, posinf=0.0, neginf=0.0)
    return probability


def _binarize(
    probability: NDArray[np.float32], threshold: float, dilation: bool
) -> NDArray[np.uint8]:
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
    # A hole's rim is no region of its own; a region within the hole has its own entry.
    outer = [contours[i] for i in np.flatnonzero(hierarchy[0, :, 3] < 0).tolist()]
    if len(outer) > most:
        areas = np.array([cv2.contourArea(c) for c in outer])
        largest = np.sort(np.argsort(-areas, kind="stable")[:most])
        outer = [outer[i] for i in largest]
    return outer


def _rectangles(
    contours: Sequence[NDArray[np.int32]], minimum_side: float
) -> tuple[Float32, NDArray[np.intp]]:
    """Smallest rectangles around the contours, and which contours' rectangles are large enough."""
    if not contours:
        return np.empty((0, 4, 2), np.float32), np.empty(0, np.intp)
    rectangles = np.array(
        [(*center, *size, angle) for center, size, angle in map(cv2.minAreaRect, contours)]
    )
    large = np.flatnonzero(rectangles[:, 2:4].min(axis=1) >= minimum_side)
    return rectangle_corners(rectangles[large]), large
