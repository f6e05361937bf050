"""Inputs padded to the manifest's fixed set of shapes: no other shape is run, texts stay the same.

The CPU stands in for the providers that need it (`fixed_shapes=True`). What differs between
providers is only which of the shapes a network is given, and that these go through buffers.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeocr import OCR, Bundle, GraphError
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.bundle.manifest import Resize
from edgeocr.resize import fixed_size, resize
from edgeocr.runtime import start
from edgeocr.runtime.job import Shape
from edgeocr.runtime.options import RuntimeOptions
from edgeocr.runtime.providers import PROVIDERS, provider_named
from tests.support.labelled import labelled_texts_read

FIXED = RuntimeOptions(fixed_shapes=True)

Shapes = set[Shape]
# Enough for more than 60 % of all shapes to occur.
PAGES = 250


@pytest.fixture(scope="module")
def fixed(bundle: Bundle) -> OCR:
    return OCR(bundle, provider="cpu", threads=2, runtime=FIXED)


def sets(bundle: Bundle) -> dict[str, Shapes]:
    """Work out the sets of shapes from the manifest, independently of the stages."""
    stages = bundle.manifest.stages
    detection, recognition, orientation = stages.detection, stages.recognition, stages.orientation
    assert detection and recognition and orientation
    return {
        "detection": {(1, height, width, 3) for height, width in detection.resize.sizes},
        "recognition": {
            (n, recognition.height, width, 3)
            for width in recognition.widths
            for n in recognition.batches
        },
        "orientation": {(n, orientation.height, orientation.width, 3) for n in orientation.batches},
    }


class FakeNetwork:
    """Stands in for a network: notes the shapes that it is given, and finds random lines."""

    warm_runs = 1

    def __init__(self, kind: str, rng: np.random.Generator) -> None:
        self.kind, self.rng = kind, rng
        self.shapes: set[tuple[int, ...]] = set()

    def run(self, batch: np.ndarray) -> list[np.ndarray]:
        self.shapes.add(batch.shape)
        number, height, width, _ = batch.shape
        if self.kind == "detection":
            probability = np.zeros((1, height, width), np.float32)
            for _ in range(int(self.rng.integers(1, 9))):
                tall = int(self.rng.integers(4, 40))
                wide = int(self.rng.integers(tall, width))
                y, x = self.rng.integers(0, height - tall), self.rng.integers(0, width - wide + 1)
                probability[0, y : y + tall, x : x + wide] = 1
            return [probability]
        if self.kind == "orientation":
            return [self.rng.dirichlet((1, 1), number).astype(np.float32)]
        steps = width // 8
        return [
            self.rng.integers(0, 99, (number, steps), np.int32),
            np.ones((number, steps), np.float32),
        ]


@pytest.mark.stress
@pytest.mark.slow
@pytest.mark.parametrize("provider", ["cuda", "tensorrt"])
def test_pages_of_random_sizes_give_no_other_shape(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    """TensorRT's set has no shapes of extreme proportions."""
    rng = np.random.default_rng(7)
    limit = provider_named(provider).max_proportion
    cpu = replace(PROVIDERS["cpu"], max_proportion=limit)
    monkeypatch.setattr(start, "PROVIDERS", {**PROVIDERS, "cpu": cpu})
    ocr = OCR(bundle, provider="cpu", threads=1, runtime=FIXED)
    networks = {}
    for name, each in ocr.stages.items():
        networks[name] = FakeNetwork(name, rng)
        each.session._runner = networks[name]
    lines = 0
    for _ in range(PAGES):
        height, width = np.exp(rng.uniform(np.log(8), np.log(2500), 2)).astype(int)
        lines += len(ocr.read(np.zeros((height, width, 3), np.uint8)).lines)
    assert lines > PAGES
    expected = {
        name: set(provider_named(provider).shapes_for(sorted(shapes)))
        for name, shapes in sets(bundle).items()
    }
    for name, network in networks.items():
        assert network.shapes <= expected[name]
        assert len(network.shapes) > 0.6 * len(expected[name])
    assert {name: len(shapes) for name, shapes in expected.items()} == {
        "detection": {"cuda": 36, "tensorrt": 24}[provider],
        "recognition": 54,
        "orientation": 2,
    }


def test_warming_up_runs_each_shape_once(bundle: Bundle) -> None:
    ocr = OCR(bundle, provider="cpu", threads=1, runtime=FIXED)
    noted: dict[str, list[tuple[int, ...]]] = {}
    for name, each in ocr.stages.items():
        given = noted.setdefault(name, [])
        runner: Any = SimpleNamespace(
            run=lambda batch, given=given: given.append(batch.shape), warm_runs=1
        )
        each.session._runner = runner
    warmed = ocr.warm_up()
    for name, shapes in sets(bundle).items():
        assert len(noted[name]) == len(shapes) == warmed[name].shapes
        assert set(noted[name]) == shapes
        assert np.prod(noted[name][0]) == max(map(np.prod, shapes))  # the others reuse its memory
        assert warmed[name].provider == "cpu" and warmed[name].seconds >= 0


def test_warming_up_runs_one_shape_where_any_is_taken(bundle: Bundle) -> None:
    warmed = OCR(bundle, provider="cpu", threads=1).warm_up()
    assert {name: each.shapes for name, each in warmed.items()} == dict.fromkeys(sets(bundle), 1)


def test_a_shape_outside_of_the_set_is_refused(fixed: OCR) -> None:
    detector = fixed.stages["detection"]
    assert detector is not None
    with pytest.raises(GraphError, match=r"\(1, 64, 64, 3\) is none of the fixed shapes"):
        detector.session.run(np.zeros((1, 64, 64, 3), np.uint8))


@pytest.mark.stress
@pytest.mark.slow
def test_labelled_lines_are_read_with_fixed_shapes_as_without(
    ocr: OCR, fixed: OCR, pictures: Path, labels: dict[str, list[LabelledLine]]
) -> None:
    for name, lines in labels.items():
        natural, padded = (
            labelled_texts_read(each, pictures / name, lines) for each in (ocr, fixed)
        )
        assert natural == padded and natural


def test_maps_are_cut_to_the_unpadded_image() -> None:
    rule = Resize("min", 64, 1 << 20, 32, sizes=[[96, 96], [128, 192]])
    image = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    resized = resize(image, rule, fixed=True)
    assert resized.pixels.shape == (96, 96, 3)
    np.testing.assert_array_equal(resized.pixels[:64], image)
    np.testing.assert_array_equal(resized.pixels[64:], np.repeat(image[-1:], 32, axis=0))
    full = np.arange(2 * 96 * 96).reshape(2, 96, 96)
    np.testing.assert_array_equal(resized.crop_map(full), full[:, :64])
    quarter = np.arange(24 * 24).reshape(24, 24)  # as EAST's maps are
    np.testing.assert_array_equal(resized.crop_map(quarter), quarter[:16])


@pytest.mark.parametrize(
    ("size", "inside", "outside"),
    [
        ((64, 96), (64, 96), (96, 96)),
        ((96, 96), (96, 96), (96, 96)),
        ((128, 96), (128, 96), (128, 192)),
        ((128, 224), (96, 192), (128, 192)),  # 192 / 224 of it, in whole steps
        ((640, 32), (128, 32), (128, 192)),
    ],
)
def test_an_image_is_padded_to_the_smallest_size_that_holds_it(
    size: tuple[int, int], inside: tuple[int, int], outside: tuple[int, int]
) -> None:
    rule = Resize("min", 64, 1 << 20, 32, sizes=[[96, 96], [128, 192]])
    assert fixed_size(*size, rule) == (inside, outside)
