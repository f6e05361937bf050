"""Reduce many quads of each text to one.

The algorithm is locality-aware non-maximum suppression (Zhou et al. 2017).
Every pixel of a text predicts the four corners of its quad. Neighbouring pixels predict nearly the
same, so quads are first merged along the rows of the map, weighted by their scores, and only what
is left is compared with everything else.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .geometry import intersection_areas, signed_areas
from .maps import FARTHEST, MAX_REGIONS

Quads = NDArray[np.float64]
# Least x and y, and largest x and y: each [N, 2].
Boxes = tuple[NDArray[np.float64], NDArray[np.float64]]

# Quads with a smaller area, in square pixels, are ignored.
MINIMUM_AREA = 1.0
# Merging is exact after one to four rounds on words and lines of text; noise may take more, and may
# not settle at all.
MAX_ROUNDS = 8
# No further round of merging begins once the rounds together have made this many comparisons for
# each quad. The most that was measured is 2.0 on pages of 3 000 words and 2.7 on pages of 150
# lines, both turned by up to 45 degrees, and 2.1 on smooth noise. A full map of equal quads would
# take 7.3.
MAX_COMPARISONS = 4
# The most pairs of quads that the suppression compares, beginning with the strongest quads. Only
# maps of noise have so many. A page of 3 000 words compares none of its quads if it is upright, and
# up to 330 000 pairs if it is turned by 45 degrees, where the upright boxes around neighbouring
# words overlap.
MAX_PAIRS = 500_000
# Quads that are suppressed together: few enough for a table of all their pairs.
BLOCK = 256
# Relative error by which an intersection may come out larger than it is.
ROUNDING = 1e-6


def locality_aware(found: Quads, weights: NDArray[np.float64], threshold: float) -> Quads:
    """Merge and suppress quads, the strongest first.

    Args:
        found: float64 [N, 4, 2] of `sound` quads, in the order of the map's pixels.
        weights: float64 [N], the scores of their pixels.
        threshold: Quads with a larger intersection over union are taken for one text.

    Returns:
        float64 [M, 4, 2], no more than `MAX_REGIONS` quads.
    """
    found, weights = _merged_along_rows(found, weights, threshold)
    return found[_suppress(found, weights, threshold)]


def sound(found: Quads) -> NDArray[np.bool_]:
    """Tell which quads [N, 4, 2] can be those of texts: convex, large enough and near the picture.

    Their corners may run clockwise or counter-clockwise.
    """
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
    going from pixel to pixel, ends are guessed from neighbours and corrected by the means of all
    groups at once, until they stay the same. Then they are what a loop over pixels would find.
    """
    if len(found) < 2:
        return found, weights
    places = np.arange(len(found))
    joins = _boxes_overlap(found[1:], found[:-1]) > threshold
    totals = np.cumsum(weights[:, None] * found.reshape(-1, 8), axis=0)
    masses = np.cumsum(weights)
    first = np.full(len(found), -1)
    compared = 0
    for _ in range(MAX_ROUNDS):
        previous = first
        first = np.maximum.accumulate(np.where(np.append(False, joins), 0, places))
        mass = masses - np.where(first, masses[first - 1], 0)
        total = totals - np.where(first[:, None], totals[first - 1], 0)
        means = (total / mass[:, None]).reshape(-1, 4, 2)
        moved = np.flatnonzero(first[:-1] != previous[:-1])
        corrected = _overlap(found[moved + 1], means[moved], threshold)
        if (corrected == joins[moved]).all():
            break
        joins[moved] = corrected
        compared += len(moved)
        if compared >= MAX_COMPARISONS * len(found):
            break
    last = np.append(first[1:] != first[:-1], True)
    return means[last], mass[last]


def _suppress(found: Quads, weights: NDArray[np.float64], threshold: float) -> NDArray[np.intp]:
    """Suppress quads greedily; return the indices of those that stay, the strongest first.

    Quads are handled in blocks: what overlaps a quad that stays is dropped at once, and the rest of
    the block is decided by a table of its pairs.
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
    """Find pairs of quads that overlap by more than the threshold.

    Args:
        found: float64 [N, 4, 2].
        low: Least x and y of each quad.
        high: Largest x and y of each quad.
        rows: Indices of the first quads.
        columns: Indices of the second quads.
        threshold: The intersection over union above which a pair counts.
        later: Whether the second quad must come after the first.

    Returns:
        The places of each pair in `rows` and in `columns`, and how many pairs were compared.
    """
    near = np.ones((len(rows), len(columns)), bool)
    for axis in (0, 1):
        near &= low[rows, axis][:, None] < high[columns, axis]
        near &= high[rows, axis][:, None] > low[columns, axis]
    # In one dimension NumPy finds the few that are true several times faster.
    row, column = np.divmod(np.flatnonzero(near), max(len(columns), 1))
    if later:
        row, column = row[column > row], column[column > row]
    same = _overlap(found[rows[row]], found[columns[column]], threshold)
    return row[same], column[same], len(same)


def _overlap(a: Quads, b: Quads, threshold: float) -> NDArray[np.bool_]:
    """Tell for each pair of convex quads whether they overlap by more than the threshold.

    Two quads have no more in common than the upright boxes around them, and no more than the area
    of the smaller one. The intersection is computed only where that much would be enough.
    """
    area_a, area_b = np.abs(signed_areas(a)), np.abs(signed_areas(b))
    both = area_a + area_b
    most = np.minimum(_common_of_boxes(_bounds(a), _bounds(b)), np.minimum(area_a, area_b))
    possible = np.flatnonzero(most * (1 + ROUNDING) > threshold * (both - most))
    common = intersection_areas(a[possible], b[possible])
    above = np.zeros(len(a), bool)
    above[possible] = common > threshold * np.maximum(both[possible] - common, 1e-9)
    return above


def _boxes_overlap(a: Quads, b: Quads) -> NDArray[np.float64]:
    """Return the intersection over union of the upright boxes around quads [N, 4, 2], by pair."""
    (low_a, high_a), (low_b, high_b) = bounds = _bounds(a), _bounds(b)
    common = _common_of_boxes(*bounds)
    union = _area(high_a - low_a) + _area(high_b - low_b) - common
    return common / np.maximum(union, 1e-9)


def _common_of_boxes(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """Return the areas [N] that upright boxes have in common, pair by pair."""
    (low_a, high_a), (low_b, high_b) = a, b
    return _area(np.maximum(np.minimum(high_a, high_b) - np.maximum(low_a, low_b), 0))


def _area(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    return sizes[:, 0] * sizes[:, 1]


def _bounds(found: Quads) -> Boxes:
    """Return the least and the largest x and y of quads [N, 4, 2]."""
    # `min(axis=1)` takes four times as long.
    a, b, c, d = found.transpose(1, 0, 2)
    low = np.minimum(np.minimum(a, b), np.minimum(c, d))
    return low, np.maximum(np.maximum(a, b), np.maximum(c, d))
