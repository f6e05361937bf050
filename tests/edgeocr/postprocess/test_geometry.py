"""Computations with quads, compared with those of OpenCV and shapely."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import shapely

from edgeocr.postprocess.geometry import (
    clockwise,
    offset_rectangles,
    rectangle_corners,
    side_lengths,
    signed_areas,
)
from tests.support.overlap import corner_distance


def random_rectangles(count: int = 500) -> np.ndarray:
    """Return rectangles [N, 5]: center x, center y, width, height, degrees."""
    random = np.random.default_rng(6)
    low, high = [0, 0, 1, 1, -180], [900, 600, 400, 90, 180]
    return random.uniform(low, high, (count, 5)).astype(np.float32)


def opencv_corners(rectangle: np.ndarray) -> np.ndarray:
    x, y, width, height, angle = rectangle.tolist()
    return cv2.boxPoints(((x, y), (width, height), angle))


def test_rectangle_corners_are_those_of_opencv() -> None:
    rectangles = random_rectangles()
    quads = rectangle_corners(rectangles)
    assert quads.dtype == np.float32
    for quad, rectangle in zip(quads, rectangles, strict=True):
        assert corner_distance(quad, opencv_corners(rectangle)) < 1e-2
    assert (signed_areas(quads) > 0).all()


def test_no_rectangles_give_no_corners() -> None:
    assert rectangle_corners(np.empty((0, 5))).shape == (0, 4, 2)
    assert clockwise(np.empty((0, 4, 2), np.float32)).shape == (0, 4, 2)


@pytest.mark.parametrize(
    ("degrees", "first"),
    [(0, (80, 90)), (90, (90, 80)), (180, (80, 90)), (-90, (90, 80)), (270, (90, 80))],
)
def test_first_corner_of_an_upright_rectangle_is_its_top_left(
    degrees: float, first: tuple[int, int]
) -> None:
    (quad,) = rectangle_corners(np.array([[100, 100, 40, 20, degrees]], np.float64))
    assert quad[0] == pytest.approx(first, abs=1e-4)
    assert quad[2] == pytest.approx((200 - first[0], 200 - first[1]), abs=1e-4)


@pytest.mark.parametrize("degrees", range(-40, 41, 10))
def test_first_corner_of_a_slanted_rectangle_is_the_top_left_of_its_text(degrees: int) -> None:
    radians = np.deg2rad(degrees)
    along, down = np.array([np.cos(radians), np.sin(radians)]), [-np.sin(radians), np.cos(radians)]
    (quad,) = rectangle_corners(np.array([[100, 100, 80, 20, degrees]], np.float64))
    assert quad[0] == pytest.approx(100 - 40 * along - 10 * np.array(down), abs=1e-3)
    assert quad[1] == pytest.approx(100 + 40 * along - 10 * np.array(down), abs=1e-3)


def test_corners_are_sorted_clockwise_from_any_order() -> None:
    quads = rectangle_corners(random_rectangles())
    random = np.random.default_rng(9)
    shuffled = random.permuted(np.repeat(np.arange(4)[None], len(quads), 0), axis=1)
    mixed = np.take_along_axis(quads, shuffled[..., None], axis=1)
    assert np.array_equal(clockwise(mixed), quads)
    assert (quads[:, 0, 0] <= quads[:, 1:3, 0].max(axis=1)).all()
    left = np.sort(quads[..., 0], axis=1)[:, 1]
    assert (quads[:, 0, 0] <= left).all(), "the first corner is one of the two leftmost"
    assert (quads[:, 0, 1] <= quads[:, 3, 1]).all(), "and the upper of them"


def test_side_lengths_are_the_width_and_height_of_the_rectangle() -> None:
    rectangles = random_rectangles()
    top, left = side_lengths(rectangle_corners(rectangles))
    found = np.sort([top, left], axis=0)
    assert found == pytest.approx(np.sort(rectangles[:, 2:4].T, axis=0), abs=1e-2)


def test_offset_rectangles_are_those_of_shapely() -> None:
    quads = rectangle_corners(random_rectangles())
    distances = np.random.default_rng(3).uniform(0, 30, len(quads)).astype(np.float32)
    for grown, quad, distance in zip(
        offset_rectangles(quads, distances), quads, distances.tolist(), strict=True
    ):
        expected = (
            shapely.Polygon(quad).buffer(distance, join_style="mitre").minimum_rotated_rectangle
        )
        apart = shapely.Polygon(grown).symmetric_difference(expected).area
        assert apart < 1e-2 * expected.length
        assert np.abs(grown - quad).max() <= distance * 2**0.5 + 1e-3


def test_offset_of_a_rectangle_without_area_is_finite() -> None:
    point = np.full((1, 4, 2), 7, np.float32)
    assert np.isfinite(offset_rectangles(point, np.array([3], np.float32))).all()
