"""Words of lines that were read without words."""

from __future__ import annotations

import numpy as np

from edgeocr import Line, Word
from edgeocr.writers.divided import spaced_words, words_of
from tests.support import read_pages
from tests.support.quads import level


def test_words_that_were_read_are_kept() -> None:
    line = read_pages.curved()[0]
    assert words_of(line) is line.words


def test_line_is_divided_by_its_characters() -> None:
    words = words_of(Line("ab c", 0.5, level(10, 0, 80, 20)))
    assert [(word.text, word.score) for word in words] == [("ab", 0.5), ("c", 0.5)]
    np.testing.assert_array_equal(words[0].quad, level(10, 0, 40, 20))
    np.testing.assert_array_equal(words[1].quad, level(70, 0, 20, 20))


def test_chinese_characters_count_twice() -> None:
    words = words_of(Line("今日ABCD", 0.5, level(0, 0, 80, 20)))
    assert [word.text for word in words] == ["今日", "ABCD"]
    np.testing.assert_array_equal(words[0].quad, level(0, 0, 40, 20))


def test_right_to_left_line_begins_at_the_right() -> None:
    first, *_, last = words_of(read_pages.right_to_left()[0])
    assert first.text == "שלום" and first.quad[1, 0] == 230
    assert last.text == "טוב" and last.quad[0, 0] == 100


def test_words_of_a_column_run_down() -> None:
    first, second = words_of(Line("停车 AB", 0.5, level(0, 0, 20, 70)))
    # From the corner at which reading begins, as words that were read.
    np.testing.assert_allclose(first.quad, [[20, 0], [20, 40], [0, 40], [0, 0]])
    np.testing.assert_allclose(second.quad, [[20, 50], [20, 70], [0, 70], [0, 50]])


def test_spaces_are_told_from_changes_of_script() -> None:
    line = read_pages.chinese()[0]
    spaced = [(word.text, space) for word, space in spaced_words(line)]
    assert spaced == [("今日特价", True), ("ABC", False), ("很好", False)]
    assert list(spaced_words(Line("", 0.0, level(0, 0, 9, 9)))) == []


def test_words_that_are_not_in_the_text_are_separated() -> None:
    quad = level(0, 0, 9, 9)
    line = Line("one", 1.0, quad, words=(Word("two", 1.0, quad), Word("three", 1.0, quad)))
    assert [space for _, space in spaced_words(line)] == [True, False]
