"""How much less one variant reads than another of the same pictures, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np

from edgeocr.accuracy.score import Score
from edgeocr.bundle.provenance import Interval

# The confidence of the intervals, and the number of sets of pictures that are drawn for them. The
# seed is fixed, because freezing has to give the same bytes each time.
CONFIDENCE = 0.95
DRAWS = 2000
SEED = 20
# Figures of which more is worse; of the others, less is worse.
ERRORS = ("cer",)
# Points are rounded to a hundredth, as recorded accuracies are.
DIGITS = 2


def losses(full: Sequence[Score], other: Sequence[Score]) -> dict[str, Interval]:
    """Return how much each of `Score.figures` is worse, in points (hundredths), with intervals.

    Lines of one picture succeed and fail together, so pictures are drawn, with replacement, and not
    lines; both variants are scored on the same draw (paired bootstrap; Efron 1979).

    Args:
        full: The score of each picture.
        other: The other variant's scores of the same pictures, in the same order.

    Raises:
        ValueError: The numbers of scores differ, or there are none.
    """
    if len(full) != len(other) or not full:
        raise ValueError(f"there are {len(full)} scores and {len(other)} others")
    number = len(full)
    drawn = np.random.default_rng(SEED).integers(0, number, (DRAWS, number))
    times = np.stack([np.bincount(draw, minlength=number) for draw in drawn])
    draws = [_figures(times @ _counts(scores)) for scores in (full, other)]
    whole = [_figures(_counts(scores).sum(axis=0, keepdims=True)) for scores in (full, other)]
    tail = 50 * (1 - CONFIDENCE)
    result = {}
    for place, name in enumerate(Score().figures()):
        sign = -100.0 if name in ERRORS else 100.0
        lost = sign * (draws[0][:, place] - draws[1][:, place])
        points = sign * (whole[0][0, place] - whole[1][0, place])
        ends = np.percentile(lost, [tail, 100 - tail])
        result[name] = Interval(*(round(float(value), DIGITS) + 0.0 for value in (points, *ends)))
    return result


def _counts(scores: Sequence[Score]) -> np.ndarray:
    """Return the counts of each picture, [pictures, counts]."""
    return np.array([astuple(score) for score in scores])


def _figures(counts: np.ndarray) -> np.ndarray:
    """Return the figures of sums of counts, [sums, figures]."""
    return np.array([list(Score(*map(int, row)).figures().values()) for row in counts])
