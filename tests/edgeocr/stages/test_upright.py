"""Pages are read the right way up, whichever way they are turned."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from edgeocr import OCR, Bundle, Page
from edgeocr.crops import turn
from edgeocr.images import load
from edgeocr.results.lines import Reading, Region
from edgeocr.runtime.stopwatch import Stopwatch
from edgeocr.stages.upright import UprightReader
from tests.support import turned_pages
from tests.support.named_crops import FakeOrienter, FakeRecognizer
from tests.support.quads import level

NAMES = ["sample.jpg", "receipt.jpg", "poster.jpg"]
# Lower and upper case of these look alike, and so do the characters of each group.
ALIKE = ("Il1|i!", "0OoQD")


@pytest.fixture(scope="module")
def without_classifier(bundle: Bundle) -> OCR:
    return OCR(bundle, provider="cpu", orientation=False)


def errors(page: Page, lines: Sequence[str]) -> float:
    """Return the share of characters that differ, in order and without spaces."""
    read, expected = ("".join("".join(texts).split()) for texts in (page.texts, lines))
    return Levenshtein.distance(read, expected) / len(expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    "rotation",
    [
        pytest.param(90, marks=pytest.mark.stress),
        180,
        pytest.param(270, marks=pytest.mark.stress),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_turned_picture_is_read_like_the_upright_one(
    ocr: OCR, without_classifier: OCR, pictures: Path, name: str, rotation: int
) -> None:
    image = load(pictures / name)
    for reader in (ocr, without_classifier):
        upright, page = reader.read(image), reader.read(turn(image, rotation))
        assert upright.rotation == 0
        assert page.rotation == rotation
        assert page.texts == upright.texts


@pytest.mark.slow
@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_lines_and_blocks_are_where_they_are_in_the_picture_as_given(
    ocr: OCR, rotation: int
) -> None:
    drawn, _ = turned_pages.page(3)
    upright = ocr.read(turned_pages.turned(drawn, 0))
    image = turned_pages.turned(drawn, 360 - rotation)
    page = ocr.read(image)
    assert (page.height, page.width) == image.shape[:2] and page.rotation == rotation
    width, height = upright.width - 1, upright.height - 1
    for quads, expected in (
        (page.boxes, upright.boxes),
        (
            np.array([block.quad for block in page.blocks]),
            np.array([block.quad for block in upright.blocks]),
        ),
    ):
        x, y = expected[..., 0], expected[..., 1]
        # A picture that has to be turned clockwise was turned the other way.
        back = {90: (y, width - x), 180: (width - x, height - y), 270: (height - y, x)}[rotation]
        np.testing.assert_allclose(quads, np.stack(back, -1), atol=1.0)


@pytest.mark.parametrize("seed", range(4))
def test_page_that_slants_by_any_angle_is_read_in_order(ocr: OCR, seed: int) -> None:
    drawn, lines = turned_pages.page(seed)
    degrees = random.Random(seed).uniform(0, 360)
    page = ocr.read(turned_pages.turned(drawn, degrees))
    assert errors(page, lines) <= 0.03
    # The page is turned back to within 45 degrees, and the order takes care of the rest.
    assert abs((page.rotation + degrees + 180) % 360 - 180) < 50


def test_page_is_taken_as_it_stands_if_the_caller_says_so(bundle: Bundle) -> None:
    ocr = OCR(bundle, provider="cpu", upright=False)
    drawn, lines = turned_pages.page(3)
    page = ocr.read(turned_pages.turned(drawn, 180))
    assert page.rotation == 0
    assert errors(page, lines[::-1]) < 0.1 < errors(page, lines)


def test_page_without_text_is_not_turned(ocr: OCR) -> None:
    assert ocr.read(np.full((300, 200, 3), 255, np.uint8)).rotation == 0


@pytest.mark.slow
def test_lone_characters_are_not_turned(ocr: OCR) -> None:
    for seed, text in enumerate("1I?J7tKR25PrLFE"):
        page = ocr.read(turned_pages.character(text, 30 + 2 * seed, seed))
        read = page.text.strip()
        group = next((group for group in ALIKE if text in group), text)
        assert page.rotation == 0
        assert read and read.lower() in group.lower()


class FakeDetector:
    """Finds the given quads in every image."""

    def __init__(self, quads: list[np.ndarray]) -> None:
        self.regions = [Region(quad, 1.0) for quad in quads]

    def detect(self, image: np.ndarray, watch: object = None) -> list[Region]:
        return self.regions


def test_empty_and_unsure_readings_make_no_line() -> None:
    image = np.zeros((60, 60, 3), np.uint8)
    image[:10], image[20:30], image[40:50] = 1, 2, 3
    detector = FakeDetector([level(0, y, 40, 8) for y in (0, 20, 40)])
    recognizer = FakeRecognizer({1: Reading("sure", 0.9), 2: Reading(" ", 0.9), 3: Reading("x", 0)})
    found = reader_with(recognizer, detector).read(image, Stopwatch())
    assert [line.text for line in found.lines] == ["sure"]
    assert found.upwards == [False]


def test_turned_label_that_reads_better_upside_down_runs_upwards() -> None:
    image = np.zeros((60, 60, 3), np.uint8)
    # Laid down, a label begins at its upper end; a line begins at its left end.
    image[:30, :10], image[30:, :10], image[:10, 15:35], image[:10, 35:] = 1, 2, 3, 4
    detector = FakeDetector([level(0, 0, 9, 59), level(15, 0, 40, 9)])
    readings = {1: ("dn", 0.6), 2: ("up", 0.9), 3: ("enil", 0.6), 4: ("line", 0.9)}
    recognizer = FakeRecognizer({key: Reading(*value) for key, value in readings.items()})
    reader = reader_with(recognizer, detector, FakeOrienter())
    found = reader.read(image, Stopwatch())
    assert [line.text for line in found.lines] == ["up", "line"]
    assert found.upwards == [True, False]


def reader_with(
    recognizer: FakeRecognizer,
    detector: FakeDetector | None = None,
    orienter: FakeOrienter | None = None,
) -> UprightReader:
    return UprightReader(
        detector,  # type: ignore[arg-type]
        recognizer,  # type: ignore[arg-type]
        orienter,  # type: ignore[arg-type]
        turn_pages=False,
        keep_pixels=True,
    )
