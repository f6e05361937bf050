"""Recognition of crops that the labels cut out."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from converters import edge_graph
from converters.accuracy.labels import LabelledLine
from converters.accuracy.score import normalized
from edgeocr import OCR, Bundle
from edgeocr.bundle.manifest import Charset, Recognition
from edgeocr.crops import Crop
from edgeocr.images import Image, load
from edgeocr.postprocess import ctc
from edgeocr.recognize import Recognizer, _widths
from edgeocr.runtime.onnx_runtime import import_onnxruntime
from edgeocr.runtime.options import RuntimeOptions
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.threads import ThreadPool
from tests.support.cutting import crop
from tests.zoo.converted import converted

Labelled = list[tuple[str, Image]]
# STAR-Net: a spatial transformer, whose grid is for 100 pixels.
STAR_NET = "rec_r34_vd_tps_bilstm_ctc"
ALPHANUMERIC = list("0123456789abcdefghijklmnopqrstuvwxyz")
OF_ONE_WIDTH = Recognition(
    "CTC", "g", STAR_NET, 32, 320, 3200, 16, 127, 8, Charset("c", 37, 0), 0.5, width=100
)


@pytest.fixture(scope="module")
def recognizer(bundle: Bundle) -> Recognizer:
    stage = bundle.manifest.stages.recognition
    graph, characters = bundle.read(stage.graph), bundle.characters
    return Recognizer(stage, graph, characters, placement=Placement("cpu"), pool=ThreadPool(2))


@pytest.fixture(scope="module")
def labelled(pictures: Path, labels: dict[str, list[LabelledLine]]) -> Labelled:
    """Text and crop of each line that its label's own first corner makes upright."""
    found = []
    for name, lines in labels.items():
        picture = load(pictures / name)
        for line in lines:
            if len(line.polygon) == 4:
                quad = line.polygon.astype(np.float32)
                found.append((normalized(line.text), crop(picture, quad)))
    return found


def test_texts_are_the_labels(recognizer: Recognizer, labelled: Labelled) -> None:
    readings = recognizer.recognize([Crop.of(cut) for _, cut in labelled])
    assert len(readings) == len(labelled) > 60
    right = [
        normalized(reading.text) == text
        for reading, (text, _) in zip(readings, labelled, strict=True)
    ]
    assert sum(right) >= 0.95 * len(right)
    assert all(0 < reading.score <= 1 for reading in readings)
    assert all(type(reading.score) is float for reading in readings)


def test_a_reading_does_not_depend_on_the_crops_beside_it(
    recognizer: Recognizer, labelled: Labelled
) -> None:
    crops = [Crop.of(cut) for _, cut in labelled[::4]]
    together = recognizer.recognize(crops)
    for crop_alone, reading in zip(crops, together, strict=True):
        (alone,) = recognizer.recognize([crop_alone])
        assert alone.text == reading.text
        assert alone.score == pytest.approx(reading.score, abs=1e-5)


def test_batches_as_on_an_accelerator_give_the_same_texts(
    bundle: Bundle, recognizer: Recognizer, labelled: Labelled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the shapes differ by provider, so the CPU can stand in for an accelerator. Here a set of
    all widths, with batches that are not always full.
    """
    stage = bundle.manifest.stages.recognition
    widths = list(range(stage.min_width, stage.max_width + stage.margin + 8, stage.multiple))
    few = Recognizer(
        dataclasses.replace(stage, widths=widths, batches=[1, 3]),
        bundle.read(stage.graph),
        bundle.characters,
        placement=Placement("cpu", RuntimeOptions(fixed_shapes=True)),
        pool=ThreadPool(2),
    )
    crops = [Crop.of(cut) for _, cut in labelled for _ in range(2)]
    one_by_one = recognizer.recognize(crops)
    session: Any = few.session
    sizes: list[int] = []

    def run(batch: np.ndarray) -> list[np.ndarray]:
        sizes.append(len(batch))
        return type(session).run(session, batch)

    monkeypatch.setattr(session, "run", run)
    batched = few.recognize(crops)
    assert set(sizes) == {1, 3} and sum(sizes) > len(crops) > len(sizes)
    assert [reading.text for reading in batched] == [reading.text for reading in one_by_one]
    scores = [reading.score for reading in one_by_one]
    assert [reading.score for reading in batched] == pytest.approx(scores, abs=1e-4)


@pytest.mark.parametrize("size", [(30, 10), (48, 201), (60, 333), (24, 700), (9, 9000)])
def test_what_the_network_is_given(
    recognizer: Recognizer, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    """The text in its proportions, then padding, as the manifest says."""
    stage = bundle.manifest.stages.recognition
    session: Any = recognizer.session
    given: list[np.ndarray] = []

    def run(batch: np.ndarray) -> list[np.ndarray]:
        given.append(batch)
        return type(session).run(session, batch)

    monkeypatch.setattr(session, "run", run)
    ink = (stage.padding + 128) % 256
    recognizer.recognize([Crop.of(np.full((*size, 3), ink, np.uint8))])
    ((one, height, width, channels),) = [batch.shape for batch in given]
    assert (one, height, channels) == (1, stage.height, 3)
    text = min(stage.max_width, math.ceil(stage.height * size[1] / size[0]))
    assert width % stage.multiple == 0
    assert width - stage.multiple < max(text + stage.margin, stage.min_width) <= width
    assert (given[0][:, :, :text] == ink).all()
    assert (given[0][:, :, text:] == stage.padding).all()


def test_no_crops(recognizer: Recognizer, ocr: OCR) -> None:
    assert recognizer.recognize([]) == []
    assert ocr.recognize([]) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (48, 48), (10, 5000), (3, 20000)])
def test_crops_of_any_size(recognizer: Recognizer, size: tuple[int, int]) -> None:
    (reading,) = recognizer.recognize([Crop.of(np.full((*size, 3), 255, np.uint8))])
    assert isinstance(reading.text, str) and 0 <= reading.score <= 1


def test_a_blank_crop_has_no_text(recognizer: Recognizer) -> None:
    (reading,) = recognizer.recognize([Crop.of(np.full((48, 320, 3), 255, np.uint8))])
    assert reading == ("", 0)


@pytest.fixture(scope="module")
def of_one_width() -> Recognizer:
    characters = ["", *ALPHANUMERIC]
    made = converted(STAR_NET)
    # Not rewritten: random weights make other texts of other last digits.
    edge = edge_graph.make(made.plain, made.network, made.signature)
    return Recognizer(
        OF_ONE_WIDTH, edge, characters, placement=Placement("cpu"), pool=ThreadPool(2)
    )


def fitted(crop: Image) -> Image:
    """The crop in its proportions on the left of 32 x 100 pixels, squeezed where it is longer."""
    width = min(100, math.ceil(32 * crop.shape[1] / crop.shape[0]))
    canvas = np.full((32, 100, 3), 127, np.uint8)
    canvas[:, :width] = cv2.resize(crop, (width, 32))
    return canvas


@pytest.mark.parametrize(
    "size", [(32, 40), (32, 100), (32, 101), (64, 90), (20, 300), (9, 9000), (300, 3)]
)
def test_a_network_of_one_width_is_given_that_width(
    of_one_width: Recognizer, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    """Whatever min_width, max_width, margin and multiple say."""
    session: Any = of_one_width.session
    given: list[np.ndarray] = []

    def run(batch: np.ndarray) -> list[np.ndarray]:
        given.append(batch)
        return type(session).run(session, batch)

    monkeypatch.setattr(session, "run", run)
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    of_one_width.recognize([Crop.of(picture)])
    (batch,) = given
    np.testing.assert_array_equal(batch, fitted(picture)[None])


def test_texts_of_a_network_of_one_width_are_those_of_its_plain_graph(
    of_one_width: Recognizer, labelled: Labelled
) -> None:
    """Prepared, run and decoded by hand; short and long lines together."""
    crops = [cut[: 20 + 2 * i] for i, (_, cut) in enumerate(labelled[:12])]
    crops += [cut[:, : cut.shape[0]] for cut in crops]
    ratios = [cut.shape[1] / cut.shape[0] for cut in crops]
    assert min(ratios) < 100 / 32 < max(ratios)
    ort = import_onnxruntime()
    plain = ort.InferenceSession(converted(STAR_NET).plain, providers=["CPUExecutionProvider"])
    found = []
    for cut in crops:  # one by one, as on the CPU: so not even rounding differs
        pixels = fitted(cut).astype(np.float32) * np.float32(1 / 255)
        x = ((pixels - np.float32(0.5)) / np.float32(0.5)).transpose(2, 0, 1)[None]
        found += plain.run(None, {"x": x})
    probability = np.concatenate(found)
    characters = np.array(["", *ALPHANUMERIC], object)
    texts, scores = ctc.decode(probability.argmax(axis=2), probability.max(axis=2), characters, 0)
    readings = of_one_width.recognize([Crop.of(cut) for cut in crops])
    assert [reading.text for reading in readings] == texts
    assert [reading.score for reading in readings] == pytest.approx(scores.tolist(), abs=1e-4)
    assert len(set(texts)) > 3


@pytest.mark.parametrize(
    ("size", "drawn"),
    [((64, 10), 64), ((64, 64), 64), ((64, 65), 128), ((30, 60), 128), ((30, 61), 192),
     ((64, 200), 256), ((10, 900), 256)],
)  # fmt: skip
def test_a_network_may_want_its_crops_stretched_to_certain_widths(
    of_one_width: Recognizer, size: tuple[int, int], drawn: int
) -> None:
    """As PaddleOCR does for SRN; what is left of the input is padding."""
    stage = dataclasses.replace(
        OF_ONE_WIDTH, height=64, width=256, stretch_widths=[64, 128, 192, 256], padding=0
    )
    widths, inputs = _widths([Crop.of(np.zeros((*size, 3), np.uint8))], stage)
    assert widths.tolist() == [drawn] and inputs.tolist() == [256]


def test_only_the_manifest_makes_the_width_fixed(bundle: Bundle) -> None:
    stage = bundle.manifest.stages.recognition
    assert stage.width is None
    squeezed = Recognizer(
        dataclasses.replace(stage, width=160),
        bundle.read(stage.graph),
        bundle.characters,
        placement=Placement("cpu"),
        pool=ThreadPool(2),
    )
    shapes: list[tuple[int, ...]] = []
    session: Any = squeezed.session
    run = type(session).run
    session.run = lambda batch: shapes.append(batch.shape) or run(session, batch)
    squeezed.recognize([Crop.of(np.zeros((48, wide, 3), np.uint8)) for wide in (50, 700)])
    assert {shape[2] for shape in shapes} == {160}
