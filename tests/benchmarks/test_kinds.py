"""Random pictures of each kind are drawn, and judged by what is read in them."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from benchmarks import kinds
from tests.support import turned_pages
from tests.support.sheet_kinds import KINDS as SHEETS


class Fixed:
    """Stands in for an `OCR`: every picture has the same text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def read(self, picture: object) -> Fixed:
        return self


@pytest.mark.parametrize(
    ("read", "right"),
    [
        ("one two", True),
        ("one\n\ntwo", True),
        ("two one", False),
        ("one", False),
    ],
)
def test_picture_is_right_if_its_text_comes_in_order(read: str, right: bool) -> None:
    drawn = kinds.Drawn(np.zeros((2, 2, 3), np.uint8), "one\ntwo")
    assert kinds.is_right(Fixed(read), drawn) is right  # type: ignore[arg-type]


def test_three_of_a_hundred_characters_may_differ() -> None:
    drawn = kinds.Drawn(np.zeros((2, 2, 3), np.uint8), "a" * 100)
    assert kinds.is_right(Fixed("a" * 97 + "bbb"), drawn)  # type: ignore[arg-type]
    assert not kinds.is_right(Fixed("a" * 96 + "bbbb"), drawn)  # type: ignore[arg-type]


def test_row_counts_and_names_the_seeds_that_are_wrong() -> None:
    made = kinds.measure(
        Fixed("x"),  # type: ignore[arg-type]
        "any",
        lambda seed: kinds.Drawn(b"", "x" if seed % 2 else "y"),
        range(4),
    )
    assert (made.right, made.count, made.wrong) == (2, 4, [0, 2])
    assert kinds.row(made).split() == ["any", "2", "of", "4", "50.0", "%", "wrong:", "0", "2"]


@pytest.mark.parametrize("kind", kinds.OTHERS)
def test_same_seed_draws_the_same_picture(kind: str) -> None:
    first, again, other = (kinds.OTHERS[kind](seed) for seed in (5, 5, 6))
    assert first.text == again.text != other.text
    assert np.array_equal(first.picture, again.picture)


def test_turned_pages_are_turned_by_quarter_turns() -> None:
    drawn, _ = turned_pages.page(0)
    assert kinds.OTHERS["turned_page"](0).picture.shape[:2] == drawn.size  # type: ignore[union-attr]


@pytest.mark.stress
def test_kinds_with_chinese_characters_are_drawn_with_the_font_that_has_them() -> None:
    def is_chinese(name: str) -> bool:
        sheets = (SHEETS[name](np.random.default_rng(seed)) for seed in range(10))
        letters = {letter for sheet in sheets for text in sheet.texts for letter in text.text}
        return any(unicodedata.name(letter, "").startswith("CJK") for letter in letters)

    assert {name for name in SHEETS if is_chinese(name)} == kinds.CHINESE
