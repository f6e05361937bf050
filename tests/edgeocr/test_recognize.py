"""Recognition of crops that are cut out by the labels."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from converters import edge_graph
from edgeocr import OCR, Bundle, Reading, RuntimeOptions
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.accuracy.score import normalized
from edgeocr.bundle.manifest import Charset, Recognition
from edgeocr.crops import Crop
from edgeocr.images import Image, load
from edgeocr.postprocess import ctc
from edgeocr.postprocess.bidi import logical_order
from edgeocr.recognize import Recognizer
from edgeocr.runtime.onnx_runtime import import_onnxruntime
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.threads import ThreadPool
from edgeocr.tiling.pieces import input_widths, inputs_of
from tests.support.cutting import crop
from tests.zoo.converted import converted

Labelled = list[tuple[str, Image]]
# STAR-Net: a spatial transformer, whose grid is for 100 pixels.
STAR_NET = "rec_r34_vd_tps_bilstm_ctc"
ALPHANUMERIC = list("0123456789abcdefghijklmnopqrstuvwxyz")
FIXED_WIDTH = Recognition(
    algorithm="CTC",
    graph="g",
    model=STAR_NET,
    height=32,
    min_width=320,
    max_width=3200,
    margin=16,
    padding=127,
    multiple=8,
    charset=Charset("c", 37, 0),
    minimum_score=0.5,
    width=100,
)


@pytest.fixture(scope="module")
def stage(bundle: Bundle) -> Recognition:
    """The settings of the embedded bundle's recognition."""
    recognition = bundle.manifest.stages.recognition
    assert recognition is not None
    return recognition


@pytest.fixture(scope="module")
def recognizer(bundle: Bundle, stage: Recognition) -> Recognizer:
    graph, characters = bundle.read(stage.graph), bundle.characters
    return Recognizer(stage, graph, characters, placement=Placement("cpu"), pool=ThreadPool(2))


@pytest.fixture(scope="module")
def labelled(pictures: Path, labels: dict[str, list[LabelledLine]]) -> Labelled:
    """The text of each straight line and its crop, upright by its label's first corner."""
    found = []
    for name, lines in labels.items():
        picture = load(pictures / name)
        for line in lines:
            if len(line.polygon) == 4:
                quad = line.polygon.astype(np.float32)
                found.append((normalized(line.text), crop(picture, quad)))
    return found


def test_texts_match_the_labels(recognizer: Recognizer, labelled: Labelled) -> None:
    readings = recognizer.recognize([Crop.whole(cut) for _, cut in labelled])
    assert len(readings) == len(labelled) > 60
    right = [
        normalized(reading.text) == text
        for reading, (text, _) in zip(readings, labelled, strict=True)
    ]
    assert sum(right) >= 0.95 * len(right)
    assert all(0 < reading.score <= 1 for reading in readings)
    assert all(type(reading.score) is float for reading in readings)


def test_reading_does_not_depend_on_the_other_crops(
    recognizer: Recognizer, labelled: Labelled
) -> None:
    crops = [Crop.whole(cut) for _, cut in labelled[::4]]
    together = recognizer.recognize(crops)
    for crop_alone, reading in zip(crops, together, strict=True):
        (alone,) = recognizer.recognize([crop_alone])
        assert alone.text == reading.text
        assert alone.score == pytest.approx(reading.score, abs=1e-5)


def test_texts_in_visual_order_are_put_into_logical_order(
    bundle: Bundle, stage: Recognition, labelled: Labelled
) -> None:
    """Its letters replaced, the network reads Hebrew as a network for Hebrew does."""
    hebrew = {chr(ord("A") + i): chr(ord("א") + i) for i in range(26)}
    characters = [hebrew.get(each.upper(), each) for each in bundle.characters]
    crops = [Crop.whole(cut) for text, cut in labelled if text.isascii()]
    as_drawn, in_order = (
        Recognizer(
            dataclasses.replace(stage, visual_order=visual_order),
            bundle.read(stage.graph),
            characters,
            placement=Placement("cpu"),
            pool=ThreadPool(2),
        ).recognize(crops)
        for visual_order in (False, True)
    )
    expected = [dataclasses.replace(each, text=logical_order(each.text)) for each in as_drawn]
    assert in_order == expected
    assert sum(a != b for a, b in zip(as_drawn, in_order, strict=True)) > 5


def test_finding_spaces_changes_nothing_but_spaces(
    bundle: Bundle, stage: Recognition, recognizer: Recognizer, labelled: Labelled
) -> None:
    finding = Recognizer(
        dataclasses.replace(stage, spaces="found"),
        bundle.read(stage.graph),
        bundle.characters,
        placement=Placement("cpu"),
        pool=ThreadPool(2),
    )
    crops = [Crop.whole(cut) for _, cut in labelled]
    # Each word was cut out of its line's picture without the rest: words are joined with a gap.
    words = [cut for text, cut in labelled if text.isascii() and text.isalpha()][:4]
    height = min(len(cut) for cut in words)
    paper = np.full((height, height, 3), int(np.median(words[0])), np.uint8)
    parts: list[Image] = []
    for word in words:
        sized = cv2.resize(word, (word.shape[1] * height // len(word), height))
        parts += [sized.astype(np.uint8, copy=False), paper]
    crops.append(Crop.whole(np.hstack(parts)))
    for plain, found in zip(recognizer.recognize(crops), finding.recognize(crops), strict=True):
        assert found.text.replace(" ", "") == plain.text.replace(" ", "")
        assert len(found.text) >= len(plain.text)
        assert found.score == pytest.approx(plain.score, abs=0.01)
    assert len(found.text.split()) >= len(words)


@pytest.mark.slow
def test_batches_of_fixed_shapes_give_the_same_texts(
    bundle: Bundle, stage: Recognition, recognizer: Recognizer, labelled: Labelled
) -> None:
    """The CPU stands in for an accelerator with a fixed set of shapes: all widths, in batches that
    are not always full.
    """
    widths = list(range(stage.min_width, stage.max_width + stage.margin + 8, stage.multiple))
    padded = Recognizer(
        dataclasses.replace(stage, widths=widths, batches=[1, 3]),
        bundle.read(stage.graph),
        bundle.characters,
        placement=Placement("cpu", RuntimeOptions(fixed_shapes=True)),
        pool=ThreadPool(2),
    )
    crops = [Crop.whole(cut) for _, cut in labelled]
    one_by_one = recognizer.recognize(crops)
    sizes: list[int] = []
    padded.session.observer = lambda batch: sizes.append(len(batch))
    batched = padded.recognize(crops)
    assert set(sizes) == {1, 3} and sum(sizes) > len(crops) > len(sizes)
    assert [reading.text for reading in batched] == [reading.text for reading in one_by_one]
    scores = [reading.score for reading in one_by_one]
    assert [reading.score for reading in batched] == pytest.approx(scores, abs=1e-4)


@pytest.mark.parametrize("size", [(30, 10), (48, 201), (60, 333), (24, 700), (9, 600)])
def test_network_is_given_the_crop_and_padding(
    recognizer: Recognizer,
    stage: Recognition,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
) -> None:
    """The crop keeps its proportions, followed by padding, as the manifest says."""
    given: list[np.ndarray] = []
    monkeypatch.setattr(recognizer.session, "observer", given.append)
    ink = (stage.padding + 128) % 256
    recognizer.recognize([Crop.whole(np.full((*size, 3), ink, np.uint8))])
    ((one, height, width, channels),) = [batch.shape for batch in given]
    assert (one, height, channels) == (1, stage.height, 3)
    text = math.ceil(stage.height * size[1] / size[0])
    assert width % stage.multiple == 0
    assert width - stage.multiple < max(text + stage.margin, stage.min_width) <= width
    assert np.all(given[0][:, :, :text] == ink)
    assert np.all(given[0][:, :, text:] == stage.padding)


@pytest.mark.parametrize("fixed_shapes", [None, True])
def test_limit_of_pixels_makes_lines_narrower_and_batches_smaller(
    bundle: Bundle, stage: Recognition, fixed_shapes: bool | None
) -> None:
    limited = Recognizer(
        stage,
        bundle.read(stage.graph),
        bundle.characters,
        placement=Placement("cpu", RuntimeOptions(fixed_shapes=fixed_shapes)),
        pool=ThreadPool(1),
    )
    assert limited.limit_pixels(10**9) is None and limited.max_width == stage.max_width
    pixels = stage.height * 500
    changed = limited.limit_pixels(pixels)
    assert changed == f"lines wider than {limited.max_width} pixels are read in pieces"
    # 496 is the last multiple of 8; a margin belongs to the input, too.
    largest = max(w for w in stage.widths if w <= 496) if fixed_shapes else 496
    assert limited.max_width == largest - stage.margin
    shapes: list[tuple[int, ...]] = []
    limited.session.observer = lambda batch: shapes.append(batch.shape)
    limited.recognize([Crop.whole(np.zeros((48, wide, 3), np.uint8)) for wide in (50, 2608)])
    assert max(width for _, _, width, _ in shapes) == largest
    assert all(math.prod(shape[:3]) <= pixels for shape in [*shapes, *limited.session.shapes])


def test_no_crops_give_no_readings(recognizer: Recognizer, ocr: OCR) -> None:
    assert recognizer.recognize([]) == []
    assert ocr.recognize([]) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (48, 48), (10, 5000), (3, 20000)])
def test_crops_of_any_size_are_read(recognizer: Recognizer, size: tuple[int, int]) -> None:
    (reading,) = recognizer.recognize([Crop.whole(np.full((*size, 3), 255, np.uint8))])
    assert isinstance(reading.text, str) and 0 <= reading.score <= 1


def test_blank_crop_has_no_text(recognizer: Recognizer) -> None:
    (reading,) = recognizer.recognize([Crop.whole(np.full((48, 320, 3), 255, np.uint8))])
    assert reading == Reading("", 0)


@pytest.fixture(scope="module")
def fixed_width() -> Recognizer:
    """A recognizer with STAR-Net, whose input is always 100 pixels wide."""
    characters = ["", *ALPHANUMERIC]
    made = converted(STAR_NET)
    # Without rewrites: with random weights the last digits of the outputs decide the texts.
    edge = edge_graph.make(made.plain, made.network, made.interface)
    return Recognizer(FIXED_WIDTH, edge, characters, placement=Placement("cpu"), pool=ThreadPool(2))


def fitted(crop: Image) -> Image:
    """Return the crop at the left of 32 × 100 pixels, squeezed if it is longer."""
    width = min(100, math.ceil(32 * crop.shape[1] / crop.shape[0]))
    canvas = np.full((32, 100, 3), 127, np.uint8)
    canvas[:, :width] = cv2.resize(crop, (width, 32))
    return canvas


@pytest.mark.parametrize(
    "size", [(32, 40), (32, 100), (32, 101), (64, 90), (20, 300), (9, 9000), (300, 3)]
)
@pytest.mark.slow
def test_network_of_fixed_width_is_given_that_width(
    fixed_width: Recognizer, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    """The settings min_width, max_width, margin and multiple do not matter."""
    given: list[np.ndarray] = []
    monkeypatch.setattr(fixed_width.session, "observer", given.append)
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    fixed_width.recognize([Crop.whole(picture)])
    (batch,) = given
    np.testing.assert_array_equal(batch, fitted(picture)[None])


@pytest.mark.slow
def test_network_of_fixed_width_reads_the_texts_of_its_plain_graph(
    fixed_width: Recognizer, labelled: Labelled
) -> None:
    """The plain graph's inputs are prepared and its outputs decoded by hand, line by line."""
    crops = [cut[: 20 + 2 * i] for i, (_, cut) in enumerate(labelled[:12])]
    crops += [cut[:, : cut.shape[0]] for cut in crops]
    ratios = [cut.shape[1] / cut.shape[0] for cut in crops]
    assert min(ratios) < 100 / 32 < max(ratios)
    ort = import_onnxruntime()
    plain = ort.InferenceSession(converted(STAR_NET).plain, providers=["CPUExecutionProvider"])
    found = []
    for cut in crops:  # one by one, as edgeocr does on the CPU, so that rounding is the same
        pixels = fitted(cut).astype(np.float32) * np.float32(1 / 255)
        x = ((pixels - np.float32(0.5)) / np.float32(0.5)).transpose(2, 0, 1)[None]
        found += plain.run(None, {"x": x})
    probability = np.concatenate(found)
    characters = np.array(["", *ALPHANUMERIC], object)
    texts, scores = ctc.decode(probability.argmax(axis=2), probability.max(axis=2), characters, 0)
    readings = fixed_width.recognize([Crop.whole(cut) for cut in crops])
    assert [reading.text for reading in readings] == texts
    assert [reading.score for reading in readings] == pytest.approx(scores.tolist(), abs=1e-4)
    assert len(set(texts)) > 3


@pytest.mark.parametrize(
    ("size", "drawn"),
    [((64, 10), 64), ((64, 64), 64), ((64, 65), 128), ((30, 60), 128), ((30, 61), 192),
     ((64, 200), 256), ((10, 900), 256)],
)  # fmt: skip
def test_crops_are_stretched_to_the_widths_that_the_network_wants(
    size: tuple[int, int], drawn: int
) -> None:
    """PaddleOCR does the same for SRN; the rest of the input is padding."""
    stage = dataclasses.replace(
        FIXED_WIDTH, height=64, width=256, stretch_widths=[64, 128, 192, 256], padding=0
    )
    (whole,) = inputs_of(0, size, stage)
    assert (whole.begin, whole.end, whole.width) == (0, size[1], drawn)
    assert input_widths([whole], stage).tolist() == [256]


def test_only_the_manifest_makes_the_width_fixed(bundle: Bundle, stage: Recognition) -> None:
    assert stage.width is None
    squeezed = Recognizer(
        dataclasses.replace(stage, width=160),
        bundle.read(stage.graph),
        bundle.characters,
        placement=Placement("cpu"),
        pool=ThreadPool(2),
    )
    shapes: list[tuple[int, ...]] = []
    squeezed.session.observer = lambda batch: shapes.append(batch.shape)
    squeezed.recognize([Crop.whole(np.zeros((48, wide, 3), np.uint8)) for wide in (50, 700)])
    assert {shape[2] for shape in shapes} == {160}


@pytest.mark.parametrize(
    ("method", "flag"),
    [("linear", cv2.INTER_LINEAR), ("cubic", cv2.INTER_CUBIC), ("lanczos", cv2.INTER_LANCZOS4)],
)
def test_lines_are_resized_by_the_method_of_the_manifest(
    bundle: Bundle, stage: Recognition, method: Any, flag: int
) -> None:
    drawn = Recognizer(
        dataclasses.replace(stage, interpolation=method),
        bundle.read(stage.graph),
        bundle.characters,
        placement=Placement("cpu"),
        pool=ThreadPool(1),
    )
    given: list[np.ndarray] = []
    drawn.session.observer = given.append
    pixels = np.random.default_rng(0).integers(0, 256, (31, 77, 3), np.uint8)
    drawn.recognize([Crop.whole(pixels)])
    width = math.ceil(stage.height * 77 / 31)
    expected = cv2.resize(pixels, (width, stage.height), interpolation=flag)
    np.testing.assert_array_equal(given[0][0, :, :width], expected)
