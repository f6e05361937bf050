"""Words are scored as multisets of upper-case runs of letters and digits."""

from __future__ import annotations

import pytest

from converters.accuracy.words import WordScore


def test_words_count_wherever_they_stand_and_as_often_as_they_do() -> None:
    score = WordScore()
    score.add(["Total: 12.50", "the end", "the"], ["TOTAL", "50 the 12", "The_other"])
    assert (score.labelled, score.found, score.common) == (6, 6, 5)
    score.add(["one"], [])
    figures = score.figures()
    assert figures["word_precision"] == pytest.approx(5 / 6)
    assert figures["word_recall"] == pytest.approx(5 / 7)
    assert figures["word_f1"] == pytest.approx(10 / 13)


def test_nothing_labelled_and_nothing_found_scores_nothing() -> None:
    assert set(WordScore().figures().values()) == {0.0}
