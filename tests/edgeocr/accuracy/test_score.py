"""Test scores on cases worked out by hand."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from edgeocr import MissingLibraryError
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.accuracy.places import Polygon
from edgeocr.accuracy.score import Score, normalized


def box(x: float, y: float, width: float, height: float) -> Polygon:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], float)


def line(polygon: Polygon, text: str, care: bool = True) -> LabelledLine:
    return LabelledLine(polygon, text, care)


def score(labels: list[LabelledLine], found: list[tuple[Polygon, str]]) -> Score:
    made = Score()
    made.add(labels, found)
    return made


def test_perfect_reading_has_the_best_figures() -> None:
    figures = score([line(box(0, 0, 10, 4), "ab")], [(box(0, 0, 10, 4), "ab")]).figures()
    assert figures == {
        "detection_hmean": 1,
        "precision": 1,
        "recall": 1,
        "hmean": 1,
        "cer": 0,
        "word_precision": 1,
        "word_recall": 1,
        "word_f1": 1,
    }


def test_mixed_page_has_the_hmean_and_cer_worked_out_by_hand() -> None:
    # Three lines: one read right, one with one wrong character of four, one of five not found;
    # and one found where nothing is.
    labels = [
        line(box(0, 0, 100, 10), "abc"),
        line(box(0, 20, 100, 10), "defg"),
        line(box(0, 40, 100, 10), "hijkl"),
    ]
    found = [
        (box(0, 0, 100, 10), "abc"),
        (box(0, 20, 100, 10), "dexg"),
        (box(0, 80, 100, 10), "zz"),
        (box(0, 100, 100, 10), "yy"),
    ]
    total = score(labels, found)
    assert (total.labelled, total.found, total.matched, total.exact) == (3, 4, 2, 1)
    assert (total.edits, total.characters) == (1 + 5, 12)
    figures = total.figures()
    assert figures["detection_hmean"] == pytest.approx(2 * 2 / 7)
    assert figures["precision"] == pytest.approx(1 / 4)
    assert figures["recall"] == pytest.approx(1 / 3)
    assert figures["hmean"] == pytest.approx(2 / 7)
    assert figures["cer"] == pytest.approx(6 / 12)


def test_counts_of_pictures_add_up() -> None:
    total = Score()
    total.add([line(box(0, 0, 10, 4), "ab")], [(box(0, 0, 10, 4), "ab")])
    total.add([line(box(0, 0, 10, 4), "ab")], [])
    assert (total.labelled, total.found, total.exact) == (2, 1, 1)
    assert total.figures()["recall"] == 0.5


def test_overlap_of_half_matches_and_less_does_not() -> None:
    label = [line(box(0, 0, 100, 10), "a")]
    # Half as wide and inside: 500 / 1000.
    assert score(label, [(box(0, 0, 50, 10), "a")]).matched == 1
    assert score(label, [(box(0, 0, 49, 10), "a")]).matched == 0


def test_found_line_matches_one_label_only() -> None:
    labels = [line(box(0, 0, 10, 10), "a"), line(box(0, 1, 10, 10), "a")]
    total = score(labels, [(box(0, 0, 10, 10), "a")])
    assert (total.matched, total.exact, total.edits) == (1, 1, 1)


def test_label_matches_the_best_overlap() -> None:
    label = [line(box(0, 0, 100, 10), "right")]
    found = [(box(0, 0, 70, 10), "wrong"), (box(0, 0, 100, 10), "right")]
    assert score(label, found).exact == 1


def test_line_found_on_an_ignored_label_does_not_count() -> None:
    labels = [line(box(0, 0, 100, 10), "###", care=False), line(box(0, 50, 100, 10), "ab")]
    found = [(box(0, 0, 60, 10), "zz"), (box(0, 50, 100, 10), "ab")]
    total = score(labels, found)
    assert (total.labelled, total.found, total.exact) == (1, 1, 1)
    assert total.figures()["hmean"] == 1
    assert total.figures()["cer"] == 0


def test_line_found_half_on_an_ignored_label_counts() -> None:
    total = score([line(box(0, 0, 50, 10), "###", care=False)], [(box(0, 0, 100, 10), "zz")])
    assert total.found == 1


def test_ignored_label_does_not_hide_a_label_below_it() -> None:
    labels = [line(box(0, 0, 100, 10), "###", care=False), line(box(0, 0, 100, 10), "ab")]
    total = score(labels, [(box(0, 0, 100, 10), "ab")])
    assert (total.found, total.exact) == (1, 1)


def test_texts_are_compared_in_nfkc_without_spaces() -> None:
    assert normalized("Ｔｅｌ：\u3000０１ ﬁ①\t") == "Tel:01fi1"
    label = [line(box(0, 0, 100, 10), "Tel: 01")]
    assert score(label, [(box(0, 0, 100, 10), "Ｔｅｌ：０１")]).exact == 1


def test_case_and_diacritics_make_texts_differ() -> None:
    assert normalized("e\u0301") == "\u00e9" != normalized("e")
    assert normalized("A") != normalized("a")


def test_polygon_that_crosses_itself_matches() -> None:
    crossed = np.array([[0, 0], [10, 10], [10, 0], [0, 10]], float)
    assert score([line(crossed, "a")], [(crossed, "a")]).matched == 1


def test_empty_page_has_zero_figures() -> None:
    assert set(score([], []).figures().values()) == {0.0}


def test_words_count_wherever_they_stand_and_however_they_are_joined() -> None:
    labels = [line(box(0, 0, 100, 10), "Total: 12.50 RM"), line(box(0, 20, 100, 10), "no no yes")]
    # Joined to one line, in capitals, with one "no" too few, one word wrong and one too many.
    found = [(box(0, 0, 100, 30), "TOTAL 12.50 RN"), (box(0, 60, 9, 9), "no yes (yes)")]
    total = score(labels, found)
    assert (total.labelled_words, total.found_words, total.common_words) == (7, 7, 5)
    assert total.figures()["word_f1"] == pytest.approx(5 / 7)
    total.add([], [(box(0, 0, 10, 10), "three more words")])
    assert total.figures()["word_precision"] == pytest.approx(5 / 10)
    assert total.figures()["word_recall"] == pytest.approx(5 / 7)


def test_words_of_lines_that_do_not_count_are_left_out() -> None:
    labels = [line(box(0, 0, 100, 10), "one"), line(box(0, 20, 100, 10), "###", care=False)]
    found = [(box(0, 0, 100, 10), "one"), (box(0, 20, 100, 10), "blurred")]
    assert score(labels, found).figures()["word_f1"] == 1


def test_total_is_the_score_of_all_pictures() -> None:
    pictures = [
        ([line(box(0, 0, 10, 4), "ab c")], [(box(0, 0, 10, 4), "ab d")]),
        ([line(box(0, 0, 10, 4), "e")], [(box(0, 0, 10, 4), "e"), (box(50, 0, 10, 4), "f")]),
    ]
    together = Score()
    for labels, found in pictures:
        together.add(labels, found)
    assert Score.total(score(*each) for each in pictures) == together
    assert Score.total([]) == Score()


def test_a_missing_rapidfuzz_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidfuzz.distance", None)
    with pytest.raises(MissingLibraryError, match=r'rapidfuzz .*pip install "edgeocr\[bench\]"'):
        score([line(box(0, 0, 100, 10), "one")], [])
