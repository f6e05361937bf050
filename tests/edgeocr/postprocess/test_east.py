"""EAST's decoder on PaddleOCR's fixtures, on perfect maps, and on empty, full and broken ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from edgeocr import ArrayError
from edgeocr.postprocess import east, nms
from edgeocr.postprocess import maps as limits
from edgeocr.postprocess.geometry import intersection_areas, signed_areas
from tests.support.east_cases import NUMBERS, cases, strayed
from tests.support.ideal import east as ideal
from tests.support.overlap import corner_distance, iou, pairs
from tests.support.scenes import words
from tests.support.work import count, length, most_comparisons

CASES = dict(cases())
SIZE = 320  # side of the map of a picture of 1 280 x 1 280


@pytest.mark.parametrize("name", CASES)
def test_quads_are_those_of_paddleocr(name: str, fixtures: Path) -> None:
    quads, scores = east.quads(*CASES[name], **NUMBERS)
    with np.load(fixtures / "east.npz") as file:
        expected, means = file[f"{name}_quads"], file[f"{name}_scores"]
    assert len(quads) == len(expected)
    if name.startswith("det_"):  # nearly all quads of random networks cross themselves
        return
    matched = pairs(quads, expected)
    assert len(matched) == len(quads)
    for i, j in matched.items():
        assert corner_distance(quads[i], expected[j]) < 1e-3
        # OpenCV paints the rims of a quad with other pixels here and there.
        assert scores[i] == pytest.approx(means[j], abs=0.04)


@pytest.mark.parametrize(("seed", "number"), [(1, 1), (2, 9), (3, 40)])
def test_perfect_maps_give_the_quads_that_they_were_made_of(seed: int, number: int) -> None:
    truth = words(seed, number, 480, 640)
    quads, scores = east.quads(*ideal.maps(truth, 480, 640), **NUMBERS)
    matched = pairs(quads, truth, 0.99)
    assert len(quads) == len(truth) == len(matched)
    assert all(np.abs(quads[i] - truth[j]).max() < 1e-3 for i, j in matched.items())
    assert scores.min() > 0.1


def test_wrong_pixels_do_not_hide_words() -> None:
    truth = words(4, 40, 480, 640)
    quads, _ = east.quads(*strayed(ideal.maps(truth, 480, 640), 4), **NUMBERS)
    assert len(pairs(quads, truth, 0.9)) >= 38


def test_mirrored_corners_are_put_in_order() -> None:
    truth = words(5, 4, 256, 256)
    score, geometry = ideal.maps(truth, 256, 256)
    geometry = geometry.reshape(4, 2, *score.shape)[[1, 0, 3, 2]].reshape(8, *score.shape)
    quads, _ = east.quads(score, geometry, **NUMBERS)
    assert len(pairs(quads, truth, 0.99)) == 4
    assert (signed_areas(quads) > 0).all()


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0), (1, 1), (1, 40), (40, 1), (16, 16)])
def test_maps_of_zeros_have_no_quads(size: tuple[int, int]) -> None:
    quads, scores = east.quads(
        np.zeros(size, np.float32), np.zeros((8, *size), np.float32), **NUMBERS
    )
    assert quads.shape == (0, 4, 2) and scores.shape == (0,)
    assert quads.dtype == scores.dtype == np.float32


def test_map_of_one_pixel_can_be_a_word() -> None:
    corners = [[-20, -8], [20, -8], [20, 8], [-20, 8]]
    geometry = -np.array(corners, np.float32).reshape(8, 1, 1)
    quads, scores = east.quads(np.ones((1, 1), np.float32), geometry, **NUMBERS)
    assert np.array_equal(quads, [corners]) and scores == [1]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_ignored(value: float) -> None:
    truth = words(6, 4, 256, 256)
    score, geometry = ideal.maps(truth, 256, 256)
    score[:2], geometry[3, ::5] = value, value
    quads, scores = east.quads(score, geometry, **NUMBERS)
    assert len(pairs(quads, truth, 0.99)) == len(quads) == 4
    assert np.isfinite(scores).all()
    assert len(east.quads(np.full_like(score, value), geometry, **NUMBERS)[0]) == 0
    assert len(east.quads(score, np.full_like(geometry, value), **NUMBERS)[0]) == 0


@pytest.mark.parametrize("far", [1e9, 1e17, 1e30])
def test_pixel_whose_quad_is_far_away_hides_no_text(far: float) -> None:
    truth = words(6, 4, 256, 256)
    score, geometry = ideal.maps(truth, 256, 256)
    score[0, 0] = score[30, 0] = 1
    geometry[:, [0, 30], 0] = far * np.array([[1, 1, -1, 1, -1, -1, 1, -1]]).T
    quads, _ = east.quads(score, geometry, **NUMBERS)
    assert len(pairs(quads, truth, 0.99)) == len(quads) == 4
    score[30, 0] = far
    assert len(east.quads(score, geometry, **NUMBERS)[0]) == 4


def grid(width: float, height: float, spread: float) -> np.ndarray:
    corners = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * [width / 2, height / 2]
    noise = np.random.RandomState(0).uniform(-spread, spread, (8, SIZE, SIZE))
    return (corners.reshape(8, 1, 1) + noise).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "height", "spread"),
    [(0, 0, 0), (0, 0, 400), (40, 16, 0), (400, 160, 60), (80, 40, 15), (4.4, 4.4, 0)],
)
def test_full_map_takes_bounded_work(
    width: float, height: float, spread: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    geometry = grid(width, height, spread)
    pairs_compared = count(monkeypatch, nms, "intersection_areas", length)
    quads, _ = east.quads(np.ones((SIZE, SIZE), np.float32), geometry, **NUMBERS)
    assert pairs_compared.total <= most_comparisons(SIZE**2)
    assert len(quads) <= limits.MAX_REGIONS
    assert (len(quads) > 0) == bool(width or spread)


def test_thousands_of_words_are_found_with_few_comparisons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows, columns, height, width = 50, 50, 12, 16  # of the map, for each word
    y, x = np.indices((rows * height, columns * width))
    score = ((y % height // 4 == 1) & (x % width // 4 % 3 > 0)).astype(np.float32)
    corners = np.array([[2, 3], [14, 3], [14, 9], [2, 9]])
    offsets = np.stack([x % width, y % height])[None] - corners[:, :, None, None]
    geometry = (4 * offsets).reshape(8, *score.shape).astype(np.float32)
    pairs_compared = count(monkeypatch, nms, "intersection_areas", length)
    quads, _ = east.quads(score, geometry, **NUMBERS)
    assert pairs_compared.total <= 3 * score.sum()
    places = np.stack(np.meshgrid(np.arange(columns) * width, np.arange(rows) * height), -1)
    expected = 4 * (corners + places.reshape(-1, 1, 2))
    order = np.lexsort((quads[:, 0, 0], quads[:, 0, 1]))
    assert np.array_equal(quads[order], expected)


@pytest.mark.parametrize(
    ("score", "geometry"),
    [
        (np.zeros((4, 4), np.float32), np.zeros((4, 4, 4), np.float32)),
        (np.zeros((4, 4), np.float32), np.zeros((8, 4, 5), np.float32)),
        (np.zeros((1, 4, 4), np.float32), np.zeros((8, 4, 4), np.float32)),
        (np.zeros((4, 4), np.uint8), np.zeros((8, 4, 4), np.float32)),
        (np.zeros((4, 4), np.float32), np.zeros((8, 4, 4), np.int32)),
    ],
)
def test_arrays_that_are_no_maps_are_refused(score: np.ndarray, geometry: np.ndarray) -> None:
    with pytest.raises(ArrayError, match="EAST's maps are"):
        east.quads(score, geometry, **NUMBERS)


def test_intersections_are_those_of_shapely() -> None:
    a, b = (words(seed, 400, 900, 900).astype(np.float64) for seed in (8, 9))
    b += np.random.RandomState(1).uniform(-30, 30, (400, 1, 2))
    expected = shapely.area(shapely.intersection(shapely.polygons(a), shapely.polygons(b)))
    assert (expected > 0).mean() > 0.5
    assert intersection_areas(a, b) == pytest.approx(expected, abs=1e-4)
    assert intersection_areas(a, b[:, ::-1]) == pytest.approx(expected, abs=1e-4)


def test_intersections_of_quads_that_share_sides_are_exact() -> None:
    square = np.array([[[0, 0], [10, 0], [10, 10], [0, 10]]], np.float64)
    steps = np.array([[[0, 0]], [[5, 0]], [[10, 0]], [[0, 0]], [[0, 0]]])
    moved = square + steps
    moved[3, :, 0] /= 2
    moved[4] = moved[4, [2, 3, 0, 1]]
    areas = intersection_areas(np.repeat(square, 5, axis=0), moved)
    assert areas == pytest.approx([100, 50, 0, 50, 100], abs=1e-5)
    assert iou(moved[0], moved[1]) == pytest.approx(1 / 3)
