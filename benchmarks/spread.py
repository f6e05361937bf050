"""The standard error of a figure: how much it would vary with other pictures of the same kind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgeocr.accuracy.score import Score


def standard_errors(
    scores: Sequence[Score], others: Sequence[Score] | None = None
) -> dict[str, float]:
    """Return the standard error of each of `Score.figures`, by leaving out each picture once.

    Lines of one picture succeed and fail together, so pictures are left out, and not lines. This is
    the jackknife (Tukey 1958).

    Args:
        scores: The score of each picture.
        others: Another engine's scores of the same pictures, in the same order. The errors are then
            those of the differences, the first engine's figures minus the second's. They are far
            smaller than the errors of either engine, because both read the same pictures.

    Returns:
        The error of each figure; NaN if there are fewer than two pictures.
    """
    if others is not None and len(others) != len(scores):
        raise ValueError(f"there are {len(scores)} scores and {len(others)} others")
    number, names = len(scores), list(Score().figures())
    if number < 2:
        return dict.fromkeys(names, float("nan"))
    without = np.array([_figures(scores, i) for i in range(number)])
    if others is not None:
        without -= [_figures(others, i) for i in range(number)]
    spread = np.square(without - without.mean(axis=0)).sum(axis=0)
    return dict(zip(names, np.sqrt(spread * (number - 1) / number).tolist(), strict=True))


def _figures(scores: Sequence[Score], left_out: int) -> list[float]:
    """Return the figures of all pictures but one."""
    total = Score.total(score for i, score in enumerate(scores) if i != left_out)
    return list(total.figures().values())
