"""Recognition of crops that the labels cut out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.labels import LabelledLine
from benchmarks.score import normalized
from edgeocr import OCR, Bundle
from edgeocr.images import Image, load
from edgeocr.recognize import Recognizer
from edgeocr.rectify import crop

Labelled = list[tuple[str, Image]]


@pytest.fixture(scope="module")
def recognizer(bundle: Bundle) -> Recognizer:
    stage = bundle.manifest.stages.recognition
    graph, characters = bundle.read(stage.graph), bundle.characters
    return Recognizer(stage, graph, characters, provider="cpu", threads=2)


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
    readings = recognizer.recognize([crop for _, crop in labelled])
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
    crops = [crop for _, crop in labelled[::4]]
    together = recognizer.recognize(crops)
    for crop_alone, reading in zip(crops, together, strict=True):
        (alone,) = recognizer.recognize([crop_alone])
        assert alone.text == reading.text
        assert alone.score == pytest.approx(reading.score, abs=1e-5)


def test_batches_as_on_an_accelerator_give_the_same_texts(
    recognizer: Recognizer, labelled: Labelled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the grouping differs by provider, so the CPU can stand in for an accelerator."""
    crops = [crop for _, crop in labelled for _ in range(2)]
    one_by_one = recognizer.recognize(crops)
    session: Any = recognizer._session
    sizes: list[int] = []

    def run(batch: np.ndarray) -> list[np.ndarray]:
        sizes.append(len(batch))
        return type(session).run(session, batch)

    monkeypatch.setattr(session, "provider", "cuda")
    monkeypatch.setattr(session, "run", run)
    batched = recognizer.recognize(crops)
    assert max(sizes) > 1 and sum(sizes) == len(crops) > len(sizes)
    assert [reading.text for reading in batched] == [reading.text for reading in one_by_one]
    scores = [reading.score for reading in one_by_one]
    assert [reading.score for reading in batched] == pytest.approx(scores, abs=1e-4)


@pytest.mark.parametrize("size", [(30, 10), (48, 201), (60, 333), (24, 700), (9, 9000)])
def test_what_the_network_is_given(
    recognizer: Recognizer, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    """The text in its proportions, then padding, as the manifest says."""
    stage = bundle.manifest.stages.recognition
    session: Any = recognizer._session
    given: list[np.ndarray] = []

    def run(batch: np.ndarray) -> list[np.ndarray]:
        given.append(batch)
        return type(session).run(session, batch)

    monkeypatch.setattr(session, "run", run)
    ink = (stage.padding + 128) % 256
    recognizer.recognize([np.full((*size, 3), ink, np.uint8)])
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
    (reading,) = recognizer.recognize([np.full((*size, 3), 255, np.uint8)])
    assert isinstance(reading.text, str) and 0 <= reading.score <= 1


def test_a_blank_crop_has_no_text(recognizer: Recognizer) -> None:
    (reading,) = recognizer.recognize([np.full((48, 320, 3), 255, np.uint8)])
    assert reading == ("", 0)
