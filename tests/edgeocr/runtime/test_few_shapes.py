"""Providers that want few input shapes get only those of the manifest's sets, with the same texts.

The CPU stands in for them (`few_shapes=True`): what differs by provider is which shapes a network
is given, and that they go through bound buffers.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from converters.accuracy.labels import LabelledLine
from converters.accuracy.score import normalized
from edgeocr import OCR, Bundle, GraphError
from edgeocr.bundle.manifest import Resize
from edgeocr.resize import finite_size, resize
from edgeocr.runtime import session
from edgeocr.runtime.placement import shapes_for

Shapes = set[tuple[int, ...]]


@pytest.fixture(scope="module")
def few(bundle: Bundle) -> OCR:
    return OCR(bundle, provider="cpu", threads=2, few_shapes=True)


def sets(bundle: Bundle) -> dict[str, Shapes]:
    """What the manifest says, worked out once more."""
    stages = bundle.manifest.stages
    detection, recognition, orientation = stages.detection, stages.recognition, stages.orientation
    return {
        "detection": {(1, *size, 3) for size in detection.resize.sizes},
        "recognition": {
            (n, recognition.height, width, 3)
            for width in recognition.widths
            for n in recognition.batches
        },
        "orientation": {(n, orientation.height, orientation.width, 3) for n in orientation.batches},
    }


class Recorder:
    """Stands in for a network: notes the shapes that it is given, finds lines at random."""

    def __init__(self, kind: str, rng: np.random.Generator) -> None:
        self.kind, self.rng, self.shapes = kind, rng, set()

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


@pytest.mark.parametrize("provider", ["cuda", "tensorrt"])
def test_500_pages_of_random_sizes_give_no_other_shape(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    """TensorRT has no strips in its set."""
    rng = np.random.default_rng(7)
    monkeypatch.setattr(session, "shapes_for", lambda _, shapes: shapes_for(provider, shapes))
    ocr = OCR(bundle, provider="cpu", threads=1, few_shapes=True)
    recorders = {}
    for name, each in ocr._sessions().items():
        recorders[name] = Recorder(name, rng)
        each._runner = recorders[name]
    lines = 0
    for _ in range(500):
        height, width = np.exp(rng.uniform(np.log(8), np.log(2500), 2)).astype(int)
        lines += len(ocr.read(np.zeros((height, width, 3), np.uint8)).lines)
    assert lines > 500
    expected = {
        name: set(shapes_for(provider, sorted(shapes))) for name, shapes in sets(bundle).items()
    }
    for name, recorder in recorders.items():
        assert recorder.shapes <= expected[name]
        assert len(recorder.shapes) > 0.6 * len(expected[name])
    assert {name: len(shapes) for name, shapes in expected.items()} == {
        "detection": {"cuda": 36, "tensorrt": 24}[provider],
        "recognition": 54,
        "orientation": 2,
    }


def test_warming_up_runs_each_shape_once(bundle: Bundle) -> None:
    ocr = OCR(bundle, provider="cpu", threads=1, few_shapes=True)
    given: dict[str, list[tuple[int, ...]]] = {}
    for name, each in ocr._sessions().items():
        shapes = given.setdefault(name, [])
        each._runner = SimpleNamespace(
            run=lambda batch, shapes=shapes: shapes.append(batch.shape), warm_runs=1
        )
    warmed = ocr.warm_up()
    for name, shapes in sets(bundle).items():
        assert len(given[name]) == len(shapes) == warmed[name].shapes
        assert set(given[name]) == shapes
        assert np.prod(given[name][0]) == max(map(np.prod, shapes))  # its memory serves the others
        assert warmed[name].provider == "cpu" and warmed[name].seconds >= 0


def test_warming_up_where_any_shape_is_taken(bundle: Bundle) -> None:
    warmed = OCR(bundle, provider="cpu", threads=1).warm_up()
    assert {name: each.shapes for name, each in warmed.items()} == dict.fromkeys(sets(bundle), 1)


def test_another_shape_is_refused(few: OCR) -> None:
    detector = few._detector
    with pytest.raises(GraphError, match=r"\(1, 64, 64, 3\) is none of the shapes"):
        detector.session.run(np.zeros((1, 64, 64, 3), np.uint8))


def test_labelled_lines_read_the_same(
    ocr: OCR, few: OCR, pictures: Path, labels: dict[str, list[LabelledLine]]
) -> None:
    for name, lines in labels.items():
        wanted = {normalized(line.text) for line in lines if line.care}
        natural, padded = (
            {normalized(line.text) for line in each.read(pictures / name).lines} & wanted
            for each in (ocr, few)
        )
        assert natural == padded and natural


def test_the_map_is_cut_to_the_image() -> None:
    rule = Resize("min", 64, 1 << 20, 32, sizes=[[96, 96], [128, 192]])
    image = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    resized = resize(image, rule, finite=True)
    assert resized.pixels.shape == (96, 96, 3)
    np.testing.assert_array_equal(resized.pixels[:64], image)
    np.testing.assert_array_equal(resized.pixels[64:], np.repeat(image[-1:], 32, axis=0))
    full = np.arange(2 * 96 * 96).reshape(2, 96, 96)
    np.testing.assert_array_equal(resized.of_image(full), full[:, :64])
    quarter = np.arange(24 * 24).reshape(24, 24)  # as EAST's maps are
    np.testing.assert_array_equal(resized.of_image(quarter), quarter[:16])


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
def test_which_size_holds_an_image(
    size: tuple[int, int], inside: tuple[int, int], outside: tuple[int, int]
) -> None:
    rule = Resize("min", 64, 1 << 20, 32, sizes=[[96, 96], [128, 192]])
    assert finite_size(*size, rule) == (inside, outside)
