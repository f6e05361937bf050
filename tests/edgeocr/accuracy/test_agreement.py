"""Two readings of the same picture: which lines are the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeocr import OCR
from edgeocr.accuracy.agreement import Agreement, agreement
from edgeocr.accuracy.places import pairs
from tests.support.paths import ROOT

SAMPLE = ROOT / "tests/images/sample.jpg"


def test_a_reading_agrees_with_itself(ocr: OCR) -> None:
    page = ocr.read(SAMPLE)
    found = agreement(page, page)
    assert found == Agreement(len(page), len(page), len(page), 0.0)
    assert found.share == 1 and found.different == 0


def test_changed_lost_moved_and_added_lines_count(ocr: OCR) -> None:
    lines = list(ocr.read(SAMPLE))
    changed = [replace(lines[0], text=lines[0].text + "!"), *lines[1:]]
    moved = [replace(lines[0], quad=lines[0].quad + 5000, polygon=None), *lines[1:]]
    for other in (changed, moved, lines[1:], [*lines, moved[0]]):
        found = agreement(lines, other)
        assert found.different == 1
        assert found.share == pytest.approx(1 - 1 / max(len(lines), len(other)))


def test_the_difference_of_scores_is_of_lines_with_the_same_text(ocr: OCR) -> None:
    lines = list(ocr.read(SAMPLE))
    other = [replace(line, score=line.score - 0.25) for line in lines]
    assert agreement(lines, other).mean_score_difference == pytest.approx(0.25)
    other[0] = replace(other[0], text="", score=0.0)
    assert agreement(lines, other).mean_score_difference == pytest.approx(0.25)


def test_agreements_of_pictures_add_up() -> None:
    one, two = Agreement(10, 9, 8, 0.5), Agreement(1, 2, 1, 0.25)
    assert one + two == Agreement(11, 11, 9, 0.75)


def test_pictures_without_lines_agree() -> None:
    found = agreement([], [])
    assert found.share == 1 and found.mean_score_difference == 0


def test_each_outline_is_matched_once_with_its_best() -> None:
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], float)
    assert pairs([square, square + 1], [square + 1, square + 100]) == {1: 0}
    assert pairs([square], []) == {}


def test_a_reading_is_refused_from_more_than_one_line_in_a_hundred() -> None:
    assert Agreement(200, 200, 198, 0.0).refusal() is None
    refusal = Agreement(200, 200, 197, 0.0).refusal()
    assert refusal == "it reads 3 of 200 lines differently (1.5%, and at most 1% are allowed)"


def test_a_reading_is_refused_for_other_scores() -> None:
    assert Agreement(10, 10, 10, 0.2).refusal() is None
    refusal = Agreement(10, 10, 10, 0.3).refusal()
    assert refusal == "its scores differ by 0.030 on average (at most 0.02 is allowed)"
