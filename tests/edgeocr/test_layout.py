"""The order in which regions are read."""

from __future__ import annotations

import numpy as np
import pytest

from edgeocr.layout import analyse
from tests.support.quads import level


def order(*quads: np.ndarray) -> list[int]:
    return analyse(np.array(quads, np.float32)).order


def test_no_regions_have_an_empty_order() -> None:
    assert analyse(np.empty((0, 4, 2), np.float32)).order == []
    assert analyse(np.array([], np.float32)).order == []


def test_one_column_is_read_from_the_top() -> None:
    assert order(*(level(10, y, 90, 20) for y in (60, 0, 90, 30))) == [1, 3, 0, 2]


def test_two_columns_are_read_row_by_row() -> None:
    quads = [level(x, y, 90, 20) for y in (0, 30, 60) for x in (200, 0)]
    assert order(*quads) == [1, 0, 3, 2, 5, 4]


def test_uneven_row_stays_together() -> None:
    quads = [level(x, 50 + dy, 40, 20) for x, dy in [(0, 3), (60, -2), (120, 2), (180, 0)]]
    assert order(*quads[::-1]) == [3, 2, 1, 0]


def slanted(degrees: float, columns: list[int]) -> list[np.ndarray]:
    """Return five rows of cells, row by row, as on a receipt that lies askew."""
    radians = np.deg2rad(degrees)
    turn = np.array([[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]])
    cells = [level(x, 200 + 40 * row, 50, 24) for row in range(5) for x in columns]
    return [(cell @ turn).astype(np.float32) for cell in cells]


@pytest.mark.parametrize(
    ("degrees", "columns"),
    [
        (2, [0, 60, 120]),
        (-2, [0, 60, 120]),
        (2, [0, 400]),
        (-2, [0, 400]),
        (6, [0, 400]),
        (-6, [0, 60, 120, 400]),
    ],
)
def test_slanted_rows_stay_together(degrees: float, columns: list[int]) -> None:
    quads = slanted(degrees, columns)
    shuffled = np.random.default_rng(2).permutation(len(quads))
    read = order(*(quads[i] for i in shuffled))
    assert [int(shuffled[i]) for i in read] == list(range(len(quads)))


def test_small_line_beside_a_large_one_belongs_to_its_row() -> None:
    assert order(level(200, 30, 50, 12), level(0, 10, 150, 60), level(0, 80, 90, 20)) == [1, 0, 2]


def test_tall_region_does_not_swallow_the_rows_beside_it() -> None:
    rows = [level(0, y, 150, 20) for y in (0, 30, 60, 90, 120)]
    tall = level(200, 0, 22, 140)
    assert order(tall, *rows) == [1, 0, 2, 3, 4, 5]


def test_every_region_comes_once_in_any_layout() -> None:
    random = np.random.default_rng(5)
    for count in (1, 2, 17, 300):
        quads = np.array(
            [level(*random.uniform([0, 0, 1, 1], [900, 700, 300, 80])) for _ in range(count)]
        )
        assert sorted(analyse(quads).order) == list(range(count))


def test_regions_without_size_come_once() -> None:
    assert sorted(order(*[np.full((4, 2), 5, np.float32)] * 3)) == [0, 1, 2]
