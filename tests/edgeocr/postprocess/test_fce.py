"""FCE's decoder beside PaddleOCR's, and on maps that no network should give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from edgeocr import ArrayError
from edgeocr.postprocess import fce
from tests.support import curved_cases
from tests.support.curved_cases import FCE
from tests.support.ideal import curved
from tests.support.overlap import pairs
from tests.support.packed_regions import unpacked
from tests.support.scenes import arcs, words
from tests.support.work import count

CASES: dict[str, Any] = {name: rest for name, *rest in curved_cases.fce()}


def distance(a: Any, b: Any) -> float:
    """Return the largest distance of two outlines' points; quads may begin at any corner."""
    starts = range(4) if len(a) == 4 else range(1)
    turns = [np.roll(each, start, axis=0) for each in (a, a[::-1]) for start in starts]
    return min(float(np.abs(turn - b).max()) for turn in turns)


@pytest.mark.parametrize("name", CASES)
def test_regions_are_those_of_paddleocr(name: str, fixtures: Path) -> None:
    levels, settings = CASES[name]
    with np.load(fixtures / "fce.npz") as file:
        for kind, decode in (("polygons", fce.polygons), ("quads", fce.quads)):
            found, scores = decode(*levels, **settings)
            expected = unpacked(file, f"{name}_{kind}")
            assert len(found) == len(expected)
            assert np.allclose(scores, file[f"{name}_{kind}_scores"], atol=1e-6)
            # Equally good regions may come in another order, and another version of OpenCV may
            # place the corners of a rectangle a pixel beside.
            apart = [min(distance(ours, theirs) for ours in found) for theirs in expected]
            assert max(apart, default=0) <= (kind == "quads")


@pytest.mark.parametrize(("scene", "number"), [(words, 1), (words, 12), (arcs, 12)])
def test_perfect_maps_give_the_texts_that_they_were_made_of(scene: Any, number: int) -> None:
    truth = scene(3, number, 480, 640)
    found, scores = fce.polygons(*curved.fce(truth, 480, 640), **FCE)
    assert len(found) == number == len(pairs(found, truth, 0.7))
    assert scores.dtype == np.float32 and found[0].dtype == np.float32
    # Clockwise in a picture is counter-clockwise for shapely, whose y grows upwards.
    assert all(shapely.Polygon(each).exterior.is_ccw for each in found)
    quads, _ = fce.quads(*curved.fce(truth, 480, 640), **FCE)
    assert quads.shape == (number, 4, 2) and quads.dtype == np.float32


def empty(height: int, width: int) -> list[Any]:
    return [np.zeros((26, height // s, width // s), np.float32) for s in FCE["strides"]]


@pytest.mark.parametrize("size", [(0, 0), (0, 96), (32, 32), (64, 96)])
def test_maps_of_zeros_have_no_regions(size: tuple[int, int]) -> None:
    assert fce.polygons(*empty(*size), **FCE)[0] == []
    quads, scores = fce.quads(*empty(*size), **FCE)
    assert quads.shape == (0, 4, 2) and scores.shape == (0,)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, -3e38])
def test_values_that_are_not_finite_are_ignored(value: float) -> None:
    truth = words(6, 4, 480, 640)
    levels = curved.fce(truth, 480, 640)
    for level in levels:
        level[:4, :1], level[6, ::3], level[20, :, ::4] = value, value, value
    found, scores = fce.polygons(*levels, **FCE)
    assert len(pairs(found, truth, 0.7)) == 4 and np.isfinite(scores).all()
    for part in (0, 1, 3, 9, 20):
        broken = curved.fce(truth, 480, 640)
        broken[0][part] = value
        quads, scores = fce.quads(*broken, **FCE)
        assert np.isfinite(quads).all() and np.isfinite(scores).all()


@pytest.mark.parametrize("spread", [0, 3, 300])
def test_full_maps_take_bounded_work(spread: float, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.RandomState(0)
    levels = empty(640, 640)
    for level in levels:
        level[:4] = 1
        level[4:] = random.normal(0, spread, level[4:].shape)
    monkeypatch.setattr(fce, "MAX_PAIRS", 2000)
    compared = count(monkeypatch, shapely, "intersection", lambda _, others: len(others))
    found, _ = fce.polygons(*levels, **FCE)
    # Within centers, within each of three levels, and between them. The last comparison may exceed
    # the limit by the outlines that are left.
    assert compared.total <= 5 * (2000 + fce.MAX_OUTLINES)
    assert len(found) <= 3 * fce.MAX_OUTLINES


def test_texts_found_before_the_limit_of_work_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = words(3, 12, 480, 640)
    monkeypatch.setattr(fce, "MAX_PAIRS", 300)
    found, scores = fce.polygons(*curved.fce(truth, 480, 640), **FCE)
    assert 0 < len(found) < 12 and len(scores) == len(found) == len(pairs(found, truth, 0.7))


@pytest.mark.parametrize(
    "change",
    [
        lambda levels: levels[:2],
        lambda levels: [levels[0][:25], *levels[1:]],
        lambda levels: [levels[0][0], *levels[1:]],
        lambda levels: [level.astype(np.int32) for level in levels],
    ],
)
def test_arrays_that_are_no_maps_are_refused(change: Any) -> None:
    with pytest.raises(ArrayError, match="FCE"):
        fce.quads(*change(empty(64, 64)), **FCE)
