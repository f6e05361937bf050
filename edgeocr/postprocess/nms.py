"""Locality-aware non-maximum suppression (Zhou et al. 2017): many quads per text → one.

Every pixel inside a text says where the four corners of its quad are. Neighbours say nearly the
same, so quads are first merged along the rows of the map, weighted by their scores, and only what
is left is compared with everything else.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .geometry import intersection_areas, signed_areas
from .maps import FARTHEST

Quads = NDArray[np.float64]

# Smaller quads, in square pixels, are no text.
MINIMUM_AREA = 1.0
# Merging is exact after two or three rounds on a network's maps; noise may take more.
MAX_ROUNDS = 8
# Bounds of the suppression for maps that are noise; the strongest quads come first. A page of 3 000
# words compares about 50 000 pairs.
MAX_REGIONS = 3000
MAX_PAIRS = 500_000
# Quads that are suppressed together: few enough for a table of all their pairs.
BLOCK = 256


def locality_aware(found: Quads, weights: NDArray[np.float64], threshold: float) -> Quads:
    """Merge and suppress quads, the strongest first.

    found: float64 [N, 4, 2] of `sound` quads, in the order in which a map's pixels are read.
    weights: float64 [N], the scores of their pixels.
    threshold: quads with a larger intersection over union are one text.

    Returns float64 [M, 4, 2] with M <= `MAX_REGIONS`.
    """
    found, weights = _merged_along_rows(found, weights, threshold)
    return found[_suppress(found, weights, threshold)]


def sound(found: Quads) -> NDArray[np.bool_]:
    """Which quads [N, 4, 2] are convex in either direction, not too small and not far away."""
    with np.errstate(invalid="ignore", over="ignore"):
        sides = np.roll(found, -1, axis=1) - found
        following = np.roll(sides, -1, axis=1)
        turns = sides[..., 0] * following[..., 1] - sides[..., 1] * following[..., 0]
        convex = (turns >= 0).all(axis=1) | (turns <= 0).all(axis=1)
        large = np.abs(signed_areas(found)) >= MINIMUM_AREA
        near = (np.abs(found) < FARTHEST).all(axis=(1, 2))
    return np.asarray(convex & large & near)


def _merged_along_rows(
    found: Quads, weights: NDArray[np.float64], threshold: float
) -> tuple[Quads, NDArray[np.float64]]:
    """Join each quad [N, 4, 2] with those before it while it overlaps their weighted mean.

    Where a group ends depends on the mean so far, which depends on where it began. Instead of
    going from pixel to pixel, guess the ends from neighbours, look at the means of all groups at
    once, correct the ends, and repeat until they stay: then they are what the loop would find.
    """
    if len(found) < 2:
        return found, weights
    places = np.arange(len(found))
    joins = _boxes_overlap(found[1:], found[:-1]) > threshold
    totals = np.cumsum(weights[:, None] * found.reshape(-1, 8), axis=0)
    masses = np.cumsum(weights)
    first = np.full(len(found), -1)
    for _ in range(MAX_ROUNDS):
        previous = first
        first = np.maximum.accumulate(np.where(np.append(False, joins), 0, places))
        mass = masses - np.where(first, masses[first - 1], 0)
        total = totals - np.where(first[:, None], totals[first - 1], 0)
        means = (total / mass[:, None]).reshape(-1, 4, 2)
        moved = np.flatnonzero(first[:-1] != previous[:-1])
        corrected = _overlap(found[moved + 1], means[moved]) > threshold
        if (corrected == joins[moved]).all():
            break
        joins[moved] = corrected
    last = np.append(first[1:] != first[:-1], True)
    return means[last], mass[last]


def _suppress(found: Quads, weights: NDArray[np.float64], threshold: float) -> NDArray[np.intp]:
    """Greedy non-maximum suppression: the indices of the quads that stay, the strongest first.

    Goes through the quads in blocks: what overlaps a quad that stays is dropped at once, the rest
    of the block is decided by a table of its pairs.
    """
    order = np.argsort(-weights, kind="stable")
    low, high = _bounds(found)
    kept = np.empty(0, np.intp)
    compared = 0
    while len(order) and len(kept) < MAX_REGIONS and compared < MAX_PAIRS:
        block, order = order[:BLOCK], order[BLOCK:]
        free = np.ones(len(block), bool)
        row, _, first = _pairs(found, low, high, block, kept, threshold)
        free[row] = False
        block = block[free]
        row, column, second = _pairs(found, low, high, block, block, threshold, later=True)
        compared += first + second
        stays = np.ones(len(block), bool)
        ends = np.searchsorted(row, np.arange(1, len(block) + 1))
        begin = 0
        for i, end in enumerate(ends.tolist()):
            if stays[i]:
                stays[column[begin:end]] = False
            begin = end
        kept = np.concatenate([kept, block[stays]])
    return kept[:MAX_REGIONS]


def _pairs(
    found: Quads,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    threshold: float,
    later: bool = False,
) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """Places in `rows` and `columns` of quads that overlap by more than the threshold, and how many
    pairs were compared; with `later` only those where the column comes after the row.
    """
    near = np.ones((len(rows), len(columns)), bool)
    for axis in (0, 1):
        near &= low[rows, axis][:, None] < high[columns, axis]
        near &= high[rows, axis][:, None] > low[columns, axis]
    row, column = np.nonzero(near)
    if later:
        row, column = row[column > row], column[column > row]
    same = _overlap(found[rows[row]], found[columns[column]]) > threshold
    return row[same], column[same], len(same)


def _overlap(a: Quads, b: Quads) -> NDArray[np.float64]:
    """Intersection over union of convex quads [N, 4, 2], pair by pair."""
    common = intersection_areas(a, b)
    union = np.abs(signed_areas(a)) + np.abs(signed_areas(b)) - common
    return common / np.maximum(union, 1e-9)


def _boxes_overlap(a: Quads, b: Quads) -> NDArray[np.float64]:
    """Intersection over union of the upright boxes around quads [N, 4, 2], pair by pair."""
    (low_a, high_a), (low_b, high_b) = _bounds(a), _bounds(b)
    common = _area(np.maximum(np.minimum(high_a, high_b) - np.maximum(low_a, low_b), 0))
    union = _area(high_a - low_a) + _area(high_b - low_b) - common
    return common / np.maximum(union, 1e-9)


def _area(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    return sizes[:, 0] * sizes[:, 1]


def _bounds(found: Quads) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Least and largest x and y of quads [N, 4, 2]; `min(axis=1)` takes four times as long."""
    a, b, c, d = found.transpose(1, 0, 2)
    low = np.minimum(np.minimum(a, b), np.minimum(c, d))
    return low, np.maximum(np.maximum(a, b), np.maximum(c, d))
