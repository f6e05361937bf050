"""Decode PGNet's four maps to polygons and their texts.

PGNet is from Wang et al. 2021, "PGNet: Real-time Arbitrarily-Shaped Text Spotting with Point
Gathering Network". Text center lines are thinned to a width of one pixel; their points are put in
order by the reading direction that the network predicts there, and continued to the ends of the
line. CTC decodes the classes at these points ("point gathering"); the border offsets at some of the
points give the polygon.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import ArrayError
from . import maps, outlines, sequences
from .geometry import Float32
from .thinning import thin

Points = NDArray[np.int64]

# A center line of fewer pixels is noise (PaddleOCR's value).
MINIMUM_PIXELS = 3
# The halves of a line of this many points or more are sorted separately (PaddleOCR's value).
HALVED_FROM = 16
# A direction is as long as a character is wide. A line is continued at each end by up to half of
# 0.3 of that (PaddleOCR's value).
PROLONGATION = 0.15
# A line that filling its gaps would lengthen more than this many times is noise and stays as it is.
MOST_FILLED = 16


def lines(
    tcl: NDArray[np.float32],
    border: NDArray[np.float32],
    direction: NDArray[np.float32],
    characters: NDArray[np.float32],
    *,
    charset: NDArray[np.object_],
    blank: int,
    score_threshold: float,
    expand_scale: float,
    shrink_ratio_of_width: float,
    minimum_points: int,
    minimum_characters: int,
    gather: Literal["points", "align"] = "points",
) -> tuple[list[Float32], list[str], Float32]:
    """Find and read the texts in PGNet's maps.

    All maps are at a quarter of the input's size, and their offsets are in pixels of the map.

    Args:
        tcl: float32 [h, w] from 0 to 1, the text center lines.
        border: float32 [4, h, w], the offsets from a pixel to the upper and to the lower border, y
            before x.
        direction: float32 [2, h, w], the reading direction, x before y.
        characters: float32 [classes, h, w], the logits of the classes.
        charset: object [classes] of str, the character of each class; the blank's entry is never
            used.
        blank: The class that CTC drops.
        score_threshold: A pixel above it lies on a center line.
        expand_scale: Factor of the offsets to the borders.
        shrink_ratio_of_width: The share of a text's height by which a polygon grows at each end.
        minimum_points: Points that a line needs in order to be read, and the number that is sampled
            for its polygon.
        minimum_characters: Texts with fewer characters are dropped.
        gather: "points" reads a line's own points; "align" also reads the points between two that
            do not touch, for networks that were trained this way.

    Returns:
        N polygons in pixels of the network's input, float32 [2 · minimum_points, 2] each, clockwise
        from where reading starts; N texts; and float32 [N], the mean probability of their
        characters.

    Raises:
        ArrayError: The arrays are not maps of one size, or do not fit the charset.
    """
    others = {
        "border": (border, 4),
        "direction": (direction, 2),
        "characters": (characters, len(charset)),
    }
    score = maps.check("PGNet", tcl, others)
    if not 0 <= blank < len(charset):
        raise ArrayError(f"the blank is class {blank}, the charset has {len(charset)} classes")
    center = (score > score_threshold).astype(np.uint8)
    direction = np.nan_to_num(direction, posinf=0.0, neginf=0.0)
    gathered = []
    for points in _instances(thin(center)):
        line = _prolonged(_in_reading_order(points, direction), direction, center)
        if gather == "align":
            line = _filled(line)
        if len(line) >= minimum_points:
            gathered.append(line)
    if not gathered:
        return [], [], np.empty(0, np.float32)
    lengths = np.array([len(line) for line in gathered])
    texts, scores = _decode(np.concatenate(gathered), lengths, characters, charset, blank)
    places = np.stack([line[_sampled(len(line), minimum_points)] for line in gathered])
    ways = outlines.offsets(border, places) * expand_scale
    long = np.array([len(text) >= minimum_characters for text in texts])
    near = (np.abs(ways) < maps.FARTHEST).all(axis=(1, 2, 3))
    kept = np.flatnonzero(long & near)
    polygons = outlines.outline(places[kept], ways[kept], shrink_ratio_of_width)
    return list(polygons), [texts[i] for i in kept.tolist()], scores[kept]


def _instances(skeleton: NDArray[np.uint8]) -> list[Points]:
    """Return the pixels [N, 2] (y, x) of each long enough connected line of a mask [h, w]."""
    if not skeleton.size:
        return []
    _, labels = cv2.connectedComponents(skeleton, connectivity=8)
    places = np.argwhere(skeleton)
    owner = labels[skeleton > 0]
    order = np.argsort(owner, kind="stable")
    starts = np.flatnonzero(np.diff(owner[order], prepend=0))
    parts = np.split(places[order], starts[1:])
    return [part for part in parts if len(part) >= MINIMUM_PIXELS]


def _in_reading_order(points: Points, direction: Float32) -> Points:
    """Sort points [N, 2] (y, x) along the mean of the directions [2, h, w] at them.

    The halves of a long line are sorted separately, so that the line may bend.
    """
    points = _along_direction(points, direction)
    if len(points) < HALVED_FROM:
        return points
    middle = len(points) // 2
    halves = points[:middle], points[middle:]
    return np.concatenate([_along_direction(half, direction) for half in halves])


def _along_direction(points: Points, direction: Float32) -> Points:
    return points[np.argsort(points @ _mean_direction(points, direction), kind="stable")]


def _mean_direction(points: Points, direction: Float32) -> NDArray[np.float64]:
    """Return the mean direction (y, x) at points [N, 2]."""
    ways = direction[::-1, points[:, 0], points[:, 1]].astype(np.float64)
    mean: NDArray[np.float64] = ways.mean(axis=1)
    return mean


def _prolonged(points: Points, direction: Float32, center: NDArray[np.uint8]) -> Points:
    """Continue a line straight ahead at both ends, as far as the mask [h, w] reaches."""
    share = max(len(points) // 3, 2)
    begin = -_mean_direction(points[:share], direction)
    end = _mean_direction(points[-share:], direction)
    longest = PROLONGATION * (np.linalg.norm(begin) + np.linalg.norm(end)) / 2
    steps = 2 * int(np.clip(longest, 1, max(center.shape)))
    return np.concatenate(
        [
            _ahead(points[0], begin, steps, center)[::-1],
            points,
            _ahead(points[-1], end, steps, center),
        ]
    )


def _ahead(
    start: Points, way: NDArray[np.float64], steps: int, center: NDArray[np.uint8]
) -> Points:
    """Return the pixels [N, 2] that steps of one pixel pass before they leave the mask."""
    unit = way / (np.linalg.norm(way) + 1e-6)
    passed = np.round(start + unit * np.arange(1, steps + 1)[:, None]).astype(np.int64)
    inside = ((passed >= 0) & (passed < center.shape)).all(axis=1)
    inside[inside] = center[passed[inside, 0], passed[inside, 1]] > 0
    passed = passed[: len(passed) if inside.all() else int(inside.argmin())]
    moves = np.append(True, (np.diff(passed, axis=0) != 0).any(axis=1))
    return np.asarray(passed[moves[: len(passed)]])


def _filled(points: Points) -> Points:
    """Add the pixels between points of a line that are more than one pixel apart."""
    apart = np.diff(points, axis=0)
    steps = np.maximum(np.abs(apart).max(axis=1), 1)
    if steps.sum() > MOST_FILLED * len(points):
        return points
    owner = np.repeat(np.arange(len(steps)), steps)
    done = np.arange(len(owner)) - np.repeat(np.cumsum(steps) - steps, steps)
    between = points[owner] + done[:, None] * (apart / steps[:, None])[owner]
    return np.concatenate([between.astype(np.int64), points[-1:]])


def _sampled(length: int, number: int) -> NDArray[np.int64]:
    """Return the indices of the points whose border offsets count, evenly spaced, with the last."""
    places = np.arange(number) * (length // max(number - 1, 1))
    places[-1] = length - 1
    return places


def _decode(
    points: Points,
    lengths: NDArray[np.int64],
    characters: Float32,
    charset: NDArray[np.object_],
    blank: int,
) -> tuple[list[str], NDArray[np.float32]]:
    """Decode the points [K, 2] of all lines, which follow each other, to texts and scores."""
    logits = np.nan_to_num(characters[:, points[:, 0], points[:, 1]].astype(np.float32, copy=False))
    indices = logits.argmax(axis=0)
    best = logits.max(axis=0)
    with np.errstate(over="ignore"):  # a difference beyond float32 is a probability of 0
        probability = 1 / np.exp(logits - best).sum(axis=0)
    first = np.zeros(len(points), bool)
    first[np.cumsum(lengths) - lengths] = True
    kept = (indices != blank) & (first | np.append(True, indices[1:] != indices[:-1]))
    found = np.add.reduceat(kept, np.cumsum(lengths) - lengths, dtype=np.int64)
    return sequences.spell(indices[kept], probability[kept], found, charset)
