"""Boxes hold what differs and the lines that lie there, and nothing twice."""

from __future__ import annotations

import numpy as np
import pytest

from edgeocr.detect import Box
from edgeocr.postprocess.geometry import Float32
from edgeocr.watch.changes import Change
from edgeocr.watch.places import grown, is_cut_off, places
from tests.support.events import quad

SIDE = 16


def change_at(*tiles: tuple[int, int], rows: int = 20, columns: int = 30) -> Change:
    """Return a change of the tiles in these rows and columns."""
    mask = np.zeros((rows, columns), np.bool_)
    for row, column in tiles:
        mask[row, column] = True
    return Change(mask, SIDE)


def holds(box: Box, other: Box) -> bool:
    return box[0] <= other[0] and box[1] <= other[1] and box[2] >= other[2] and box[3] >= other[3]


def apart(box: Box, other: Box) -> bool:
    return box[2] <= other[0] or other[2] <= box[0] or box[3] <= other[1] or other[3] <= box[1]


def box_of(line: Float32) -> Box:
    (left, top), (right, bottom) = line.min(axis=0).tolist(), line.max(axis=0).tolist()
    return int(left), int(top), int(right), int(bottom)


def test_nothing_is_looked_at_where_nothing_differs() -> None:
    assert places(change_at(), [quad(10, 10)], 320, 480) == []


def test_a_tile_is_looked_at_with_those_around_it() -> None:
    assert places(change_at((4, 6)), [], 320, 480) == [(80, 48, 128, 96)]
    # At a corner of the picture, whose last tiles are cut.
    assert places(change_at((19, 29)), [], 310, 475) == [(448, 288, 475, 310)]


def test_two_places_far_from_each_other_are_two_boxes() -> None:
    boxes = places(change_at((2, 2), (15, 25)), [], 320, 480)
    assert len(boxes) == 2 and apart(*boxes)


def test_a_line_joins_what_differs_at_both_its_ends() -> None:
    line = quad(30, 40, 400, 20)
    (box,) = places(change_at((2, 2), (2, 25)), [line, quad(30, 200)], 320, 480)
    assert holds(box, box_of(line)) and box[3] < 200


def test_all_of_the_picture_is_one_box_if_most_of_it_differs() -> None:
    tiles = [(row, column) for row in range(20) for column in range(22)]
    assert places(change_at(*tiles), [], 320, 480) == [(0, 0, 480, 320)]


@pytest.mark.parametrize("seed", range(12))
def test_each_line_lies_in_a_box_or_outside_of_all(seed: int) -> None:
    random = np.random.default_rng(seed)
    height, width = 640, 960
    change = change_at(
        *zip(random.integers(0, 40, 9).tolist(), random.integers(0, 60, 9).tolist(), strict=True),
        rows=40,
        columns=60,
    )
    lines = [
        quad(*random.uniform((0, 0, 20, 8), (800, 600, 150, 30)).tolist())
        for _ in range(int(random.integers(0, 25)))
    ]
    boxes = places(change, lines, height, width)
    for i, box in enumerate(boxes):
        assert holds((0, 0, width, height), box)
        assert all(apart(box, other) for other in boxes[:i])
    for line in map(box_of, lines):
        within = (max(0, line[0]), max(0, line[1]), min(width, line[2]), min(height, line[3]))
        assert any(holds(box, within) for box in boxes) or all(apart(box, line) for box in boxes)
    for row, column in np.argwhere(change.tiles).tolist():
        tile = (column * SIDE, row * SIDE, (column + 1) * SIDE, (row + 1) * SIDE)
        assert any(holds(box, tile) for box in boxes)


def test_lines_that_lie_beyond_the_picture_do_no_harm() -> None:
    lines = [quad(-300, 30), quad(470, 60, 200, 20), quad(30, 900)]
    for box in places(change_at((3, 28)), lines, 320, 480):
        assert holds((0, 0, 480, 320), box)


@pytest.mark.parametrize(
    ("line", "cut"),
    [
        (quad(120, 120), False),
        (quad(100, 120), True),
        (quad(120, 100.5), True),
        (quad(120, 120, 179, 20), True),
        (quad(120, 120, 20, 79), True),
        (quad(500, 120, 99, 20), False),  # it touches a side of the picture
        (quad(400, 120, 99, 20), True),  # and this one the other side of the box
        (quad(20, 20), False),  # it lies in no box
    ],
)
def test_lines_that_end_at_a_side_of_their_box_are_cut_off(line: Float32, cut: bool) -> None:
    boxes = [(100, 100, 300, 200), (400, 100, 600, 200)]
    assert is_cut_off(line, boxes, 400, 600) is cut


def test_a_line_grows_by_its_height() -> None:
    assert grown(quad(50, 60, 100, 20)).tolist() == [[30, 40], [170, 40], [170, 100], [30, 100]]
