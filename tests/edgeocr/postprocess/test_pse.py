"""PSE's decoder beside PaddleOCR's, and on maps that no network should give."""

from __future__ import annotations

import tracemalloc
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeocr import ArrayError
from edgeocr.postprocess import maps as limits
from edgeocr.postprocess import pse
from tests.support import curved_cases
from tests.support.curved_cases import PSE
from tests.support.ideal import curved
from tests.support.overlap import corner_distance, pairs
from tests.support.packed_regions import unpacked
from tests.support.scenes import arcs, words

CASES: dict[str, Any] = {name: rest for name, *rest in curved_cases.pse()}


@pytest.mark.parametrize("name", CASES)
def test_regions_are_those_of_paddleocr(name: str, fixtures: Path) -> None:
    logits, settings = CASES[name]
    polygons, scores = pse.polygons(logits, **settings)
    quads, quad_scores = pse.quads(logits, **settings)
    with np.load(fixtures / "pse.npz") as file:
        outlines, boxes = unpacked(file, f"{name}_polygons"), unpacked(file, f"{name}_quads")
        expected = file[f"{name}_scores"]
    assert len(polygons) == len(outlines) == len(quads) == len(boxes)
    assert np.allclose(scores, expected, atol=1e-6) and (scores == quad_scores).all()
    for ours, theirs in zip(polygons, outlines, strict=True):
        assert ours.tolist() == theirs.tolist()
    # PaddleOCR rounds corners to whole pixels and clips them at 0.
    apart = [corner_distance(np.maximum(a, 0), b) for a, b in zip(quads, boxes, strict=True)]
    assert max(apart, default=0) <= 0.51


@pytest.mark.parametrize(("scene", "scale"), [(words, 1), (words, 2), (words, 4), (arcs, 1)])
def test_perfect_maps_give_the_texts_that_they_were_made_of(scene: Any, scale: Any) -> None:
    truth = scene(3, 12, 480, 640)
    settings = {**PSE, "scale": scale}
    found, scores = pse.polygons(curved.pse(truth, 480, 640), **settings)
    assert len(found) == 12 == len(pairs(found, truth, 0.6))
    assert scores.dtype == np.float32 and found[0].dtype == np.float32
    quads, _ = pse.quads(curved.pse(truth, 480, 640), **settings)
    assert quads.shape == (12, 4, 2)


def queue_of_pixels(numbers: Any, kernels: Any) -> Any:
    """Grow texts pixel by pixel, as PSENet's authors describe it."""
    grown = numbers.copy()
    queue = deque(map(tuple, np.argwhere(numbers > 0)))
    for kernel in kernels[::-1]:
        later: deque[Any] = deque()
        while queue:
            y, x = queue.popleft()
            passed = False
            for i, j in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                inside = 0 <= i < kernel.shape[0] and 0 <= j < kernel.shape[1]
                if inside and kernel[i, j] and not grown[i, j]:
                    grown[i, j], passed = grown[y, x], True
                    queue.append((i, j))
            if not passed:
                later.append((y, x))
        queue = later
    return grown


@pytest.mark.parametrize("seed", range(5))
def test_rings_grow_as_a_queue_of_pixels_does(seed: int) -> None:
    random = np.random.RandomState(seed)
    kernels = (random.uniform(size=(4, 17, 23)) < [[[0.9]], [[0.8]], [[0.6]], [[0.1]]]).astype(
        np.uint8
    )
    kernels *= kernels[:1]
    inside = kernels.astype(bool)
    numbers = np.where(kernels[-1], np.arange(17 * 23).reshape(17, 23), 0).astype(np.int32)
    grown = pse.expanded(numbers, inside[0], inside[::-1])
    assert (grown == queue_of_pixels(numbers, kernels)).all()


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (1, 1), (1, 40), (16, 16)])
def test_maps_without_text_have_no_regions(size: tuple[int, int]) -> None:
    logits = np.full((7, *size), -3, np.float32)
    assert pse.polygons(logits, **PSE)[0] == []
    quads, scores = pse.quads(logits, **PSE)
    assert quads.shape == (0, 4, 2) and scores.shape == (0,)


def test_full_map_is_one_text() -> None:
    found, scores = pse.polygons(np.full((7, 8, 12), 1e30, np.float32), **PSE)
    assert len(found) == 1 and scores == [1]
    assert found[0].min() == 0 and found[0].max(axis=0).tolist() == [47, 31]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, -3e38])
def test_values_that_are_not_finite_harm_only_their_surroundings(value: float) -> None:
    truth = words(6, 4, 480, 640)
    logits = curved.pse(truth, 480, 640)
    logits[:, :2] = value
    found, scores = pse.polygons(logits, **PSE)
    assert len(pairs(found, truth, 0.6)) == 4 and np.isfinite(scores).all()
    for quads in (pse.quads(np.full_like(logits, value), **PSE)[0],):
        assert len(quads) <= 1 and np.isfinite(quads).all()


def test_noise_gives_a_bounded_number_of_regions() -> None:
    logits = np.where(np.indices((160, 160)).sum(axis=0) % 2, 9, -9).astype(np.float32)
    settings = {**PSE, "minimum_area": 0, "scale": 4}
    quads, _ = pse.quads(np.stack([logits] * 7), **settings)
    assert len(quads) == limits.MAX_REGIONS


def test_labyrinth_takes_a_bounded_number_of_steps() -> None:
    labyrinth = np.zeros((101, 101), bool)
    labyrinth[::2] = True
    labyrinth[1::4, -1] = labyrinth[3::4, 0] = True
    numbers = np.zeros((101, 101), np.int32)
    numbers[0, 0] = 1
    grown = pse.expanded(numbers, labyrinth, [labyrinth])
    assert (grown > 0).sum() == 1 + 202


@pytest.mark.parametrize("kernels", ["words", "full"])
def test_large_maps_take_little_memory(kernels: str) -> None:
    """A memory limit counts a few bytes per pixel of the input for what follows a run."""
    height, width = 960, 1280
    logits = curved.pse(words(3, 40, height, width), height, width)
    if kernels == "full":
        logits = np.full_like(logits, 9)
    tracemalloc.start()
    found, _ = pse.polygons(logits, **PSE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found and peak < 26 * height * width


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((8, 8), np.float32),
        np.zeros((1, 8, 8), np.float32),
        np.zeros((1, 7, 8, 8), np.float32),
        np.zeros((7, 8, 8), np.uint8),
    ],
)
def test_arrays_that_are_no_maps_are_refused(wrong: Any) -> None:
    with pytest.raises(ArrayError, match="PSE's kernels must be"):
        pse.quads(wrong, **PSE)
