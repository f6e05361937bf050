"""PGNet's decoder on PaddleOCR's fixtures, on perfect maps, and on empty, full and broken ones."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeocr import ArrayError
from edgeocr.postprocess import pgnet
from tests.support.ideal import pgnet as ideal
from tests.support.ideal.pgnet import BLANK, Maps
from tests.support.overlap import iou, pairs
from tests.support.pgnet_cases import CHARSET, NUMBERS, cases, scene
from tests.support.work import count, length

CASES = dict(cases())
SIZE = 320  # of the maps of a picture of 1 280 x 1 280


def lines(maps: Maps, **numbers: Any) -> tuple[list[np.ndarray], list[str], np.ndarray]:
    return pgnet.lines(*maps, charset=CHARSET, blank=BLANK, **{**NUMBERS, **numbers})


@pytest.mark.parametrize("gather", ["points", "align"])
@pytest.mark.parametrize("name", CASES)
def test_lines_are_those_of_paddleocr(name: str, gather: str, fixtures: Path) -> None:
    polygons, texts, scores = lines(CASES[name], gather=gather)
    with np.load(fixtures / "pgnet.npz") as file:
        expected, spelled = (file[f"{name}_{gather}_{kind}"] for kind in ("polygons", "texts"))
    assert texts == spelled.tolist()
    assert len(polygons) == len(expected) == len(scores)
    # PaddleOCR clips coordinates at 0, and lengthens polygons in single precision.
    for polygon, other in zip(polygons, expected, strict=True):
        assert np.abs(np.maximum(polygon, 0) - other).max() < 0.02
    assert ((scores > 0) & (scores <= 1)).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "number"), [(11, 1), (12, 9), pytest.param(13, 20, marks=pytest.mark.stress)]
)
@pytest.mark.parametrize("kind", ["words", "arcs"])
def test_perfect_maps_give_the_lines_that_they_were_made_of(
    kind: str, seed: int, number: int
) -> None:
    truth, said = scene(kind, seed, number, 960, 1280)
    maps = ideal.maps(truth, said, 960, 1280)
    polygons, texts, _ = lines(maps._replace(characters=20 * maps.characters))
    matched = pairs(polygons, truth, 0.7)
    assert len(polygons) == number == len(matched)
    assert [texts[i] for i in matched] == [said[j] for j in matched.values()]


def test_scores_are_the_mean_probability_of_the_characters() -> None:
    truth, _ = scene("words", 14, 1, 192, 256)
    maps = ideal.maps(truth, ["ab"], 192, 256)
    for height in (1.0, 4.0):
        _, texts, scores = lines(maps._replace(characters=height * maps.characters))
        assert texts == ["ab"]
        assert scores == pytest.approx([np.exp(height) / (np.exp(height) + BLANK)])


def test_texts_are_read_in_the_direction_that_the_network_says() -> None:
    truth, _ = scene("words", 15, 1, 192, 256)
    around = np.roll(truth[0], 2, axis=0)
    polygons, texts, _ = lines(ideal.maps([around], ["abcd"], 192, 256))
    assert texts == ["abcd"] and iou(polygons[0], around) > 0.7
    # The polygon begins where the reading does.
    assert np.abs(polygons[0][0] - around[0]).max() < 20


def test_short_lines_and_short_texts_are_dropped() -> None:
    truth, _ = scene("words", 16, 4, 384, 512)
    maps = ideal.maps(truth, ["a", "bc", "", "def"], 384, 512)
    assert sorted(lines(maps)[1]) == ["bc", "def"]
    assert sorted(lines(maps, minimum_characters=0)[1]) == ["", "a", "bc", "def"]
    assert lines(maps, minimum_points=500)[1] == []


def empty(height: int, width: int) -> Maps:
    channels = ((), (4,), (2,), (BLANK + 1,))
    return Maps(*(np.zeros((*n, height, width), np.float32) for n in channels))


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0), (1, 1), (1, 40), (40, 1), (16, 16)])
@pytest.mark.parametrize("score", [0, 1])
def test_maps_without_characters_have_no_lines(size: tuple[int, int], score: float) -> None:
    maps = empty(*size)
    maps.score[:] = score
    polygons, texts, scores = lines(maps)
    assert len(polygons) == len(texts) == len(scores) == 0
    assert scores.dtype == np.float32


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_ignored(value: float) -> None:
    truth, said = scene("arcs", 17, 4, 384, 512)
    perfect = ideal.maps(truth, said, 384, 512)
    for broken in range(4):
        arrays = list(perfect)
        arrays[broken] = np.full_like(arrays[broken], value)
        polygons, texts, scores = lines(Maps(*arrays))
        assert np.isfinite(scores).all() and len(texts) == len(polygons)
        assert all(np.isfinite(polygon).all() for polygon in polygons)
        if broken != 2:  # without directions lines are still found and read
            assert not texts


@pytest.mark.parametrize("spread", [0, 1, 1e6])
def test_full_map_gathers_no_more_points_than_it_has_pixels(
    spread: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.RandomState(0)
    maps = Maps(*(random.uniform(-spread, spread, a.shape).astype("f4") for a in empty(SIZE, SIZE)))
    maps.score[:] = 1
    gathered = count(monkeypatch, pgnet, "_decode", length)
    lines(maps)
    assert gathered.calls <= 1 and gathered.total <= maps.score.size


def test_winding_area_is_read_in_bounded_memory() -> None:
    random = np.random.RandomState(0)
    maps = empty(SIZE, SIZE)
    maps.score[::2] = maps.score[:, 0] = 1
    maps.direction[:] = random.uniform(-1, 1, maps.direction.shape)
    maps.characters[:] = random.uniform(-1, 1, maps.characters.shape)
    tracemalloc.start()
    try:
        lines(maps, gather="align")
        assert tracemalloc.get_traced_memory()[1] < 500e6
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_thousands_of_lines_are_each_followed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, said = scene("words", 18, 20, 256, 512)
    many = Maps(*(np.tile(each, (10, 10)) for each in ideal.maps(truth, said, 256, 512)))
    followed = count(monkeypatch, pgnet, "_prolonged", length)
    gathered = count(monkeypatch, pgnet, "_decode", length)
    polygons, texts, _ = lines(many)
    assert followed.calls <= 2100 and gathered.calls == 1
    assert gathered.total <= 2 * followed.total
    assert len(polygons) == len(texts) > 1900


@pytest.mark.parametrize(
    "change",
    [
        lambda maps: maps._replace(score=maps.score[None]),
        lambda maps: maps._replace(direction=maps.direction[:1]),
        lambda maps: maps._replace(characters=maps.characters[1:]),
        lambda maps: maps._replace(border=maps.border[:, :-1]),
        lambda maps: maps._replace(score=maps.score.astype(np.uint8)),
        lambda maps: maps._replace(direction=maps.direction.astype(np.int32)),
    ],
)
def test_arrays_that_are_no_maps_are_refused(change: Any) -> None:
    with pytest.raises(ArrayError, match="PGNet's maps are"):
        lines(change(empty(8, 8)))


def test_blank_that_is_no_class_is_refused() -> None:
    with pytest.raises(ArrayError, match="the blank is class 37"):
        pgnet.lines(*empty(8, 8), charset=CHARSET, blank=37, **NUMBERS)
