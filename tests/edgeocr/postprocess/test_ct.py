"""CT's decoder beside PaddleOCR's, and on maps that no network should give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeocr import ArrayError
from edgeocr.postprocess import ct
from edgeocr.postprocess import maps as limits
from tests.support import curved_cases
from tests.support.curved_cases import CT
from tests.support.ideal import curved
from tests.support.overlap import corner_distance, pairs
from tests.support.packed_regions import unpacked
from tests.support.scenes import arcs, words

CASES: dict[str, Any] = {name: rest for name, *rest in curved_cases.ct()}


@pytest.mark.parametrize("name", CASES)
def test_regions_are_those_of_paddleocr(name: str, fixtures: Path) -> None:
    maps, settings = CASES[name]
    polygons, scores = ct.polygons(maps, **settings)
    quads, _ = ct.quads(maps, **settings)
    with np.load(fixtures / "ct.npz") as file:
        outlines, boxes = unpacked(file, f"{name}_polygons"), unpacked(file, f"{name}_quads")
    assert len(polygons) == len(outlines) == len(quads) == len(boxes) == len(scores)
    # PaddleOCR cuts corners to whole pixels.
    apart = [corner_distance(np.trunc(a), b) for a, b in zip(quads, boxes, strict=True)]
    assert max(apart, default=0) <= 1
    same = 0
    for ours, theirs in zip(polygons, outlines, strict=True):
        if ours.shape == theirs.shape and (ours == theirs).all():
            same += 1
        else:  # Of several pieces PaddleOCR takes the one that OpenCV happens to find first.
            assert cv2.contourArea(theirs) <= cv2.contourArea(ours)
    assert same == len(polygons) or not name.startswith(("words", "arcs")) or "noisy" in name


@pytest.mark.parametrize("scene", [words, arcs])
def test_perfect_maps_give_the_texts_that_they_were_made_of(scene: Any) -> None:
    truth = scene(3, 6, 640, 960)
    found, scores = ct.polygons(curved.ct(truth, 640, 960), **CT)
    assert len(found) == 6 == len(pairs(found, truth, 0.7))
    assert scores.dtype == np.float32 and found[0].dtype == np.float32
    quads, _ = ct.quads(curved.ct(truth, 640, 960), **CT)
    assert quads.shape == (6, 4, 2) and quads.dtype == np.float32


def test_right_part_of_a_wide_picture_is_decoded() -> None:
    # PaddleOCR's decoder has coordinates for 1 200 pixels only.
    truth = words(3, 6, 320, 1920)
    assert len(pairs(ct.polygons(curved.ct(truth, 320, 1920), **CT)[0], truth, 0.6)) == 6


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (1, 1), (1, 40), (16, 16)])
def test_maps_without_text_have_no_regions(size: tuple[int, int]) -> None:
    maps = np.full((3, *size), -3, np.float32)
    assert ct.polygons(maps, **CT)[0] == []
    quads, scores = ct.quads(maps, **CT)
    assert quads.shape == (0, 4, 2) and scores.shape == (0,)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, -3e38])
def test_values_that_are_not_finite_harm_only_their_pixels(value: float) -> None:
    truth = words(6, 4, 480, 640)
    maps = curved.ct(truth, 480, 640)
    maps[:, :2], maps[1, ::7], maps[2, :, ::9] = value, value, value
    found, scores = ct.polygons(maps, **CT)
    assert len(pairs(found, truth, 0.4)) == 4 and np.isfinite(scores).all()
    for part in range(3):
        broken = curved.ct(truth, 480, 640)
        broken[part] = value
        quads, scores = ct.quads(broken, **CT)
        assert np.isfinite(quads).all() and np.isfinite(scores).all()


def test_all_offsets_may_lead_into_one_kernel() -> None:
    maps = np.full((3, 32, 40), -9, np.float32)
    maps[0, 10:14, 10:14] = 9
    y, x = np.indices((32, 40))
    maps[1], maps[2] = (12 - x) * 0.4, (12 - y) * 0.4
    found, _ = ct.polygons(maps, **CT)
    assert len(found) == 1 and found[0].max(axis=0).tolist() == [159, 127]


def test_noise_gives_a_bounded_number_of_regions() -> None:
    maps = np.full((3, 320, 400), 9, np.float32)
    maps[0, ::4], maps[0, :, ::5] = -9, -9  # kernels of 3 x 4 pixels
    quads, _ = ct.quads(maps, **{**CT, "minimum_area": 0})
    assert len(quads) == limits.MAX_REGIONS


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((8, 8), np.float32),
        np.zeros((4, 8, 8), np.float32),
        np.zeros((1, 3, 8, 8), np.float32),
        np.zeros((3, 8, 8), np.int32),
    ],
)
def test_arrays_that_are_no_maps_are_refused(wrong: Any) -> None:
    with pytest.raises(ArrayError, match="CT's maps must be"):
        ct.quads(wrong, **CT)
