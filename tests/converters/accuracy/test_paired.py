"""Test the loss of one variant beside another, and its confidence interval."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.spread import standard_errors
from converters.accuracy.paired import losses
from edgeocr.accuracy.score import Score


def drawn(seed: int, number: int, worse: float = 0.0) -> tuple[list[Score], list[Score]]:
    """Return scores of pictures, and those of a variant that gets some of their lines wrong."""
    rng = np.random.default_rng(seed)
    full: list[Score] = []
    other: list[Score] = []
    for lines in rng.integers(5, 40, number):
        exact = int(rng.binomial(lines, 0.9))
        lost = int(rng.binomial(exact, worse))
        row = {"labelled": int(lines), "found": int(lines), "characters": 10 * int(lines)}
        words = {"labelled_words": 2 * int(lines), "found_words": 2 * int(lines)}
        for scores, right in ((full, exact), (other, exact - lost)):
            edits = 3 * (int(lines) - right)
            scores.append(
                Score(
                    **row,
                    **words,
                    matched=int(lines),
                    exact=right,
                    edits=edits,
                    common_words=2 * right,
                )
            )
    return full, other


def test_points_are_the_differences_of_the_figures():
    full, other = drawn(1, 12, 0.05)
    figures = [Score.total(scores).figures() for scores in (full, other)]
    found = losses(full, other)
    for name, sign in (("hmean", 100), ("word_f1", 100), ("cer", -100)):
        expected = sign * (figures[0][name] - figures[1][name])
        assert found[name].points == pytest.approx(expected, abs=0.005)
        assert found[name].points > 0


def test_interval_is_about_as_wide_as_the_jackknife_says():
    """Nearly twice the standard error to each side, by another method than the bootstrap."""
    full, other = drawn(2, 60, 0.05)
    error = standard_errors(full, other)
    for name, found in losses(full, other).items():
        wide = found.high - found.low
        assert wide == pytest.approx(2 * 1.96 * 100 * error[name], rel=0.2, abs=0.01)
        assert found.low <= found.points <= found.high


def test_interval_covers_the_truth_in_about_19_of_20_sets():
    """The truth: in the long run, 90 % of lines are exact, and 4 % of these are lost."""
    covered = 0
    for seed in range(30):
        found = losses(*drawn(100 + seed, 40, 0.04))["hmean"]
        covered += found.low <= 100 * 0.9 * 0.04 <= found.high
    assert 25 <= covered <= 30


def test_same_readings_lose_nothing_and_order_counts():
    full, other = drawn(3, 10, 0.1)
    assert all((x.points, x.low, x.high) == (0, 0, 0) for x in losses(full, full).values())
    assert losses(full, other) == losses(full, other)
    one, back = losses(full, other)["hmean"], losses(other, full)["hmean"]
    assert (back.points, back.low, back.high) == (-one.points, -one.high, -one.low)
    assert str(back).startswith("-")


def test_scores_of_other_pictures_are_refused():
    full, other = drawn(4, 5)
    with pytest.raises(ValueError, match="5 scores and 4 others"):
        losses(full, other[:4])
