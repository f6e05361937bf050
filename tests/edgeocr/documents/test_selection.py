"""Which pages are wanted: what users write, and what files lack."""

from __future__ import annotations

import pytest

from edgeocr.documents.selection import ALL, Selection


@pytest.mark.parametrize(
    ("pages", "count", "numbers"),
    [
        ("1-3,7", 9, [1, 2, 3, 7]),
        ("5-", 7, [5, 6, 7]),
        (" 7 , 1 - 2 ", 9, [1, 2, 7]),
        ("3,1-4,2-6,9", 20, [1, 2, 3, 4, 5, 6, 9]),
        ("2-,5", 6, [2, 3, 4, 5, 6]),
        ("1-3", 2, [1, 2]),
        ([3, 1, 3], 5, [1, 3]),
        (range(2, 5), 9, [2, 3, 4]),
    ],
)
def test_pages_are_in_the_order_of_the_file_and_each_is_there_once(
    pages: object, count: int, numbers: list[int]
) -> None:
    selection = Selection.parse(pages)  # type: ignore[arg-type]
    assert list(selection.numbers(count)) == numbers
    assert [number for number in range(1, count + 1) if number in selection] == numbers
    for number in range(count + 2):
        assert selection.left(number, count) == sum(each > number for each in numbers)


@pytest.mark.parametrize(
    ("pages", "named"),
    [
        ("1-2", None),
        ("2-", None),
        ("3", "3"),
        ("1-3", "3"),
        ("1-5", "3-5"),
        ("7-", "7-"),
        ("1,4,6-8", "4, 6-8"),
        ("3,5,7,9,11,13", "3, 5, 7, 9, 11, …"),
    ],
)
def test_pages_that_a_file_lacks_are_named(pages: str, named: str | None) -> None:
    missing = Selection.parse(pages).missing(2)
    assert missing == (named and f"it has 2 pages, but not the wanted pages {named}")
    assert ALL.missing(1) is None


@pytest.mark.parametrize("pages", ["", "a", "0", "3-1", "1,,2", "-3", "1--2", "1.5", "²", "9" * 30])
def test_other_texts_are_refused(pages: str) -> None:
    with pytest.raises(ValueError, match="pages"):
        Selection.parse(pages)


def test_numbers_are_checked() -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        Selection.parse([0])
    with pytest.raises(ValueError, match="at least one"):
        Selection.parse([])
    for wrong in (["1"], [1.0], [True], 3, b"3", None):
        with pytest.raises(TypeError, match=r"pages must be .*numbers"):
            Selection.parse(wrong)  # type: ignore[arg-type]
