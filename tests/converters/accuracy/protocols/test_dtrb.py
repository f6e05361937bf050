"""Test DTRB's protocol by hand-made cases, and beside OpenOCR's metric."""

from __future__ import annotations

import json

import pytest

from converters.accuracy.protocols.dtrb import DtrbScore, alphanumeric
from tests.support.accuracy_cases import WORDS
from tests.support.paths import FIXTURES


def test_words_are_right_where_openocr_says_so() -> None:
    expected = json.loads((FIXTURES / "accuracy.json").read_text())["words"]
    right = [alphanumeric(labelled) == alphanumeric(read) for labelled, read in WORDS]
    assert right == expected
    assert 0 < sum(right) < len(right)


def test_figures_are_worked_out_by_hand() -> None:
    score = DtrbScore()
    for labelled, read in (("Cafe!", "cafe"), ("Tea", "Tea"), ("milk", "malt"), ("ＡＢ", "AB")):
        score.add(labelled, read)
    # By the protocol, full-width letters are none of the 36 characters; in NFKC they are letters.
    assert (score.words, score.right, score.exact) == (4, 2, 2)
    assert score.figures()["accuracy"] == 2 / 4 and score.figures()["exact"] == 2 / 4
    assert score.figures()["cer"] == pytest.approx((2 + 0 + 2 + 0) / (5 + 3 + 4 + 2))


def test_average_is_over_words_and_not_over_sets() -> None:
    large, small = DtrbScore(words=90, right=90), DtrbScore(words=10, right=0)
    assert DtrbScore.total([large, small]).figures()["accuracy"] == 0.9
    assert set(DtrbScore().figures().values()) == {0.0}
