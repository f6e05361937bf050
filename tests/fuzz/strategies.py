"""What Hypothesis draws for the tests of this folder: quads, maps, sequences of classes, JSON."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from edgeocr.postprocess.geometry import clockwise, rectangle_corners

# Coordinates of a page in pixels, whole or in quarters, also a little outside of it.
COORDINATES = st.integers(-400, 8000).map(lambda quarter: quarter / 4)


@st.composite
def rectangles(draw, most: int = 12, *, flat: bool = True) -> np.ndarray:
    """Draw rotated rectangles, float32 [N, 4, 2], clockwise from the top left.

    Some have no height or no width, unless `flat` is False.
    """
    number = draw(st.integers(1, most))
    sizes = st.sampled_from([*([0.0] if flat else []), 0.5, 1.0, 7.0, 20.0, 21.0, 90.0, 400.0])
    angles = st.sampled_from([0.0, 0.0, 0.0, 2.0, -3.0, 30.0, 45.0, 89.0])
    rows = [
        [draw(COORDINATES), draw(COORDINATES), draw(sizes), draw(sizes), draw(angles)]
        for _ in range(number)
    ]
    return rectangle_corners(np.array(rows, np.float64))


@st.composite
def pages(draw) -> np.ndarray:
    """Draw a page of level lines that don't overlap, float32 [N, 4, 2], in whole pixels."""
    rows, columns = draw(st.integers(1, 8)), draw(st.integers(1, 3))
    lines = []
    for row in range(rows):
        for column in range(columns):
            if draw(st.integers(0, 5)):
                left = 300 * column + draw(st.integers(0, 40))
                top = 60 * row + draw(st.integers(0, 8))
                width, height = draw(st.integers(30, 240)), draw(st.integers(20, 40))
                right, bottom = left + width, top + height
                lines.append([[left, top], [right, top], [right, bottom], [left, bottom]])
    return np.array(lines, np.float32).reshape(-1, 4, 2)


@st.composite
def any_quads(draw, most: int = 12) -> np.ndarray:
    """Draw four points each, float32 [N, 4, 2]: also crossed, doubled and in a line."""
    number = draw(st.integers(1, most))
    points = draw(st.lists(COORDINATES, min_size=8 * number, max_size=8 * number))
    return np.array(points, np.float32).reshape(number, 4, 2)


def quads(most: int = 12) -> st.SearchStrategy[np.ndarray]:
    """Draw rectangles, or any quads."""
    return st.one_of(rectangles(most), any_quads(most), any_quads(most).map(clockwise))


@st.composite
def maps(draw) -> np.ndarray:
    """Draw a probability map with a few rectangles and single values: float32 or uint8 [H, W]."""
    height, width = draw(st.integers(1, 64)), draw(st.integers(1, 64))
    drawn = np.zeros((height, width), np.float32)
    for _ in range(draw(st.integers(0, 5))):
        top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        bottom, right = draw(st.integers(top, height)), draw(st.integers(left, width))
        drawn[top:bottom, left:right] = draw(st.sampled_from([0.1, 0.5, 0.6, 0.9, 1.0]))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        drawn[place] = draw(st.sampled_from([0.0, 1.0, float("nan"), 0.3]))
    if draw(st.booleans()):
        return (np.nan_to_num(drawn) * 255).astype(np.uint8)
    return drawn


@st.composite
def sequences(draw, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the classes and probabilities of a batch of sequences, [N, T] each."""
    number, steps = draw(st.integers(1, 3)), draw(st.integers(1, 24))
    count = number * steps
    indices = draw(st.lists(st.integers(0, classes - 1), min_size=count, max_size=count))
    scores = draw(st.lists(st.integers(0, 100), min_size=count, max_size=count))
    shape = number, steps
    return (
        np.array(indices, np.int64).reshape(shape),
        (np.array(scores, np.float32) / 100).reshape(shape),
    )


def json_values() -> st.SearchStrategy:
    """Draw what JSON can say, with numbers beyond 64 bits, infinity and half surrogate pairs."""
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from([10**30, 10**400, -1, 0, 2**31, 2**63]),
        st.floats(),
        st.text(max_size=20),
        st.sampled_from(["DB", "CTC", "../x", "\ud800", "\x1b[31m", ""]),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
        ),
        max_leaves=8,
    )
