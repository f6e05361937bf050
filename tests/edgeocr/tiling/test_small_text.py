"""Which places of a picture are worth a second look, and what becomes of both looks."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from edgeocr.images import Image
from edgeocr.results.lines import Region
from edgeocr.tiling.detail import detailed, letter_heights
from edgeocr.tiling.small_text import LIKED, SMALL, merged, places
from edgeocr.tiling.tiles import Place
from tests.support.large_pictures import page

SCALE = 0.25
# Heights of letters, in pixels of the picture, that are low and high enough at `SCALE`.
LOW, HIGH = round(0.8 * SMALL / SCALE), round(1.5 * SMALL / SCALE)


def region(left: float, top: float, width: float, height: float, score: float = 0.9) -> Region:
    right, bottom = left + width, top + height
    quad = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return Region(quad, score, None)


def nothing(_: Place) -> list[Region]:
    return []


def bars(regions: Sequence[Region]) -> Image:
    """Draw bars half as high as their regions, a picture of 3000 x 4000."""
    image = np.full((3000, 4000, 3), 255, np.uint8)
    for each in regions:
        (left, top), (right, bottom) = each.quad[0].astype(int), each.quad[2].astype(int)
        quarter = (bottom - top) // 4
        for x in range(left + 4, right - 8, 16):
            image[top + quarter : bottom - quarter, x : x + 8] = 0
    return image


def chosen(regions: Sequence[Region], scale: float = SCALE) -> list[Place]:
    return places(bars(regions), regions, scale, nothing)


def holds(place: Place, each: Region) -> bool:
    (left, top), (right, bottom) = each.quad[0], each.quad[2]
    return place.left <= left and place.top <= top and right < place.right and bottom < place.bottom


def close(one: Region, other: Region) -> bool:
    """Return whether the bars of two regions may touch."""
    boxes = [(each.quad[0], each.quad[2]) for each in (one, other)]
    return bool((boxes[0][0] <= boxes[1][1]).all() and (boxes[1][0] <= boxes[0][1]).all())


def test_text_that_is_high_enough_gets_no_second_look() -> None:
    assert chosen([region(300, 300 + 100 * i, 900, 2 * HIGH) for i in range(20)]) == []
    assert chosen([]) == []


def test_small_text_gets_a_second_look_where_it_is() -> None:
    small = [region(1000, 1000 + 60 * i, 500, 2 * LOW) for i in range(10)]
    large = [region(3000, 300 + 200 * i, 900, 2 * HIGH) for i in range(10)]
    (place,) = chosen([*small, *large])
    assert all(holds(place, each) for each in small)
    assert not any(holds(place, each) for each in large)
    assert place.scale * LOW == pytest.approx(LIKED, rel=0.15)
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
                2.0 * int(random.choice([LOW, HIGH])),
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
            low = each.quad[2, 1] - each.quad[0, 1] < 2 * HIGH - 1
            if low and not any(other is not each and close(other, each) for other in regions):
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

    (place,) = places(image, [], SCALE, look)
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

    assert places(image, [], SCALE, look) == []
    assert len(asked) == 2


@pytest.mark.parametrize("degrees", [0, -4, 30, 90])
def test_letters_are_measured_whatever_the_slant(degrees: int) -> None:
    for em, low, high in ((20, 9, 16), (40, 18, 32)):
        drawn = page(4, em, 300, 1000)
        turn = cv2.getRotationMatrix2D((500, 150), degrees, 1)
        turn[:, 2] += (400, 700)
        image = cv2.warpAffine(drawn.image, turn, (1800, 1700), borderMode=cv2.BORDER_REPLICATE)
        quads = np.array(
            [
                region(a - 3, b - em / 3, c - a + 6, d - b + em / 1.5).quad
                for a, b, c, d in drawn.boxes
            ]
        )
        heights = letter_heights(
            np.asarray(image, np.uint8), np.float32(cv2.transform(quads, turn))
        )
        assert low <= np.median(heights) <= high


def test_letters_of_a_block_are_those_of_one_line() -> None:
    drawn = page(6, 20, 400, 1000)
    (a, b, c, _), (*_, d) = drawn.boxes[0], drawn.boxes[3]
    assert letter_heights(drawn.image, region(a, b - 4, c - a, d - b + 8).quad[None])[0] < 20


def test_very_many_regions_are_estimated_from_some() -> None:
    drawn = page(5, 20, 600, 800)
    quads = np.array([region(a, b - 5, c - a, d - b + 10).quad for a, b, c, d in drawn.boxes])
    many = letter_heights(drawn.image, np.tile(quads, (20, 1, 1)))
    assert len(many) == 20 * len(quads) > 128
    assert 9 <= np.median(many) <= 16
    assert letter_heights(drawn.image, quads[:0]).shape == (0,)


def test_region_without_contrast_is_as_high_as_its_letters() -> None:
    image = np.full((100, 300, 3), 128, np.uint8)
    assert letter_heights(image, region(10, 10, 200, 40).quad[None]) == pytest.approx([40])


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
