"""Properties of the reading order that hold for every page."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeocr.layout import READING_ORDERS, analyse
from tests.fuzz.strategies import pages, quads

TEXTS = st.sampled_from(["one two", "شكرا", "中文", "12", "", "."])


@given(quads(25), st.sampled_from(READING_ORDERS), st.data())
def test_every_line_is_in_the_order_exactly_once(lines, reading_order, data):
    texts = data.draw(
        st.none() | st.lists(TEXTS, min_size=len(lines), max_size=len(lines)), label="texts"
    )
    layout = analyse(lines, reading_order=reading_order, texts=texts)
    assert sorted(layout.order) == list(range(len(lines)))
    assert all(layout.blocks) and np.isfinite(layout.slant)


@given(st.sampled_from(READING_ORDERS), st.integers(0, 400), st.floats(-2000, 2000))
def test_lines_at_one_place_are_in_the_order_exactly_once(reading_order, number, place):
    lines = np.full((number, 4, 2), place, np.float32)
    assert sorted(analyse(lines, reading_order=reading_order).order) == list(range(number))


@given(pages(), st.integers(-1, 3), st.integers(-500, 500), st.integers(-500, 500))
def test_order_stays_if_the_page_is_moved_or_has_another_resolution(lines, power, right, down):
    """Whole offsets and powers of two are exact in float32."""
    order = analyse(lines).order
    assert analyse(lines * np.float32(2.0**power)).order == order
    assert analyse(lines + np.array([right, down], np.float32)).order == order
