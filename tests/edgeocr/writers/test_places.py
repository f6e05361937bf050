"""Boxes, directions and baselines of lines."""

from __future__ import annotations

import numpy as np
import pytest

from edgeocr import Line, Word
from edgeocr.writers.places import (
    Box,
    angle_of,
    baseline_of,
    box_of,
    outline_of,
    percent,
    reading_quad,
)
from tests.support import read_pages
from tests.support.quads import level
from tests.support.read_pages import turned

PAGE = read_pages.empty()


def test_box_is_whole_pixels_of_the_page() -> None:
    assert box_of(level(10.6, 20.2, 30.1, 5.1), PAGE) == Box(10, 20, 41, 26)
    assert box_of(level(-5, -5, 1000, 1000), PAGE) == Box(0, 0, 400, 300)
    # What lies outside of the page, or nowhere, still has a place on it.
    assert box_of(level(900, 900, 10, 10), PAGE) == Box(399, 299, 400, 300)
    assert box_of(np.full((4, 2), np.nan, np.float32), PAGE) == Box(0, 0, 1, 1)


@pytest.mark.parametrize("degrees", [0, 10, 90, 100, 180, 270, 350])
def test_words_tell_the_direction(degrees: int) -> None:
    quad = turned(level(100, 100, 100, 20), degrees)
    # Detection knows where a line stands, but not where its text begins.
    for start in range(4):
        line = Line("ab", 1.0, np.roll(quad, start, axis=0), words=(Word("ab", 1.0, quad),))
        np.testing.assert_array_equal(reading_quad(line), quad)
        assert angle_of(line) % 360 == pytest.approx(degrees, abs=0.01)


def test_tall_line_without_words_runs_down() -> None:
    line = Line("请勿停车", 1.0, level(10, 20, 20, 80))
    np.testing.assert_array_equal(reading_quad(line)[:2], [[30, 20], [30, 100]])
    assert angle_of(line) == pytest.approx(90)
    assert angle_of(Line("ab", 1.0, level(10, 20, 20, 25))) == 0
    # The box of a single letter or digit is often narrow.
    assert angle_of(Line("1", 1.0, level(10, 20, 10, 25))) == 0


@pytest.mark.parametrize("turns", range(4))
def test_baseline_is_seen_with_quarter_turns_undone(turns: int) -> None:
    slope = 4
    quad = turned(level(100, 100, 100, 20), 90 * turns + slope)
    base = baseline_of(Line("HELLO", 1.0, quad, words=(Word("HELLO", 1.0, quad),)))
    assert base.quarter_turns == turns
    assert base.slope == pytest.approx(np.tan(np.radians(slope)), abs=1e-3)
    assert base.size == pytest.approx(20, abs=0.01)
    # At the left of the box the baseline is above the bottom by what the line falls, 100 · sin 4°,
    # and by 0.15 of its height.
    assert base.offset == pytest.approx(-7 - 3, abs=0.3)


def test_letters_that_hang_raise_the_baseline() -> None:
    quad = level(0, 0, 100, 20)
    assert baseline_of(Line("pygmy", 1.0, quad)).offset == pytest.approx(-5.6)
    assert baseline_of(Line("HELLO", 1.0, quad)).offset == pytest.approx(-3)


def test_only_what_is_no_level_rectangle_has_an_outline() -> None:
    assert outline_of(Line("a", 1.0, level(10, 20, 200, 20))) is None
    assert outline_of(Line("a", 1.0, level(10, 20, 20, 200))) is None
    assert outline_of(Line("a", 1.0, turned(level(10, 20, 200, 20), 90))) is None
    slanting = turned(level(10, 20, 200, 20), 2)
    assert outline_of(Line("a", 1.0, slanting)) is slanting
    curved = read_pages.curved()[0]
    assert outline_of(curved) is curved.polygon


def test_scores_are_limited() -> None:
    assert [percent(x) for x in (0.5, 1.2, -1.0, float("nan"), float("inf"))] == [50, 100, 0, 0, 0]
