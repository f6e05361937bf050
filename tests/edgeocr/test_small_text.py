"""Which places of a picture are worth a second look, and what becomes of both looks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from edgeocr.detail import detailed
from edgeocr.images import Image
from edgeocr.lines import Region
from edgeocr.small_text import LIKED, THIN, merged, places
from edgeocr.tiles import Place
from tests.support.large_pictures import page

GROWTH = 2.5
SCALE = 0.25
BLANK = np.full((3000, 4000, 3), 255, np.uint8)
# Heights in pixels of the picture of regions that are thin, and thick enough, at `SCALE`.
LOW, HIGH = round(0.8 * THIN * GROWTH / SCALE), round(1.5 * THIN * GROWTH / SCALE)


def region(left: float, top: float, width: float, height: float, score: float = 0.9) -> Region:
    right, bottom = left + width, top + height
    quad = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return Region(quad, score, None)


def nothing(_: Place) -> list[Region]:
    return []


def chosen(regions: Sequence[Region], image: Image = BLANK, scale: float = SCALE) -> list[Place]:
    return places(image, regions, scale, GROWTH, nothing)


def holds(place: Place, each: Region) -> bool:
    (left, top), (right, bottom) = each.quad[0], each.quad[2]
    return place.left <= left and place.top <= top and right < place.right and bottom < place.bottom


def test_text_that_is_high_enough_gets_no_second_look() -> None:
    assert chosen([region(300, 300 + 100 * i, 900, HIGH) for i in range(20)]) == []
    assert chosen([]) == []


def test_small_text_gets_a_second_look_where_it_is() -> None:
    small = [region(1000, 1000 + 60 * i, 500, LOW) for i in range(10)]
    large = [region(3000, 300 + 200 * i, 900, HIGH) for i in range(10)]
    (place,) = chosen([*small, *large])
    assert all(holds(place, each) for each in small)
    assert not any(holds(place, each) for each in large)
    thickness = LOW * place.scale / GROWTH
    assert thickness == pytest.approx(LIKED, abs=0.01)
    assert (place.right - place.left) * (place.bottom - place.top) < 4 * 500 * 600


def test_picture_that_was_hardly_reduced_gets_no_second_look() -> None:
    assert chosen([region(10, 10, 500, 5)], scale=0.85) == []
    assert chosen([region(10, 10, 500, 5)], scale=1.2) == []


def test_place_is_never_enlarged() -> None:
    (place,) = chosen([region(1000, 1000, 500, 5)], scale=0.7)
    assert place.scale == 1


def test_places_hold_regions_wholly_or_not_at_all_and_do_not_overlap() -> None:
    random = np.random.default_rng(2)
    for _ in range(30):
        regions = [
            region(
                float(random.uniform(0, 3000)),
                float(random.uniform(0, 2800)),
                float(random.uniform(20, 900)),
                float(random.choice([LOW, HIGH])),
            )
            for _ in range(25)
        ]
        found = chosen(regions)
        for place in found:
            assert 0 <= place.left < place.right <= 4000
            assert 0 <= place.top < place.bottom <= 3000
            for each in regions:
                (left, top), (right, bottom) = each.quad[0], each.quad[2]
                outside = (
                    right < place.left
                    or left >= place.right
                    or bottom < place.top
                    or top >= place.bottom
                )
                assert outside or holds(place, each)
        for i, one in enumerate(found):
            for other in found[:i]:
                assert (
                    one.right <= other.left
                    or other.right <= one.left
                    or one.bottom <= other.top
                    or other.bottom <= one.top
                )
        for each in regions:
            if each.quad[2, 1] - each.quad[0, 1] < HIGH - 1:
                assert any(holds(place, each) for place in found)


def small_print() -> Image:
    """Return a large picture with a block of letters that a quarter of its size doesn't show."""
    image = np.full((3000, 4000, 3), 255, np.uint8)
    image[1200:1700, 700:1700] = page(3, 10, 500, 1000).image
    return image


def test_detail_without_regions_gets_a_second_look_if_a_sample_of_it_is_text() -> None:
    image, asked = small_print(), []

    def look(place: Place) -> list[Region]:
        asked.append(place)
        return [region(place.left + 5, place.top + 20 * i, 90, 14) for i in range(5)]

    (place,) = places(image, [], SCALE, GROWTH, look)
    (sample,) = asked
    assert sample.left >= 700 and sample.right <= 1700
    assert sample.top >= 1200 and sample.bottom <= 1700
    assert sample.width <= 200 and sample.height <= 200
    assert place.left <= 750 and place.right >= 1650 and place.top <= 1250 and place.bottom >= 1650
    assert place.scale == 1


def test_search_for_text_in_detail_ends_after_two_samples_without() -> None:
    image, asked = small_print(), []
    for left in range(0, 4000, 800):
        image[100:400, left : left + 300] = page(left, 10, 300, 300).image

    def look(place: Place) -> list[Region]:
        asked.append(place)
        return [region(place.left, place.top, 90, 14, score=0.5)]  # no more than a suspicion

    assert places(image, [], SCALE, GROWTH, look) == []
    assert len(asked) == 2


def test_detail_that_was_found_already_or_is_faint_does_not_count() -> None:
    drawn = page(3, 40, 800, 1000)
    quads = np.array([region(a, b, c - a, d - b).quad for a, b, c, d in drawn.boxes])
    assert detailed(drawn.image, np.empty((0, 4, 2), np.float32), 128).any()
    assert not detailed(drawn.image, quads, 128).any()
    grain = np.random.default_rng(1).normal(128, 4, (1000, 1500, 1)).astype(np.uint8)
    assert not detailed(np.repeat(grain, 3, 2), np.empty((0, 4, 2), np.float32), 128).any()
    assert not detailed(np.zeros((5, 9, 3), np.uint8), quads, 128).any()


def test_second_look_replaces_the_first_within_its_place() -> None:
    place = Place(0, 0, 1000, 1000, 0.5)
    outside, inside = region(1200, 10, 300, 20), region(10, 10, 300, 20)
    second = [region(10, 10, 150, 10), region(10, 22, 300, 10)]
    assert merged([outside, inside], second, place) == [outside, *second]


def test_large_letters_are_kept_from_the_first_look() -> None:
    place = Place(0, 0, 2000, 1000, 0.5)
    heading, body = region(10, 10, 1500, 300), region(10, 500, 300, 20)
    letters = [region(10 + 200 * i, 30, 150, 250) for i in range(7)]
    line = region(10, 500, 300, 19)
    assert merged([heading, body], [*letters, line], place) == [heading, line]


def test_block_of_lines_gives_way_to_its_lines() -> None:
    place = Place(0, 0, 2000, 1000, 0.5)
    block = region(10, 10, 1500, 300)
    lines = [region(10, 10 + 100 * i, 1400, 90) for i in range(3)]
    assert merged([block], lines, place) == lines
