"""Decode SAST's four maps to polygons.

SAST is from Wang et al. 2019, "A Single-Shot Arbitrarily-Shaped Text Detector based on Context
Attended Multi-Task Learning". The pixels of a text's center line predict its four corners, which
give one quad for each text; its center, which tells the pixels of different texts apart; and the
distances to its upper and lower border, which give the polygon.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import maps, nms, outlines
from .geometry import Float32, enclosing, signed_areas

# PaddleOCR's filters: the least area and side of a quad in map pixels, and the least share of its
# area that the scores of its center line add up to.
MINIMUM_AREA = 5.0
MINIMUM_SIDE = 3.0
MINIMUM_SHARE = 0.1
# Least and largest step in map pixels by which `expand_scale` moves a border (PaddleOCR's values).
EXPANSION = (0.5, 3.0)
# Pixels whose nearest text is looked for in one go.
POINTS_AT_ONCE = 256


def polygons(
    tcl: NDArray[np.float32],
    border: NDArray[np.float32],
    tvo: NDArray[np.float32],
    tco: NDArray[np.float32],
    *,
    score_threshold: float,
    nms_threshold: float,
    sample_points: int,
    expand_scale: float,
    shrink_ratio_of_width: float,
) -> tuple[list[Float32], Float32]:
    """Find polygons in SAST's maps.

    All maps are at a quarter of the input's size; their offsets are in pixels of the map. Pixels
    with an offset that is not finite, or that leads farther away than a picture is large, are
    ignored.

    Args:
        tcl: float32 [h, w] from 0 to 1, the text center lines.
        border: float32 [4, h, w], the offsets from a pixel to the upper and to the lower border, y
            before x.
        tvo: float32 [8, h, w], a pixel's position minus the positions of its text's four corners, x
            before y, clockwise from the top left.
        tco: float32 [2, h, w], a pixel's position minus the position of its text's center, x before
            y.
        score_threshold: A pixel above it lies on a center line.
        nms_threshold: Quads with a larger intersection over union are taken for one text.
        sample_points: Points on each center line, at least 2; a polygon has twice as many.
        expand_scale: Factor of the offsets to the borders, which grow by 0.5 to 3 pixels; 1 leaves
            them as they are.
        shrink_ratio_of_width: The share of a text's height by which its center line was shortened
            at each end in training.

    Returns:
        N polygons in pixels of the network's input, float32 [2 · sample_points, 2] each, clockwise
        from the top left, and float32 [N], the mean scores of their center lines.

    Raises:
        ArrayError: The arrays are not maps of one size.
    """
    score = maps.check("SAST", tcl, {"border": (border, 4), "tvo": (tvo, 8), "tco": (tco, 2)})
    y, x = np.nonzero(score > score_threshold)
    near = np.ones(len(y), bool)
    for array in (border, tvo, tco):
        near &= (np.abs(array[:, y, x]) < maps.FARTHEST).all(axis=0)
    y, x = y[near], x[near]
    scores = score[y, x]
    pixels = np.stack([x, y], 1).astype(np.float64)

    quads = pixels[:, None] - tvo[:, y, x].T.reshape(-1, 4, 2)
    sound = nms.sound(quads)
    quads = nms.locality_aware(quads[sound], scores[sound].astype(np.float64), nms_threshold)
    if not len(quads):
        return [], np.empty(0, np.float32)
    owner = _nearest(pixels - tco[:, y, x].T, quads.mean(axis=1))
    counts = np.bincount(owner, minlength=len(quads))
    sums = np.bincount(owner, weights=scores, minlength=len(quads))

    areas = signed_areas(quads)
    sides = np.linalg.norm(quads[:, 1:3] - quads[:, :2], axis=2)
    large = (areas >= MINIMUM_AREA) & (sides.min(axis=1) >= MINIMUM_SIDE)
    kept = large & (counts > 0) & (sums >= MINIMUM_SHARE * areas)
    order, starts = _along_their_texts(pixels, owner, quads)
    picked = order[starts[kept, None] + _spread(counts[kept], sample_points)]
    places = np.stack([y[picked], x[picked]], -1)
    ways = outlines.offsets(border, places)
    if expand_scale != 1:
        lengths = np.linalg.norm(ways, axis=-1, keepdims=True)
        ways *= 1 + np.clip(lengths * (expand_scale - 1), *EXPANSION) / np.maximum(lengths, 1e-6)
    found = outlines.outline(places, ways, shrink_ratio_of_width)
    return list(found), (sums[kept] / counts[kept]).astype(np.float32)


def quads(
    tcl: NDArray[np.float32],
    border: NDArray[np.float32],
    tvo: NDArray[np.float32],
    tco: NDArray[np.float32],
    *,
    score_threshold: float,
    nms_threshold: float,
    sample_points: int,
    expand_scale: float,
    shrink_ratio_of_width: float,
) -> tuple[Float32, Float32]:
    """Find quads in SAST's maps.

    With more than two `sample_points` a quad is the smallest rectangle around the polygon.

    Args:
        tcl: As in `polygons`.
        border: As in `polygons`.
        tvo: As in `polygons`.
        tco: As in `polygons`.
        score_threshold: As in `polygons`.
        nms_threshold: As in `polygons`.
        sample_points: As in `polygons`.
        expand_scale: As in `polygons`.
        shrink_ratio_of_width: As in `polygons`.

    Returns:
        float32 [N, 4, 2] in pixels of the network's input, and their scores, float32 [N].

    Raises:
        ArrayError: The arrays are not maps of one size.
    """
    found, scores = polygons(
        tcl,
        border,
        tvo,
        tco,
        score_threshold=score_threshold,
        nms_threshold=nms_threshold,
        sample_points=sample_points,
        expand_scale=expand_scale,
        shrink_ratio_of_width=shrink_ratio_of_width,
    )
    return enclosing(found), scores


def _nearest(points: NDArray[np.float64], centers: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return for each point [N, 2] the nearest center [M, 2], the first of several equally near.

    Points that lie together share a box. A center that is farther from all of this box than
    another center is from its farthest corner is not compared with the points in it.
    """
    nearest = np.empty(len(points), np.intp)
    for group in _groups(points):
        low, high = points[group].min(axis=0), points[group].max(axis=0)
        least = np.maximum(np.maximum(low - centers, centers - high), 0)
        most = np.maximum(centers - low, high - centers)
        able = np.flatnonzero((least**2).sum(axis=1) <= (most**2).sum(axis=1).min())
        x, y = points[group].T[..., None]
        distances = (x - centers[able, 0]) ** 2 + (y - centers[able, 1]) ** 2
        nearest[group] = able[distances.argmin(axis=1)]
    return nearest


def _groups(points: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Return the indices of points [N, 2] in groups that lie together.

    The points are cut into columns of equal size, and each column into as many groups.
    """
    number = math.ceil(math.sqrt(len(points) / POINTS_AT_ONCE))
    columns = np.array_split(np.argsort(points[:, 0]), number)
    return [
        column[part]
        for column in columns
        for part in np.array_split(np.argsort(points[column, 1]), number)
    ]


def _along_their_texts(
    pixels: NDArray[np.float64], owner: NDArray[np.intp], quads: nms.Quads
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Sort pixels [N, 2] by their text and, within it, along the reading direction.

    Returns:
        The order of the pixels [N], and where in it each text begins.
    """
    direction = quads[:, 1] + quads[:, 2] - quads[:, 0] - quads[:, 3]
    direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-6)
    along = (pixels * direction[owner]).sum(axis=1)
    counts = np.bincount(owner, minlength=len(quads))
    return np.lexsort((along, owner)), np.cumsum(counts) - counts


def _spread(counts: NDArray[np.intp], number: int) -> NDArray[np.intp]:
    """Return evenly spaced places [N, number] from 0 to each count - 1, rounded down."""
    places = (np.arange(number) * ((counts[:, None] - 1) / (number - 1))).astype(np.float32)
    places[:, -1] = counts - 1
    return places.astype(np.intp)
