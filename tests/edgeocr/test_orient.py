"""Orientation agrees with Paddle Inference, and finds real crops that are upside down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeocr import Bundle, RuntimeOptions
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.crops import Crop, turn
from edgeocr.images import Image, load
from edgeocr.orient import Orienter
from edgeocr.runtime.job import Job
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.session import Session
from edgeocr.runtime.threads import ThreadPool
from tests.support.cutting import crop


@pytest.fixture(scope="module")
def orienter(bundle: Bundle) -> Orienter:
    stage = bundle.manifest.stages.orientation
    assert stage is not None
    return Orienter(stage, bundle.read(stage.graph), placement=Placement("cpu"), pool=ThreadPool(2))


@pytest.fixture(scope="module")
def crops(pictures: Path, labels: dict[str, list[LabelledLine]]) -> list[Image]:
    """Upright crops of all straight lines of the pictures, cut out by their labels."""
    found = []
    for name, lines in labels.items():
        picture = load(pictures / name)
        for line in lines:
            (x0, y0), (x1, y1) = line.polygon[0], line.polygon[1]
            if len(line.polygon) == 4 and x1 - x0 > abs(y1 - y0):
                found.append(crop(picture, line.polygon.astype(np.float32)))
    assert len(found) > 60
    return found


@pytest.mark.parametrize("one_by_one", [False, True])
def test_probabilities_equal_those_of_paddle_inference(
    bundle: Bundle, fixtures: Path, one_by_one: bool
) -> None:
    stage = bundle.manifest.stages.orientation
    assert stage is not None
    session = Session(
        bundle.read(stage.graph),
        Job("orientation", "crops", (1, 48, 192, 3)),
        ["probability"],
        placement=Placement("cpu"),
        threads=1,
    )
    with np.load(fixtures / "paddle_inference" / "orientation.npz") as stored:
        crops, expected = stored["crops"], stored["probability"]
    assert crops.shape[1:3] == (stage.height, stage.width)
    assert len(stage.degrees) == expected.shape[1]
    if one_by_one:
        actual = np.concatenate([session.run(crops[i : i + 1])[0] for i in range(len(crops))])
    else:
        (actual,) = session.run(crops)
    assert actual.dtype == np.float32
    assert np.abs(actual - expected).max() < 1e-5


def rotations_of(orienter: Orienter, crops: list[Crop]) -> list[int]:
    return orienter.rotations(orienter.probabilities(crops))


def test_upright_lines_are_not_turned(orienter: Orienter, crops: list[Image]) -> None:
    rotations = rotations_of(orienter, list(map(Crop.whole, crops)))
    assert len(rotations) == len(crops)
    assert rotations.count(0) >= 0.9 * len(crops)
    assert set(rotations) <= {0, 180}


def test_upside_down_lines_are_found(orienter: Orienter, crops: list[Image]) -> None:
    """Only longer lines are tried: the network is often unsure about a few characters."""
    long = [turn(crop, 180) for crop in crops if crop.shape[1] > 4 * crop.shape[0]]
    rotations = rotations_of(orienter, list(map(Crop.whole, long)))
    assert len(long) > 25
    assert rotations.count(180) >= 0.8 * len(long)


def test_rotation_does_not_depend_on_the_other_crops(
    orienter: Orienter, crops: list[Image]
) -> None:
    mixed = [Crop.whole(turn(cut, 180) if i % 3 == 0 else cut) for i, cut in enumerate(crops[:19])]
    together = rotations_of(orienter, mixed)
    assert together == [rotations_of(orienter, [crop])[0] for crop in mixed]
    assert {0, 180} == set(together)


def test_crops_are_stretched_if_the_manifest_says_so(bundle: Bundle) -> None:
    stage = bundle.manifest.stages.orientation
    assert stage is not None
    graph = bundle.read(stage.graph)
    padded = Orienter(stage, graph, placement=Placement("cpu"), pool=ThreadPool(1))
    stretched = Orienter(
        replace(stage, stretch=True), graph, placement=Placement("cpu"), pool=ThreadPool(1)
    )
    square = np.full((20, 20, 3), 9, np.uint8)
    assert (stretched._batch([Crop.whole(square)]) == 9).all()
    assert (padded._batch([Crop.whole(square)])[:, :, stage.height :] == stage.padding).all()


@pytest.mark.parametrize(
    ("fixed_shapes", "pictures_allowed", "largest"),
    [(None, 100, 4), (None, 3, 3), (None, 0, 1), (True, 100, 4), (True, 3, 1), (True, 0, 1)],
)
def test_limit_of_pixels_makes_batches_smaller(
    bundle: Bundle,
    crops: list[Image],
    fixed_shapes: bool | None,
    pictures_allowed: int,
    largest: int,
) -> None:
    stage = bundle.manifest.stages.orientation
    assert stage is not None and list(stage.batches) == [1, 4]
    limited = Orienter(
        stage,
        bundle.read(stage.graph),
        placement=Placement("cpu", RuntimeOptions(fixed_shapes=fixed_shapes)),
        pool=ThreadPool(1),
    )
    numbers: list[int] = []
    limited.session.observer = lambda batch: numbers.append(len(batch))
    assert limited.limit_pixels(pictures_allowed * stage.height * stage.width) is None
    assert len(rotations_of(limited, list(map(Crop.whole, crops[:10])))) == 10
    assert max(numbers) == largest


def test_classifier_sees_the_beginning_of_a_very_long_line(bundle: Bundle) -> None:
    stage = bundle.manifest.stages.orientation
    assert stage is not None and not stage.stretch
    orienter = Orienter(
        stage, bundle.read(stage.graph), placement=Placement("cpu"), pool=ThreadPool(1)
    )
    row = np.repeat(np.arange(200, dtype=np.uint8)[:, None], 3, axis=1)

    def last_seen(length: int) -> int:
        """Return the last column of a line, in percent of it, that the classifier sees."""
        line = np.broadcast_to(row[: length // 10, None], (length // 10, 10, 3)).reshape(length, 3)
        (batch,) = orienter._batch([Crop.whole(np.broadcast_to(line, (20, length, 3)).copy())])
        return round(int(batch.max()) / (length // 10 - 1) * 100)

    fits = 20 * stage.width // stage.height
    assert last_seen(fits) == last_seen(2 * fits) == 100
    assert last_seen(4 * fits) == pytest.approx(25, abs=3)


def test_no_crops_give_no_rotations(orienter: Orienter) -> None:
    assert rotations_of(orienter, []) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (48, 192), (3, 5000)])
def test_crops_of_any_size_have_a_rotation(orienter: Orienter, size: tuple[int, int]) -> None:
    assert rotations_of(orienter, [Crop.whole(np.full((*size, 3), 200, np.uint8))])[0] in (0, 180)


@pytest.mark.parametrize(
    ("degrees", "rotate"),
    [
        (90, cv2.ROTATE_90_COUNTERCLOCKWISE),
        (180, cv2.ROTATE_180),
        (270, cv2.ROTATE_90_CLOCKWISE),
    ],
)
def test_turning_is_counter_clockwise(degrees: int, rotate: int) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (5, 8, 3), np.uint8)
    turned = turn(picture, degrees)
    assert np.array_equal(turned, cv2.rotate(picture, rotate))
    assert turned.flags.c_contiguous
    assert np.array_equal(turn(picture, 0), picture)
