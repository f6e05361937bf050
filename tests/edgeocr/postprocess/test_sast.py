"""SAST's decoder on PaddleOCR's fixtures, on perfect maps, and on empty, full and broken ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeocr import ArrayError
from edgeocr.postprocess import maps as limits
from edgeocr.postprocess import nms, sast
from tests.support.ideal import sast as ideal
from tests.support.ideal.sast import Maps
from tests.support.overlap import pairs, shape
from tests.support.sast_cases import NUMBERS, cases
from tests.support.scenes import arcs, words
from tests.support.work import count, length, most_comparisons

CASES = dict(cases())
QUADS, POLYGONS = NUMBERS["quads"], NUMBERS["polygons"]
SIZE = 320  # side of the maps of a picture of 1 280 x 1 280


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("name", CASES)
def test_polygons_are_those_of_paddleocr(name: str, kind: str, fixtures: Path) -> None:
    found, scores = sast.polygons(*CASES[name], **NUMBERS[kind])
    with np.load(fixtures / "sast.npz") as file:
        expected = file[f"{name}_{kind}"]
    # PaddleOCR clips coordinates at 0, and orders equally strong polygons differently.
    shaped = np.array(found, np.float32).reshape(-1, *expected.shape[1:])
    apart = np.abs(np.maximum(shaped, 0)[:, None] - expected).max(axis=(2, 3))
    same = (apart < 2e-3).any(axis=0)
    # In noise it keeps quads that cross themselves, without merging them; edgeocr drops them.
    missing = 3 if name.startswith("smooth") else 0
    assert (~same).sum() <= missing and abs(len(found) - len(expected)) <= missing
    nearest = apart.argmin(axis=0)[same] if len(found) else []
    assert len(set(nearest)) == same.sum() and len(scores) == len(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "number"), [(1, 1), (2, 9), pytest.param(3, 40, marks=pytest.mark.stress)]
)
@pytest.mark.parametrize(
    ("scene", "numbers"), [(words, QUADS), (words, POLYGONS), (arcs, POLYGONS)]
)
def test_perfect_maps_give_the_texts_that_they_were_made_of(
    seed: int, number: int, scene: Any, numbers: dict[str, Any]
) -> None:
    truth = scene(seed, number, 720, 960)
    found, scores = sast.polygons(*ideal.maps(truth, 720, 960), **numbers)
    assert len(found) == len(truth) == len(pairs(found, truth, 0.7))
    assert scores == pytest.approx(np.ones(number))
    assert all(polygon.dtype == np.float32 for polygon in found)


def test_quads_are_polygons_of_four_points_or_the_rectangles_around_more() -> None:
    truth = words(4, 12, 480, 640)
    maps = ideal.maps(truth, 480, 640)
    for numbers in (QUADS, POLYGONS):
        found, scores = sast.quads(*maps, **numbers)
        assert found.shape == (12, 4, 2) and found.dtype == np.float32
        assert len(pairs(found, truth, 0.55)) == 12 and len(scores) == 12
    bent, _ = sast.quads(*ideal.maps(arcs(4, 4, 480, 640), 480, 640), **POLYGONS)
    polygons, _ = sast.polygons(*ideal.maps(arcs(4, 4, 480, 640), 480, 640), **POLYGONS)
    assert len(bent) == 4
    for quad, polygon in zip(bent, polygons, strict=True):
        assert shape(quad).buffer(1e-3).covers(shape(polygon))


def empty(height: int, width: int) -> Maps:
    return Maps(*(np.zeros((*n, height, width), np.float32) for n in ((), (4,), (8,), (2,))))


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0), (1, 1), (1, 40), (40, 1), (16, 16)])
def test_maps_of_zeros_have_no_regions(size: tuple[int, int]) -> None:
    found, scores = sast.polygons(*empty(*size), **POLYGONS)
    assert found == [] and scores.shape == (0,)
    quads, scores = sast.quads(*empty(*size), **QUADS)
    assert quads.shape == (0, 4, 2) and scores.shape == (0,)


def test_map_of_one_pixel_can_be_a_text() -> None:
    maps = empty(1, 1)
    maps.tcl[:] = 1
    maps.tvo[:, 0, 0] = [2, 2, -2, 2, -2, -2, 2, -2]
    maps.border[:, 0, 0] = [-2, 0, 2, 0]
    found, scores = sast.polygons(*maps, **QUADS)
    assert len(found) == 0  # one pixel of 16 is less than a tenth of its quad
    maps.tvo[:] *= 0.75
    found, scores = sast.polygons(*maps, **QUADS)
    assert len(found) == 1 and scores == [1]
    assert np.isfinite(found[0]).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_ignored(value: float) -> None:
    truth = words(6, 4, 480, 640)
    maps = ideal.maps(truth, 480, 640)
    maps.tcl[:2], maps.border[0, ::7], maps.tvo[3, ::5], maps.tco[1, ::11] = (value,) * 4
    found, scores = sast.polygons(*maps, **POLYGONS)
    assert len(found) == 4 == len(pairs(found, truth, 0.6))
    assert np.isfinite(scores).all()
    for broken in range(4):
        arrays = list(ideal.maps(truth, 480, 640))
        arrays[broken] = np.full_like(arrays[broken], value)
        assert len(sast.polygons(*arrays, **POLYGONS)[0]) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("half", "spread"), [(0, 0), (0, 100), (5, 0), (40, 15), (10, 4), (1.1, 0)]
)
def test_full_map_takes_bounded_work(
    half: float, spread: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.RandomState(0)
    maps = empty(SIZE, SIZE)
    maps.tcl[:] = 1
    corners = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * [half, half / 2]
    maps.tvo[:] = corners.reshape(8, 1, 1) + random.uniform(-spread, spread, (8, SIZE, SIZE))
    maps.tco[:] = random.uniform(-spread, spread, (2, SIZE, SIZE))
    maps.border[:] = np.array([-half / 2, 0, half / 2, 0]).reshape(4, 1, 1)
    pairs_compared = count(monkeypatch, nms, "intersection_areas", length)
    found, _ = sast.polygons(*maps, **POLYGONS)
    assert pairs_compared.total <= most_comparisons(SIZE**2)
    assert len(found) <= limits.MAX_REGIONS


def test_thousands_of_texts_are_found_with_few_comparisons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    maps = ideal.maps(words(7, 25, 256, 384), 256, 384)
    many = Maps(*(np.tile(each, (10, 10)) for each in maps))
    pairs_compared = count(monkeypatch, nms, "intersection_areas", length)
    found, _ = sast.polygons(*many, **QUADS)
    assert pairs_compared.total <= 3 * (many.tcl > 0.5).sum()
    assert len(found) == 2500


@pytest.mark.parametrize(
    "change",
    [
        lambda maps: maps._replace(tcl=maps.tcl[None]),
        lambda maps: maps._replace(tvo=maps.tvo[:4]),
        lambda maps: maps._replace(border=maps.border[:, :-1]),
        lambda maps: maps._replace(tco=maps.tco[0]),
        lambda maps: maps._replace(tcl=maps.tcl.astype(np.uint8)),
        lambda maps: maps._replace(tco=maps.tco.astype(np.int32)),
    ],
)
def test_arrays_that_are_no_maps_are_refused(change: Any) -> None:
    with pytest.raises(ArrayError, match="SAST's maps are"):
        sast.polygons(*change(empty(8, 8)), **QUADS)
