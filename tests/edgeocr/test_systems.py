"""Whole systems read what Paddle Inference with PaddleOCR's own processing reads."""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import cache

import numpy as np
import pytest

from edgeocr import OCR
from edgeocr.results.lines import Line
from tests.support.cutting import crop
from tests.support.overlap import pairs
from tests.support.systems import SYSTEMS, bundle, picture, stored, strips

CURVED = "trained SAST, CRNN"
TRAINED = [name for name, system in SYSTEMS.items() if system.trained and name != CURVED]
# The systems of which one network for each decoder, and the newest, are read by default.
FIRST_READERS = {"PP-OCRv6_tiny", "CRNN", "RARE", "SAST, SRN", "DB, Rosetta"}
READERS = [
    pytest.param(name, marks=[] if name in FIRST_READERS else [pytest.mark.stress])
    for name, system in SYSTEMS.items()
    if "recognition" in system.stages and not system.trained
]
# Random detectors whose regions can be compared, of which the oldest and the newest run by default.
FINDERS = [
    name
    for name, system in SYSTEMS.items()
    if "detection" in system.stages and name.startswith(("DB", "PP"))
]
FIRST_FINDERS = {"DB, Rosetta", "PP-OCRv6_tiny"}
pytestmark = pytest.mark.slow


@cache
def ocr(name: str) -> OCR:
    compared = SYSTEMS[name].trained or name in FINDERS
    made = bundle(name) if compared else bundle(name, detection=False)
    return OCR(made, provider="cpu", threads=2)


@pytest.mark.parametrize("name", TRAINED)
def test_trained_systems_read_the_same_lines(name: str) -> None:
    """PaddleOCR rounds corners to whole pixels, after which small networks confuse 0 and O."""
    alike = []
    for page in SYSTEMS[name].pictures:
        lines = ocr(name).read(picture(page)).lines
        regions, texts = stored()[f"{name}/{page}/regions"], stored()[f"{name}/{page}/texts"]
        matched = pairs([outline(line) for line in lines], regions, 0.9)
        assert len(matched) == len(regions) == len(lines) > 0
        alike += [likeness(name, lines[i].text, str(texts[j])) for i, j in matched.items()]
    assert np.mean(alike) > 0.93 and alike.count(1) >= 0.6 * len(alike)


@pytest.mark.parametrize(
    "name", [name for name in TRAINED if "recognition" in SYSTEMS[name].stages]
)
def test_trained_recognizers_read_the_same_texts_in_the_same_regions(name: str) -> None:
    alike = []
    for page in SYSTEMS[name].pictures:
        regions, texts = stored()[f"{name}/{page}/regions"], stored()[f"{name}/{page}/texts"]
        readings = ocr(name).recognize([crop(picture(page), quad) for quad in regions])
        alike += [likeness(name, r.text, str(t)) for r, t in zip(readings, texts, strict=True)]
    assert np.mean(alike) > 0.96 and alike.count(1) >= 0.8 * len(alike) >= 24


@pytest.mark.parametrize("name", ["trained DB, SRN", "trained EAST, RARE"])
def test_lines_of_networks_without_time_steps_are_divided_evenly(name: str) -> None:
    page = ocr(name).read(picture(SYSTEMS[name].pictures[0]), characters=True)
    assert len(page) > 0
    for line in page:
        assert [each.text for each in line.characters] == list(line.text.replace(" ", ""))
        middles = np.array([each.quad.mean(axis=0) for each in line.characters])
        if len(middles) == len(line.text) > 2:
            apart = np.linalg.norm(np.diff(middles, axis=0), axis=1)
            np.testing.assert_allclose(apart, apart.mean(), rtol=0.1)
        mean = np.mean([each.score for each in line.characters])
        assert mean == pytest.approx(line.score, abs=0.02) or " " in line.text


def outline(line: Line) -> np.ndarray:
    return line.quad if line.polygon is None else line.polygon


def likeness(name: str, text: str, expected: str) -> float:
    """Compare two texts, 1 for equal ones, without what PaddleOCR reads after the end symbol."""
    if name.endswith(("RARE", "SRN")):
        expected = expected[: max(len(text), 6)]
    return SequenceMatcher(None, text, expected).ratio()


@pytest.mark.parametrize("name", READERS)
def test_recognizers_read_the_same_texts(name: str) -> None:
    parts = strips(SYSTEMS[name].stages["recognition"], picture("sample"))
    readings = ocr(name).recognize(parts)
    assert [reading.text for reading in readings] == stored()[f"{name}/strips"].tolist()
    assert any(reading.text for reading in readings)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in FIRST_FINDERS else [pytest.mark.stress])
        for name in FINDERS
    ],
)
def test_random_detectors_find_the_same_regions(name: str) -> None:
    """The maps are noise. In them PaddleOCR also finds holes, and it puts the corners of quads that
    stand on a corner into a wrong order.
    """
    regions = ocr(name).detect(picture("part"))
    expected = stored()[f"{name}/part/regions"]
    matched = pairs([region.quad for region in regions], list(expected), 0.5)
    assert 0 < len(regions) <= len(expected)
    assert len(matched) >= 0.5 * len(regions)


@pytest.mark.stress
def test_curved_words_are_found_like_paddleocr_and_read() -> None:
    """PaddleOCR does not straighten words, so their texts are known from the rendering."""
    alike = []
    for page in SYSTEMS[CURVED].pictures:
        regions = ocr(CURVED).detect(picture(page))
        expected = list(stored()[f"{CURVED}/{page}/regions"])
        found = [region.polygon for region in regions if region.polygon is not None]
        assert len(regions) == len(expected) == len(pairs(found, expected, 0.85)) > 0
        lines = ocr(CURVED).read(picture(page)).lines
        for text in stored()[f"picture {page}, texts"].tolist():
            if text.isupper() or text.isdecimal():  # the recognizer has no small letters
                alike.append(max(likeness(CURVED, line.text, text) for line in lines))
    assert len(alike) > 5 and np.mean(alike) > 0.75


def test_pgnet_reads_the_same_lines() -> None:
    lines = ocr("PGNet").read(picture("part")).lines
    expected = stored()["PGNet/part/regions"]
    matched = pairs([line.polygon for line in lines if line.polygon is not None], expected, 0.8)
    assert len(lines) == len(expected) == len(matched) > 0
    texts = stored()["PGNet/part/texts"]
    assert [lines[i].text for i in matched] == [texts[j] for j in matched.values()]
