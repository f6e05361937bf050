"""The order in which regions are read."""

from __future__ import annotations

import numpy as np
import pytest

from edgeocr.layout import READING_ORDERS, ReadingOrder, analyse
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
        (30, [0, 60, 120, 400]),
        (-44, [0, 60, 120, 400]),
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


def test_turned_label_at_the_right_comes_behind_what_it_stands_beside() -> None:
    rows = [level(0, y, 150, 20) for y in (0, 30, 60, 90, 120)]
    assert order(level(200, 0, 22, 140), *rows) == [1, 2, 3, 4, 5, 0]


def test_turned_label_at_the_left_comes_before_what_it_stands_beside() -> None:
    rows = [level(50, y, 150, 20) for y in (0, 30, 60, 90, 120)]
    assert order(*rows, level(0, 20, 22, 100)) == [5, 0, 1, 2, 3, 4]


def test_label_of_two_turned_lines_is_read_line_by_line() -> None:
    rows = [level(100, y, 150, 20) for y in range(0, 300, 30)]
    texts = ["the old town"] * 10 + ["Archive", "copy", "of 2020"]
    left = [level(0, 160, 22, 100), level(0, 20, 22, 100), level(30, 60, 22, 200)]
    assert analyse(np.array([*rows, *left]), texts=texts).order == [10, 11, 12, *range(10)]
    right = [level(330, 20, 22, 100), level(330, 160, 22, 100), level(300, 20, 22, 200)]
    assert analyse(np.array([*rows, *right]), texts=texts).order == [*range(10), 10, 11, 12]


@pytest.mark.parametrize(("upwards", "label"), [(False, [5, 6, 7]), (True, [7, 6, 5])])
def test_short_pieces_continue_a_label_in_the_direction_in_which_it_was_read(
    upwards: bool, label: list[int]
) -> None:
    rows = [level(50, y, 150, 20) for y in (0, 30, 60, 90, 120)]
    pieces = [level(0, 10, 22, 80), level(1, 88, 20, 20), level(2, 106, 19, 24)]
    texts = ["the old town"] * 5 + ["Archive", "4", "7"]
    known = [False] * 5 + [upwards, upwards, not upwards]
    found = analyse(np.array([*rows, *pieces]), texts=texts, upwards=known)
    assert found.order == [*label, *range(5)]


def test_what_is_wider_than_a_label_does_not_continue_it() -> None:
    cells = [level(x, 60 + 30 * row, 45, 20) for row in range(4) for x in (0, 90)]
    label = level(0, 0, 20, 55)
    texts = ["Total"] * 8 + ["copy 3"]
    assert analyse(np.array([*cells, label]), texts=texts).order == [8, *range(8)]


def test_lone_tall_character_stays_in_its_row() -> None:
    assert order(level(60, 0, 90, 20), level(40, 0, 9, 20), level(0, 30, 90, 20)) == [1, 0, 2]


def test_two_vertical_lines_are_read_from_the_right() -> None:
    assert order(level(0, 0, 22, 140), level(30, 0, 22, 140), level(60, 0, 22, 140)) == [2, 1, 0]


def test_horizontal_title_of_vertical_text_is_read_from_the_left() -> None:
    title = [level(x, 0, 40, 40) for x in (0, 60, 120)]
    columns = [level(x, 60, 22, 200) for x in (120, 80, 40, 0)]
    assert order(*title, *columns) == [0, 1, 2, 3, 4, 5, 6]


def test_tall_region_that_leans_may_begin_at_any_corner() -> None:
    leaning = [np.roll(quad, k, axis=0) for k, quad in enumerate(slanted(4, [0, 60, 120]))]
    assert order(*leaning) == list(range(15))


def test_cells_are_read_in_rows_and_running_text_in_columns() -> None:
    cells = [level(x, 30 * row, wide, 20) for row in range(6) for x, wide in ((0, 60), (300, 45))]
    assert order(*cells) == list(range(12))
    prose = [level(x, 30 * row, 200 - 7 * row, 20) for x in (0, 230) for row in range(6)]
    assert order(*prose) == list(range(12))


def test_wanted_order_is_kept_to() -> None:
    cells = [level(x, 30 * row, wide, 20) for row in range(4) for x, wide in ((0, 60), (300, 45))]
    columns = analyse(np.array(cells), reading_order="columns").order
    assert columns == [0, 2, 4, 6, 1, 3, 5, 7]
    prose = [level(x, 30 * row, 200, 20) for row in range(6) for x in (0, 230)]
    assert analyse(np.array(prose), reading_order="rows").order == list(range(12))


def test_texts_tell_that_a_page_is_read_from_the_right() -> None:
    cells = np.array([level(x, 30 * row, 60, 20) for row in range(3) for x in (200, 0)])
    hebrew = ["\u05e9\u05dc\u05d5\u05dd", "12"] * 3
    assert analyse(cells, texts=hebrew).order == list(range(6))
    assert analyse(cells, texts=["Total", "12"] * 3).order == [1, 0, 3, 2, 5, 4]


def test_pieces_of_a_line_follow_their_own_script() -> None:
    quads = np.array(
        [
            level(0, 0, 300, 20),
            level(105, 30, 100, 20),
            level(0, 30, 100, 20),
            level(0, 60, 300, 20),
        ]
    )
    texts = ["An English sentence", "\u05e9\u05dc\u05d5\u05dd", "\u05e2\u05d5\u05dc\u05dd"]
    assert analyse(quads, texts=[*texts, "and some more"]).order == [0, 1, 2, 3]


def test_heading_and_paragraphs_are_blocks_of_their_own() -> None:
    heading = level(0, 0, 300, 40)
    first = [level(0, 60 + 25 * i, 400 - 40 * (i == 3), 20) for i in range(4)]
    second = [level(0, 190 + 25 * i, 400 - 90 * (i == 3), 20) for i in range(4)]
    blocks = analyse(np.array([heading, *first, *second])).blocks
    assert blocks == [[0], [1, 2, 3, 4], [5, 6, 7, 8]]


def test_indented_line_begins_a_paragraph() -> None:
    lines = [level(30 * (i in (0, 4)), 25 * i, 400 - 30 * (i in (0, 4)), 20) for i in range(8)]
    assert analyse(np.array(lines)).blocks == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_rows_of_a_table_are_one_block() -> None:
    cells = [level(x, 30 * row, 60, 20) for row in range(6) for x in (0, 200, 300)]
    assert analyse(np.array(cells)).blocks == [list(range(18))]


def test_slant_is_that_of_the_rows_and_not_of_single_words() -> None:
    # Words whose letters push the right end down by 2 pixels, as in "Honey".
    lean = np.array([[0, -1], [0, 1], [0, 1], [0, -1]], np.float32)
    words = [level(x, 30 * row, 60, 22) + lean for row in range(5) for x in (0, 700)]
    layout = analyse(np.array(words))
    assert layout.slant == 0
    assert layout.order == list(range(10))


TEXTS = [
    "",
    " ",
    "…",
    "1",
    "12.50",
    "Harbour",
    "the old town",
    "中文",
    "\u05e9\u05dc\u05d5\u05dd",
    "(-)",
]


@pytest.mark.parametrize("reading_order", READING_ORDERS)
def test_every_region_comes_once_in_any_layout(reading_order: ReadingOrder) -> None:
    random = np.random.default_rng(5)
    for count in (1, 2, 3, 5, 9, 17, 120):
        sizes = [300, 80] if count % 2 else [60, 300]
        quads = np.array(
            [level(*random.uniform([0, 0, 1, 1], [900, 700, *sizes])) for _ in range(count)]
        )
        quads += random.normal(0, 3, quads.shape).astype(np.float32)
        texts = random.choice(TEXTS, count).tolist()
        for known in (None, texts, [""] * count):
            layout = analyse(quads, reading_order=reading_order, texts=known)
            assert sorted(layout.order) == list(range(count))
            assert all(layout.blocks)


def test_regions_without_size_come_once() -> None:
    assert sorted(order(*[np.full((4, 2), 5, np.float32)] * 3)) == [0, 1, 2]
