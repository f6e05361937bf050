"""DB post-processing of perfect maps, and of empty, full, broken and crowded ones."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from edgeocr import ArrayError
from edgeocr.postprocess import db
from tests.support.ideal import db as ideal
from tests.support.overlap import pairs
from tests.support.scenes import arcs, words
from tests.support.work import count, length

NUMBERS: dict[str, Any] = {
    "threshold": 0.3,
    "box_threshold": 0.6,
    "unclip_ratio": 1.5,
    "max_candidates": 1000,
}
BOTH = pytest.mark.parametrize("decode", [db.quads, db.polygons])


def bars(*places: tuple[int, int, int, int], value: float | np.float32 = 0.9) -> np.ndarray:
    """Return a map of 200 x 300 with a filled rectangle for each x, y, width, height."""
    probability = np.zeros((200, 300), np.float32)
    for x, y, width, height in places:
        probability[y : y + height, x : x + width] = value
    return probability


@BOTH
@pytest.mark.parametrize("size", [(0, 0), (0, 9), (9, 0), (1, 1), (1, 90), (90, 1), (64, 64)])
def test_map_of_zeros_has_no_regions(decode: Any, size: tuple[int, int]) -> None:
    regions, scores = decode(np.zeros(size, np.float32), **NUMBERS)
    assert len(regions) == len(scores) == 0
    assert scores.dtype == np.float32


@BOTH
@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 1), (2, 90)])
def test_full_map_that_is_too_thin_has_no_region(decode: Any, size: tuple[int, int]) -> None:
    assert len(decode(np.ones(size, np.float32), **NUMBERS)[0]) == 0


@BOTH
def test_one_pixel_is_noise(decode: Any) -> None:
    assert len(decode(bars((40, 40, 1, 1)), **NUMBERS)[0]) == 0


@BOTH
def test_full_map_is_one_region_with_few_points(
    decode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    probability = np.ones((1280, 1280), np.float32)
    rectangles = count(monkeypatch, cv2, "minAreaRect", length)
    regions, scores = decode(probability, **NUMBERS)
    assert rectangles.calls <= 2 and rectangles.total < 200
    assert len(regions) == 1 and scores == pytest.approx([1])
    assert cv2.contourArea(regions[0]) > 1280**2


@BOTH
def test_nan_and_infinity_are_no_text(decode: Any) -> None:
    broken = np.full((90, 120), np.nan, np.float32)
    assert len(decode(broken, **NUMBERS)[0]) == 0
    broken[::2] = np.inf
    broken[::3] = -np.inf
    assert len(decode(broken, **NUMBERS)[0]) == 0
    sound = bars((20, 20, 100, 20))
    broken = sound.copy()
    broken[100:] = np.nan
    for of_broken, of_sound in zip(
        decode(broken, **NUMBERS), decode(sound, **NUMBERS), strict=True
    ):
        assert np.array_equal(of_broken, of_sound)


@BOTH
def test_only_the_largest_candidates_are_examined(
    decode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(1)
    probability = np.zeros((1024, 1024), np.float32)
    probability[::4, ::4] = random.random((256, 256)) > 0.3  # some 45 000 specks
    places = [(100, 100, 300, 40), (100, 300, 200, 30), (100, 500, 100, 20)]
    for x, y, width, height in places:
        probability[y : y + height, x : x + width] = 1
    rectangles = count(monkeypatch, cv2, "minAreaRect")
    regions, _ = decode(probability, **(NUMBERS | {"max_candidates": 2}))
    assert rectangles.calls <= 4
    assert sorted(float(region.mean(axis=0)[1]) // 100 for region in regions) == [1, 3]
    assert len(decode(probability, **(NUMBERS | {"max_candidates": 3}))[0]) == 3


@BOTH
@pytest.mark.parametrize("score", ["box", "polygon"])
def test_map_of_bytes_gives_the_regions_of_the_same_floats(decode: Any, score: str) -> None:
    perfect = ideal.probability(words(3, 12, 256, 384), 256, 384)
    rounded = np.rint(cv2.GaussianBlur(perfect, (7, 7), 1) * 255)
    numbers = NUMBERS | ({"score": score} if decode is db.quads else {})
    expected, scores = decode((rounded / 255).astype(np.float32), **numbers)
    found, same = decode(rounded.astype(np.uint8), **numbers)
    assert len(found) == len(expected) > 5
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other)
    np.testing.assert_allclose(same, scores, atol=1e-4)


@BOTH
@pytest.mark.parametrize(
    "probability",
    [
        np.zeros((1, 64, 64), np.float32),
        np.zeros(64, np.float32),
        np.zeros((), np.float32),
        np.zeros((1, 64, 64), np.uint8),
        np.zeros((64, 64), np.int16),
        np.zeros((64, 64), bool),
        np.zeros((64, 64), np.complex64),
        np.zeros((64, 64), object),
    ],
    ids=lambda array: f"{array.dtype}{list(array.shape)}",
)
def test_arrays_that_are_no_map_are_refused(decode: Any, probability: np.ndarray) -> None:
    with pytest.raises(ArrayError, match="DB's probability map must be"):
        decode(probability, **NUMBERS)


@BOTH
@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_maps_of_other_float_types_are_accepted(decode: Any, dtype: type) -> None:
    probability = bars((20, 20, 100, 20), value=0.875)
    expected, _ = decode(probability, **NUMBERS)
    regions, scores = decode(probability.astype(dtype), **NUMBERS)
    assert np.array_equal(regions, expected) and scores == pytest.approx([0.875])


@BOTH
def test_map_is_not_changed_and_need_not_be_contiguous(decode: Any) -> None:
    probability = bars((20, 20, 100, 20), (150, 100, 90, 30))
    wide = np.repeat(probability, 2, axis=1)[:, ::2]
    wide.flags.writeable = False
    for ours, expected in zip(decode(wide, **NUMBERS), decode(probability, **NUMBERS), strict=True):
        assert np.array_equal(ours, expected)


def test_quads_grow_by_area_times_ratio_over_perimeter() -> None:
    """The area and the perimeter are those of the outline through pixel centres."""
    quads, _ = db.quads(bars((50, 60, 101, 21)), **NUMBERS)
    distance = 100 * 20 * 1.5 / 240
    left, top, right, bottom = 50 - distance, 60 - distance, 150 + distance, 80 + distance
    expected = [[left, top], [right, top], [right, bottom], [left, bottom]]
    assert quads[0] == pytest.approx(np.array(expected), abs=1e-3)


def test_pixels_must_exceed_the_threshold_and_regions_reach_the_box_threshold() -> None:
    exact = bars((50, 60, 100, 20), value=0.5)
    assert len(db.quads(exact, **(NUMBERS | {"threshold": 0.5, "box_threshold": 0}))[0]) == 0
    assert len(db.quads(exact, **(NUMBERS | {"threshold": 0.4, "box_threshold": 0.5}))[0]) == 1
    assert len(db.quads(exact, **(NUMBERS | {"threshold": 0.4, "box_threshold": 0.51}))[0]) == 0


def test_threshold_is_compared_in_float32() -> None:
    """51 / 255 in float32 exceeds 0.2 in float64, but PaddleOCR compares both in float32."""
    exact = bars((50, 60, 100, 20), value=np.float32(51) / np.float32(255))
    assert len(db.quads(exact, **(NUMBERS | {"threshold": 0.2, "box_threshold": 0}))[0]) == 0


@pytest.mark.parametrize(("height", "regions"), [(3, 0), (4, 1)])
def test_regions_under_three_pixels_are_noise_however_they_are_unclipped(
    height: int, regions: int
) -> None:
    """Lengths are measured between pixel centres, as PaddleOCR does."""
    thin = bars((50, 60, 100, height))
    assert len(db.quads(thin, **(NUMBERS | {"unclip_ratio": 4.0}))[0]) == regions


def test_dilation_joins_regions_one_pixel_apart() -> None:
    halves = bars((50, 60, 60, 20), (111, 60, 60, 20))
    assert len(db.quads(halves, **NUMBERS)[0]) == 2
    assert len(db.quads(halves, **NUMBERS, dilation=True)[0]) == 1


def test_box_and_polygon_scores_differ_where_a_region_is_no_rectangle() -> None:
    corner = bars((50, 60, 100, 20), (50, 60, 20, 100))
    numbers = NUMBERS | {"box_threshold": 0}
    (by_box,) = db.quads(corner, **numbers, score="box")[1]
    (by_region,) = db.quads(corner, **numbers, score="polygon")[1]
    assert by_region == pytest.approx(0.9)
    assert by_box < 0.6


def test_ring_and_the_region_inside_it_are_two_regions() -> None:
    ring = bars((50, 40, 150, 120))
    ring[60:140, 70:180] = 0
    ring[90:110, 90:160] = 0.9
    numbers = NUMBERS | {"box_threshold": 0, "unclip_ratio": 0.5}
    quads, _ = db.quads(ring, **numbers)
    assert len(quads) == len(db.polygons(ring, **numbers)[0]) == 2


@BOTH
def test_same_map_gives_the_same_regions_again(decode: Any) -> None:
    random = np.random.default_rng(8)
    probability = cv2.GaussianBlur(random.random((300, 400), np.float32), (0, 0), 4)
    probability = (probability - probability.min()) / np.ptp(probability)
    numbers = NUMBERS | {"threshold": 0.5, "box_threshold": 0.4}
    first_regions, first_scores = decode(probability, **numbers)
    assert len(first_regions) > 20
    for _ in range(3):
        regions, scores = decode(probability, **numbers)
        assert all(map(np.array_equal, regions, first_regions))
        assert np.array_equal(scores, first_scores)


@pytest.mark.parametrize(("seed", "number"), [(1, 1), (2, 9), (3, 40)])
def test_perfect_maps_give_the_texts_that_they_were_made_of(seed: int, number: int) -> None:
    numbers: dict[str, Any] = {"threshold": 0.3, "box_threshold": 0.6, "max_candidates": 1000}
    truth = words(seed, number, 480, 640)
    quads, _ = db.quads(ideal.probability(truth, 480, 640), unclip_ratio=1.5, **numbers)
    assert len(quads) == number == len(pairs(quads, truth, 0.7))
    bent = arcs(seed, number, 480, 640)
    polygons, _ = db.polygons(ideal.probability(bent, 480, 640), unclip_ratio=1.8, **numbers)
    assert len(polygons) == number == len(pairs(polygons, bent, 0.7))
