"""Places of a picture, seen in overlapping tiles as if they were one input."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from edgeocr.bundle.manifest import Resize
from edgeocr.images import Image
from edgeocr.tiling.tiles import OVERLAP, Place, Tile, grid

MOST = 900_000
RULE = Resize("min", 544, MOST, 32)
FIXED = Resize("min", 544, MOST, 32, sizes=[[544, 544], [704, 1248], [1248, 704], [480, 1856]])


def seen(image: Image, place: Place, tiles: list[Tile]) -> np.ndarray:
    """Stitch the map of a network that returns the image's green channel."""
    joined = np.zeros((place.height, place.width), np.uint8)
    for tile in tiles:
        pixels = tile.cut(image, place)
        assert pixels.shape == (tile.height, tile.width, 3)
        tile.paste(pixels[..., 1].astype(np.float32) / 255, joined)
    return joined


def noise(height: int, width: int) -> Image:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("fixed", [False, True])
def test_tiles_cover_everything_within_the_limits(fixed: bool) -> None:
    rule = FIXED if fixed else RULE
    random = np.random.default_rng(5)
    for height, width in [(1, 1), (64, 90_000), *random.integers(1, 6000, (200, 2)).tolist()]:
        chosen = grid(height, width, rule, fixed=fixed)
        assert chosen.height * chosen.width <= MOST
        assert chosen.height % 32 == chosen.width % 32 == 0
        if fixed:
            assert [chosen.height, chosen.width] in rule.sizes
        for starts, side, whole in (
            (chosen.rows, chosen.height, height),
            (chosen.columns, chosen.width, width),
        ):
            assert starts[0] == 0 and starts[-1] + side >= whole
            assert all(b - a <= side - OVERLAP for a, b in pairwise(starts))


def test_tiles_of_a_page_have_few_pixels_more_than_the_page() -> None:
    for height, width in ((3000, 2000), (9000, 540), (540, 9000), (1500, 1500)):
        assert grid(height, width, RULE).pixels < 1.35 * height * width


def test_tiles_that_may_not_be_larger_than_their_overlap_lie_side_by_side() -> None:
    chosen = grid(100, 300, Resize("min", 544, 5000, 32))
    assert chosen.height * chosen.width <= 5000
    assert chosen.columns[-1] + chosen.width >= 300 and chosen.rows[-1] + chosen.height >= 100


@pytest.mark.parametrize("fixed", [False, True])
def test_stitched_map_is_that_of_the_whole_place(fixed: bool) -> None:
    image = noise(1700, 2300)
    place = Place(100, 200, 2200, 1690, 1.0)
    tiles = list(grid(place.height, place.width, FIXED, fixed=fixed).tiles(place))
    assert len(tiles) > 3
    joined = seen(image, place, tiles)
    assert (joined == image[200:1690, 100:2200, 1]).all()


@pytest.mark.parametrize("scale", [0.3, 0.62, 1.7])
def test_stitched_map_of_a_resized_place_has_no_seams(scale: float) -> None:
    coarse = noise(12, 16)
    image = np.asarray(cv2.resize(coarse, (2400, 1800), interpolation=cv2.INTER_CUBIC), np.uint8)
    place = Place(37, 11, 2391, 1777, scale)
    rule = Resize("min", 544, 150_000, 32)
    tiles = list(grid(place.height, place.width, rule).tiles(place))
    assert len(tiles) > 3
    expected = cv2.resize(image[11:1777, 37:2391, 1], (place.width, place.height))
    difference = np.abs(seen(image, place, tiles).astype(int) - expected)
    assert difference.max() <= 6


def test_values_that_are_no_probabilities_are_limited() -> None:
    joined = np.zeros((1, 5), np.uint8)
    values = np.array([[np.nan, np.inf, -1, 2, 0.5]], np.float32)
    Tile(0, 0, 1, 5, (0, 1), (0, 5)).paste(values, joined)
    assert joined.tolist() == [[0, 0, 0, 255, 128]]
