"""The slant of a page's rows, and how the rows converge if the page was seen from the side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..postprocess.geometry import Float32
from ..postprocess.median import median
from .boxes import Float64
from .scripts import lean

# Standard deviation of the direction of a box, as a multiple of its height over its length, that
# comes from the letters at its ends; and standard deviation of its corners, in pixels.
LEAN = 0.08
JITTER = 0.7
# The ratio of the lean of a box to that of the letters at its ends: mean and standard deviation
# over pictures. It was measured on drawn tables: 0.5 in level ones, 1.0 in turned ones.
SHARE = (0.7, 0.4)
# A box must be this many times as long as it is high for its direction to count.
LONG = 1.5
# The least and the greatest uncertainty of a slope that is estimated from the directions of boxes.
LEAST_DOUBT, MOST_DOUBT = 0.003, 0.04
# By how many nats a level page is likelier than any other, and parallel rows than converging ones.
LEVEL_BONUS = 2.0
PARALLEL_BONUS = 2.0
# The most nats by which the edges of columns can speak for one of several slopes.
EDGES_BONUS = 3.0
# Standard deviation of the convergence: the change of the slope from the page's middle to its top.
CONVERGENCE = 0.05
# The vertical positions of cells of one row differ by at most this share of a line's height.
NEAR = 0.25
# Standard deviation of these positions, as a share of a line's height.
UNEVEN = 0.07
# The number of histogram cells to either side of a value in which other values count as near.
WINDOW = 2
# The most slopes and convergences that are tried.
MOST_SLOPES, MOST_CONVERGENCES = 121, 25


@dataclass(frozen=True)
class Slant:
    """The direction of a page's rows.

    Attributes:
        angle: Direction at the page's centre, in radians clockwise from the x axis.
        convergence: Change of the slope per pixel downwards, in the levelled page.
        centre: The page's centre (x, y) in pixels.
    """

    angle: float
    convergence: float
    centre: tuple[float, float]

    def levelled(self, quads: Float32) -> Float32:
        """Return quads [N, 4, 2] placed so that rows are level, the centre at (0, 0)."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        moved = (quads - np.array(self.centre)) @ np.array([[cos, -sin], [sin, cos]])
        if self.convergence:
            moved[..., 1] /= np.maximum(1 + self.convergence * moved[..., 0], 0.2)
        return np.asarray(moved, np.float32)


def find(quads: Float32, texts: Sequence[str] | None = None) -> Slant:
    """Estimate the slant of a page that stands upright, up to 45 degrees.

    Two things tell the slant. The first is the directions of boxes. Long boxes say most, because a
    box leans with the letters at its ends: "Honey" by more than 2 degrees on a level page. The
    second is rows: at the right slope, the cells of a row stand at the same height on the page, so
    heights gather at few places. A slope is rated by the logarithm of its likelihood under both,
    and a level page is preferred to a slope that is hardly more likely.

    Args:
        quads: float32 [N, 4, 2], clockwise from the top left.
        texts: What is written in each quad, if that is known; then the letters at its ends are
            taken into account.
    """
    points = quads.astype(np.float64)
    centres = points.mean(axis=1)
    low, high = centres.min(axis=0), centres.max(axis=0)
    x, y = (low + high) / 2
    along = (points[:, 1] + points[:, 2] - points[:, 0] - points[:, 3]) / 2
    down = (points[:, 3] + points[:, 2] - points[:, 0] - points[:, 1]) / 2
    long = np.linalg.norm(along, axis=1)
    thick = np.maximum(np.linalg.norm(down, axis=1), 1.0)
    wide = (long > LONG * thick) & (np.abs(along[:, 1]) < 2 * np.abs(along[:, 0]))
    upright = (down[:, 1] > LONG * np.maximum(long, 1)) & ~wide
    if not wide.any() or upright.sum() > wide.sum():
        angle = _of_vertical(down[upright], long[upright])
        return Slant(angle, 0.0, (float(x), float(y)))
    slopes = along[wide, 1] / along[wide, 0]
    doubts = np.hypot(LEAN * thick[wide], JITTER) / long[wide]
    unsure = 0.0
    if texts is not None:
        leans = np.array([lean(text) for text in texts])[wide] * thick[wide] / long[wide]
        share, unsure = _share(slopes, leans, 1 / doubts**2)
        slopes = slopes - share * leans
    slope, doubt = _middle(slopes, doubts)
    doubt = float(np.clip(np.hypot(doubt, unsure), LEAST_DOUBT, MOST_DOUBT))
    # Rows are looked for on the page after the directions of the boxes have levelled it.
    level = Slant(float(np.arctan(slope)), 0.0, (float(x), float(y)))
    seen = level.levelled(quads).astype(np.float64)[wide]
    height = median(thick[wide])
    change, convergence = _fitted(seen, height, slope, doubt, slopes - slope, doubts)
    total = 0.0 if change == -slope else slope + change * (1 + slope * slope)
    return Slant(float(np.arctan(total)), convergence, (float(x), float(y)))


def _of_vertical(down: Float64, thick: Float64) -> float:
    """Return the slant of a page on which most lines run downwards.

    Args:
        down: float64 [N, 2] from the upper end of each line to its lower end.
        thick: float64 [N], how wide the lines are.
    """
    if not len(down):
        return 0.0
    slope, doubt = _middle(-down[:, 0] / down[:, 1], np.hypot(LEAN * thick, JITTER) / down[:, 1])
    return float(np.arctan(slope)) if abs(slope) > 2 * max(doubt, LEAST_DOUBT) else 0.0


def _share(slopes: Float64, leans: Float64, weights: Float64) -> tuple[float, float]:
    """Return the ratio of the boxes' leans to those of their letters.

    The second result is the doubt about the mean slope that follows from the doubt about the ratio.
    """
    mean = float(weights @ leans / weights.sum())
    away = leans - mean
    usual, spread = SHARE
    certain = float(weights @ (away * away)) + 1 / spread**2
    share = (float(weights @ (away * slopes)) + usual / spread**2) / certain
    return share, abs(mean) / float(np.sqrt(certain))


def _middle(slopes: Float64, doubts: Float64) -> tuple[float, float]:
    """Return the weighted median of slopes, and its standard deviation."""
    weights = 1 / doubts**2
    order = np.argsort(slopes)
    shares = np.cumsum(weights[order])
    middle = float(slopes[order][np.searchsorted(shares, shares[-1] / 2)])
    count = weights.sum() ** 2 / (weights**2).sum()
    away = np.abs(slopes - middle)
    order = np.argsort(away)
    shares = np.cumsum(weights[order])
    spread = 1.48 * float(away[order][np.searchsorted(shares, shares[-1] / 2)])
    single = max(spread, float(1 / np.sqrt(weights.mean())))
    # Words of a list often end alike, so their leans are no independent samples.
    return middle, float(single / count ** (1 / 3))


def _fitted(
    quads: Float64, height: float, slope: float, doubt: float, slopes: Float64, doubts: Float64
) -> tuple[float, float]:
    """Return by how much rows still rise on the levelled page, and how they converge.

    Args:
        quads: float64 [N, 4, 2], after the directions of the boxes have levelled them.
        height: Usual height of a line, in pixels.
        slope: The slope that was removed.
        doubt: The standard deviation of that slope.
        slopes: Directions of the boxes [N], without that slope.
        doubts: Standard deviations of these directions [N].
    """
    centres = quads.mean(axis=1)
    x, y = centres.T
    reach = max(float(np.ptp(x)) / 2, height)
    fall = max(float(np.ptp(y)) / 2, height)
    step = max(0.1 * height / reach, 6 * doubt / MOST_SLOPES)
    count = int(np.ceil(3 * doubt / step))
    tried: Float64 = np.arange(-count, count + 1) * np.float64(step)
    if abs(slope) < 4 * doubt:
        tried = np.append(tried, -slope)
    prior = -0.5 * (tried / doubt) ** 2 + np.where(tried == -slope, LEVEL_BONUS, 0.0)
    prior = prior + _edges(quads, tried, height)
    nats = _gathered(y - tried[:, None] * x, NEAR * height) + prior
    best = int(np.argmax(nats))
    most = float(nats[best])
    found = float(tried[best]), 0.0
    # Convergence: the directions of the boxes tell roughly how much there is.
    weights = 1 / doubts**2
    certain = float((weights * y * y).sum())
    expected = float((weights * y * slopes).sum()) / max(certain, 1e-9)
    deviation = 2 / np.sqrt(max(certain, 1e-9))
    widest = min(3 * CONVERGENCE / fall, abs(expected) + 3 * deviation)
    step = max(0.15 * height / (reach * fall), 2 * widest / MOST_CONVERGENCES)
    side = int(widest / step)
    for convergence in np.arange(-side, side + 1) * step:
        if convergence == 0 or 1 - abs(convergence) * 2 * reach < 0.3:
            continue
        moved = (y - tried[:, None] * x) / (1 + convergence * x)
        worth = _gathered(moved, NEAR * height) + prior - PARALLEL_BONUS
        worth -= 0.5 * (convergence * fall / CONVERGENCE) ** 2
        worth -= 0.5 * ((convergence - expected) / deviation) ** 2
        best = int(np.argmax(worth))
        if worth[best] > most - 0.5 * (expected / deviation) ** 2:
            most = float(worth[best]) + 0.5 * (expected / deviation) ** 2
            found = float(tried[best]), float(convergence)
    level = found == (-slope, 0.0)
    for _ in range(2):
        refined, gain = _refined(found, x, y, slopes, doubts, height, fall)
        if level and gain < LEVEL_BONUS + PARALLEL_BONUS:
            break
        found, level = refined, False
    return found


def _refined(
    found: tuple[float, float],
    x: Float64,
    y: Float64,
    slopes: Float64,
    doubts: Float64,
    height: float,
    fall: float,
) -> tuple[tuple[float, float], float]:
    """Return the rise and the convergence that fit rows and directions best, by least squares.

    The second result says by how many nats these are likelier than `found`.
    """
    rise, convergence = found
    level = (y - rise * x) / (1 + convergence * x)
    order = np.argsort(level)
    row = np.empty(len(y), np.intp)
    row[order] = np.cumsum(np.diff(level[order], prepend=level[order[0]]) > NEAR * height)
    count = np.bincount(row)

    def means(values: Float64) -> Float64:
        return np.asarray((np.bincount(row, values) / count)[row])

    at = means(level)
    precise = 1 / (UNEVEN * height)
    left = np.concatenate(
        [
            np.stack([x - means(x), x * at - means(x * at)], 1) * precise,
            np.stack([np.ones(len(y)), at], 1) / doubts[:, None],
            [[0, fall / CONVERGENCE]],
        ]
    )
    right = np.concatenate([(y - means(y)) * precise, slopes / doubts, [0]])
    solved = np.linalg.lstsq(left, right, rcond=None)[0]
    before, after = left @ np.array(found) - right, left @ solved - right
    gain = float(before @ before - after @ after) / 2
    return (float(solved[0]), float(solved[1])), gain


def _edges(quads: Float64, tried: Float64, height: float) -> Float64:
    """Return how far the edges of columns speak for each slope [S], in nats."""
    y = quads[..., 1].mean(axis=1)
    lefts, rights = quads[:, [0, 3], 0].mean(axis=1), quads[:, [1, 2], 0].mean(axis=1)
    found = np.max(
        [_gathered(x + tried[:, None] * y, NEAR * height) for x in (lefts, rights)], axis=0
    )
    return np.asarray(EDGES_BONUS * (found - found.max()) / max(float(found.max()), 1.0))


def _gathered(values: Float64, width: float) -> Float64:
    """Return how closely each row of values [S, N] gathers, in nats.

    For each value, the values within `width` of it are counted, itself included. The result is the
    sum of the logarithms of these counts: 0 if no two values are that close, N log N if all are.
    """
    sets = len(values)
    fine = width / WINDOW
    cells = ((values - values.min(axis=1, keepdims=True)) / fine).astype(np.intp) + WINDOW + 1
    size = int(cells.max()) + WINDOW + 2
    cells += np.arange(sets)[:, None] * size
    sums = np.cumsum(np.bincount(cells.ravel(), minlength=sets * size))
    return np.asarray(np.log(sums[cells + WINDOW] - sums[cells - WINDOW - 1]).sum(axis=1))
