"""Test that lines are cut between columns and cells, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from edgeocr.postprocess import ctc, cuts, gaps

HEIGHT, STRIDE = 48, 8
CHARACTERS = np.array(["", *" ABCDEabcde0123456789.,%-:姓名张三"], object)
INK, SPACE, WIDE = 12, 12, 64


def parts(text: str, *, pitch: int = 20, wide: int = WIDE, space: int = SPACE) -> list[str]:
    """Return what a line says between its cuts.

    Args:
        text: The line. A space is one that the network reads, `|` a wide gap in which it reads a
            space, `_` one in which it reads none, and `.` a character like others.
        pitch: Distance of neighbouring characters in pixels.
        wide: How much wider a wide gap is than one between neighbours, in pixels.
        space: The same for a space.
    """
    lefts, classes, left = [], [], 8
    for character in text:
        if character in " |_":
            left += space if character == " " else wide
            if character != "_":
                classes.append((left - pitch // 2 - STRIDE, 1))
            continue
        lefts.append(left)
        classes.append((left + INK // 2, list(CHARACTERS).index(character)))
        left += pitch
    width = left + 8
    empty = np.ones(width, np.bool_)
    for begin in lefts:
        empty[begin : begin + INK] = False
    indices = np.zeros((1, width // STRIDE + 1), np.int32)
    for place, class_ in classes:
        indices[0, place // STRIDE] = class_
    measured = gaps.measure(indices, {0: empty}, stride=STRIDE, blank=0, space=1)
    found = cuts.find(
        measured,
        CHARACTERS,
        cuts.number_classes(CHARACTERS),
        height=HEIGHT,
        stride=STRIDE,
    )
    places = found.get(0, [])
    for cut in places:
        assert 0 < cut.columns[0] < cut.columns[1] < width
        assert empty[round(cut.columns[0]) : round(cut.columns[1])].all()
    lines = np.stack(cuts.divided(indices[0], places, 0))
    return ctc.decode(lines, np.ones(lines.shape, np.float32), CHARACTERS)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ABC DE|abc de", ["ABC DE", "abc de"]),  # two columns
        ("ABC_DE_abc", ["ABC", "DE", "abc"]),  # no space was read
        ("ABC DE|abc de|AB CD", ["ABC DE", "abc de", "AB CD"]),  # three cells
        ("ABC|5", ["ABC", "5"]),
        ("张三姓名|张三", ["张三姓名", "张三"]),
    ],
)
def test_lines_are_cut_at_gaps_of_many_characters(text: str, expected: list[str]) -> None:
    assert parts(text) == expected


def test_ordinary_lines_are_not_cut() -> None:
    assert parts("ABC DE abc de") == ["ABC DE abc de"]
    assert parts("ABCDE") == ["ABCDE"]
    assert parts("A") == ["A"]


def test_justified_lines_are_not_cut() -> None:
    assert parts("AB CD ab cd ed", space=48) == ["AB CD ab cd ed"]
    assert parts("AB CD|ab cd ed", space=48) == ["AB CD|ab cd ed".replace("|", " ")]
    assert parts("AB CD|ab cd ed", space=24) == ["AB CD", "ab cd ed"]


def test_letter_spaced_headings_are_not_cut() -> None:
    assert parts("ABCDE", pitch=70) == ["ABCDE"]
    assert parts("A|B|C|D|E") == ["A B C D E"]


def test_no_single_letter_is_cut_off() -> None:
    """Chinese labels of two characters are spaced out to the width of longer ones."""
    assert parts("姓|名:张三") == ["姓 名:张三"]


def test_numbers_are_cut_at_smaller_gaps() -> None:
    near = 20
    assert parts("12.50|7%|-3", wide=near) == ["12.50", "7%", "-3"]
    assert parts("ABC|7.25|-3", wide=near) == ["ABC 7.25 -3"]
    assert parts("12.50 7 -3") == ["12.50 7 -3"]


def test_groups_of_digits_are_one_number() -> None:
    assert parts("802|225|6183", wide=20) == ["802 225 6183"]


def test_only_the_lines_with_gaps_are_cut() -> None:
    indices = np.zeros((3, 20), np.int32)
    indices[:, [2, 4, 6, 15, 17]] = 3
    empty = np.ones(160, np.bool_)
    measured = gaps.measure(indices, {1: empty}, stride=STRIDE, blank=0, space=1)
    numbers = cuts.number_classes(CHARACTERS)
    found = cuts.find(measured, CHARACTERS, numbers, height=HEIGHT, stride=STRIDE)
    assert list(found) == [1]
    assert [cut.steps for cut in found[1]] == [(6, 15)]
