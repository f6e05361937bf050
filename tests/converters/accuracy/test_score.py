"""Score against cases worked out by hand, edit distance against the textbook's table."""

from __future__ import annotations

import random

import numpy as np
import pytest

from converters.accuracy.labels import LabelledLine, Polygon
from converters.accuracy.score import Score, edit_distance, normalized


def box(x: float, y: float, width: float, height: float) -> Polygon:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], float)


def line(polygon: Polygon, text: str, care: bool = True) -> LabelledLine:
    return LabelledLine(polygon, text, care)


def score(labels: list[LabelledLine], found: list[tuple[Polygon, str]]) -> Score:
    made = Score()
    made.add(labels, found)
    return made


def plain_distance(a: str, b: str) -> int:
    table = [[i + j if not i * j else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            table[i][j] = min(
                table[i - 1][j] + 1,
                table[i][j - 1] + 1,
                table[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
            )
    return table[-1][-1]


def test_all_right() -> None:
    figures = score([line(box(0, 0, 10, 4), "ab")], [(box(0, 0, 10, 4), "ab")]).figures()
    assert figures == {
        "detection_hmean": 1,
        "precision": 1,
        "recall": 1,
        "hmean": 1,
        "cer": 0,
    }


def test_hmean_and_cer_of_a_mixed_page() -> None:
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


def test_pictures_add_up() -> None:
    total = Score()
    total.add([line(box(0, 0, 10, 4), "ab")], [(box(0, 0, 10, 4), "ab")])
    total.add([line(box(0, 0, 10, 4), "ab")], [])
    assert (total.labelled, total.found, total.exact) == (2, 1, 1)
    assert total.figures()["recall"] == 0.5


def test_overlap_of_half_counts_and_less_does_not() -> None:
    label = [line(box(0, 0, 100, 10), "a")]
    # Half as wide and inside: 500 / 1000.
    assert score(label, [(box(0, 0, 50, 10), "a")]).matched == 1
    assert score(label, [(box(0, 0, 49, 10), "a")]).matched == 0


def test_one_found_line_serves_one_label() -> None:
    labels = [line(box(0, 0, 10, 10), "a"), line(box(0, 1, 10, 10), "a")]
    total = score(labels, [(box(0, 0, 10, 10), "a")])
    assert (total.matched, total.exact, total.edits) == (1, 1, 1)


def test_best_overlap_wins() -> None:
    label = [line(box(0, 0, 100, 10), "right")]
    found = [(box(0, 0, 70, 10), "wrong"), (box(0, 0, 100, 10), "right")]
    assert score(label, found).exact == 1


def test_found_on_dont_care_counts_neither_way() -> None:
    labels = [line(box(0, 0, 100, 10), "###", care=False), line(box(0, 50, 100, 10), "ab")]
    found = [(box(0, 0, 60, 10), "zz"), (box(0, 50, 100, 10), "ab")]
    total = score(labels, found)
    assert (total.labelled, total.found, total.exact) == (1, 1, 1)
    assert total.figures()["hmean"] == 1
    assert total.figures()["cer"] == 0


def test_found_half_on_dont_care_is_wrong() -> None:
    total = score([line(box(0, 0, 50, 10), "###", care=False)], [(box(0, 0, 100, 10), "zz")])
    assert total.found == 1


def test_dont_care_over_a_labelled_line_does_not_hide_it() -> None:
    labels = [line(box(0, 0, 100, 10), "###", care=False), line(box(0, 0, 100, 10), "ab")]
    total = score(labels, [(box(0, 0, 100, 10), "ab")])
    assert (total.found, total.exact) == (1, 1)


def test_normalized_forms_are_equal() -> None:
    assert normalized("Ｔｅｌ：\u3000０１ ﬁ①\t") == "Tel:01fi1"
    label = [line(box(0, 0, 100, 10), "Tel: 01")]
    assert score(label, [(box(0, 0, 100, 10), "Ｔｅｌ：０１")]).exact == 1


def test_case_and_diacritics_stay_different() -> None:
    assert normalized("e\u0301") == "\u00e9" != normalized("e")
    assert normalized("A") != normalized("a")


def test_polygon_that_crosses_itself() -> None:
    crossed = np.array([[0, 0], [10, 10], [10, 0], [0, 10]], float)
    assert score([line(crossed, "a")], [(crossed, "a")]).matched == 1


def test_nothing_there_and_nothing_found() -> None:
    assert set(score([], []).figures().values()) == {0.0}


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("乌龙茶", "龙茶", 1)],
)
def test_known_distances(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b) == distance


def test_distance_of_random_texts() -> None:
    random_source = random.Random(20240607)
    for _ in range(300):
        a, b = (
            "".join(random_source.choices("abc茶𝄞", k=random_source.randrange(13)))
            for _ in range(2)
        )
        assert edit_distance(a, b) == plain_distance(a, b) == edit_distance(b, a), (a, b)
