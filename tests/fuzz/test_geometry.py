"""Properties of quads and crops that hold for every quad."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeocr.crops import crop_quad, straighten
from edgeocr.postprocess import geometry
from tests.fuzz.strategies import any_quads, maps, quads, rectangles

IMAGE = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)


@given(quads())
def test_sorting_corners_keeps_the_points(given_quads):
    for before, after in zip(given_quads, geometry.clockwise(given_quads), strict=True):
        assert sorted(map(tuple, before)) == sorted(map(tuple, after))


@given(rectangles(flat=False), st.permutations(range(4)))
def test_sorted_corners_are_those_of_a_clockwise_quad_in_whatever_order_they_come(boxes, order):
    assert (geometry.signed_areas(boxes) > 0).all()
    np.testing.assert_array_equal(
        np.sort(geometry.clockwise(boxes), axis=1), np.sort(boxes, axis=1)
    )
    shuffled = geometry.clockwise(boxes[:, list(order)])
    np.testing.assert_allclose(geometry.signed_areas(shuffled), geometry.signed_areas(boxes))


@given(rectangles(), st.integers(0, 50))
def test_rectangles_that_grow_have_sides_longer_by_twice_the_distance(boxes, distance):
    top, left = geometry.side_lengths(boxes)
    solid = np.minimum(top, left) > 0.4
    grown = geometry.offset_rectangles(boxes, np.full(len(boxes), distance, np.float32))
    for before, after in zip((top, left), geometry.side_lengths(grown), strict=True):
        np.testing.assert_allclose(after[solid], before[solid] + 2 * distance, rtol=1e-3, atol=1e-2)


@given(rectangles(6, flat=False), rectangles(6, flat=False))
def test_quads_share_at_most_the_smaller_one_and_each_shares_all_of_itself(one, other):
    count = min(len(one), len(other))
    one, other = one[:count], other[:count]
    areas = [np.abs(geometry.signed_areas(each)) for each in (one, other)]
    shared = geometry.intersection_areas(one, other)
    slack = 1e-3 + 1e-3 * np.minimum(*areas)
    assert (shared >= 0).all() and (shared <= np.minimum(*areas) + slack).all()
    np.testing.assert_allclose(shared, geometry.intersection_areas(other, one), rtol=1e-3, atol=0.1)
    np.testing.assert_allclose(geometry.intersection_areas(one, one), areas[0], rtol=1e-3, atol=0.1)


@given(maps(), quads(6))
def test_mean_over_a_box_is_not_above_the_map_s_highest_value(probability, boxes):
    probability = np.nan_to_num(probability)
    scores = geometry.box_scores(probability, geometry.clockwise(boxes))
    assert len(scores) == len(boxes)
    assert (scores >= 0).all() and (scores <= float(probability.max()) * 1.00001).all()


@given(any_quads(1))
def test_every_quad_gives_a_crop_of_the_size_that_it_states(quad):
    crop = crop_quad(IMAGE, quad[0])
    assert crop.pixels.shape == (crop.height, crop.width, 3) and crop.pixels.dtype == np.uint8


@given(any_quads(3).filter(lambda found: len(found) > 1))
def test_every_polygon_is_straightened_or_left_to_its_quad(points):
    crop = straighten(IMAGE, points.reshape(-1, 2))
    if crop is not None:
        assert crop.pixels.shape == (crop.height, crop.width, 3)
