"""Characters are spread over a line, from the places at which a network noticed them."""

from __future__ import annotations

import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeocr.postprocess.peaks import even, extents, of_each_character, usual_width
from tests.support.drawn_words import face


def noticed(middles: list[float], width: float = 4) -> np.ndarray:
    """Return columns of this width around the middles."""
    return np.array([(x - width / 2, x + width / 2) for x in middles], np.float32)


def test_characters_of_one_width_meet_in_the_middle() -> None:
    found = extents("欢迎光临", noticed([20, 60, 100, 140]), (40, 160))
    assert found[1:, 0].tolist() == found[:-1, 1].tolist() == [40, 80, 120]
    # The outer ones are a little wider, because they may be.
    assert found[0, 0] == found[0, 0].clip(0) <= 1 and found[-1, 1] >= 159


def test_a_narrow_character_takes_less_of_the_distance_than_a_wide_one() -> None:
    found = extents("mim", noticed([30, 60, 90]), (60, 120))
    left, right = found[1]
    assert right - left < 0.5 * (found[0, 1] - found[0, 0])


def test_a_gap_between_words_belongs_to_no_character() -> None:
    """A space is noticed anywhere in its gap."""
    found = extents("ab cd", noticed([20, 40, 120, 200, 220]), (40, 240))
    assert found[1, 1] < 55 and found[3, 0] > 185


def test_characters_that_are_spaced_keep_a_usual_size() -> None:
    found = extents("营业", noticed([100, 500]), (40, 600))
    assert np.all(found[:, 1] - found[:, 0] <= 1.15 * 1.5 * 40)


def test_a_shift_of_all_steps_is_put_right_by_half_a_step_at_most() -> None:
    middles = [20.0, 60, 100, 140]
    exact = extents("欢迎光临", noticed(middles, 8), (40, 160))
    shifted = extents("欢迎光临", noticed([x + 3 for x in middles], 8), (40, 160))
    np.testing.assert_allclose(shifted, exact, atol=0.5)
    far = extents("欢迎光临", noticed([x + 12 for x in middles], 8), (40, 180))
    assert far[1, 0] == pytest.approx(exact[1, 0] + 12 - 2, abs=0.5)


def test_lines_are_divided_evenly() -> None:
    assert even(6, 120).tolist() == [[20 * i, 20 * i + 20] for i in range(6)]
    assert even(0, 120).shape == (0, 2)


def test_a_class_of_several_characters_is_divided() -> None:
    places, owner = of_each_character(np.array([[0, 10], [10, 40]], np.float32), [1, 3])
    assert places.tolist() == [[0, 10], [10, 20], [20, 30], [30, 40]]
    assert owner.tolist() == [0, 1, 1, 1]
    places, owner = of_each_character(np.empty((0, 2), np.float32), [])
    assert places.shape == (0, 2) and owner.shape == (0,)


def test_usual_widths_are_those_of_a_typeface() -> None:
    """Pillow's own font was one of those that the widths were chosen by."""
    font = face(200)
    for character in string.ascii_letters + string.digits + ".,:-()":
        assert usual_width(character) == pytest.approx(font.getlength(character) / 200, abs=0.14)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 500, width=32), st.floats(0, 50, width=32), st.sampled_from("aiW国 -")
        ),
        max_size=12,
    ),
    st.integers(1, 100),
    st.integers(1, 600),
)
def test_extents_lie_in_the_crop_in_any_order_and_do_not_overlap(
    peaks: list[tuple[float, float, str]], height: int, width: int
) -> None:
    columns = np.array([(x, x + wide) for x, wide, _ in peaks], np.float32).reshape(-1, 2)
    text = "".join(character for *_, character in peaks)
    columns = np.minimum(columns, width)
    found = extents(text, columns, (height, width))
    assert found.shape == (len(text), 2) and np.isfinite(found).all()
    assert (found >= 0).all() and (found <= width).all()
    order = np.argsort(columns.mean(axis=1), kind="stable")
    assert (found[order][1:, 0] >= found[order][:-1, 1] - 1e-3).all()
    # The order of the text doesn't matter.
    backwards = extents(text[::-1], columns[::-1], (height, width))
    if len({*columns.mean(axis=1).tolist()}) == len(text):
        np.testing.assert_allclose(backwards[::-1], found, atol=1e-3)
