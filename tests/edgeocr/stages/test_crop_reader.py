"""Crops that may stand in several ways are read in the one that reads best."""

from __future__ import annotations

import numpy as np
import pytest

from edgeocr.crops import Crop
from edgeocr.results.lines import Reading
from edgeocr.runtime.stopwatch import Stopwatch
from edgeocr.stages.crop_reader import CropReader
from tests.support.named_crops import FakeOrienter, FakeRecognizer


def reader_with(recognizer: FakeRecognizer, orienter: FakeOrienter | None = None) -> CropReader:
    return CropReader(
        recognizer,  # type: ignore[arg-type]
        orienter,  # type: ignore[arg-type]
        split_gaps=True,
    )


def crop_of(pixels: list[list[int]], *, laid_down: bool = False) -> Crop:
    """Make a crop whose upper left pixel differs with each rotation."""
    image = np.repeat(np.array(pixels, np.uint8)[..., None], 3, axis=2)
    return Crop(len(image), image.shape[1], lambda: image, laid_down=laid_down)


@pytest.mark.parametrize(
    ("upright", "turned", "chosen"),
    [
        (Reading("line", 0.7), Reading("anil", 0.8), "anil"),
        (Reading("line", 0.8), Reading("anil", 0.7), "line"),
        (Reading("q", 0.7), Reading("b", 0.8), "q"),
        (Reading("q", 0.7), Reading("b", 0.95), "b"),
        (Reading("9999", 0.8), Reading("6666", 0.99), "9999"),
        (Reading("line", 0.92), Reading("anil", 0.99), "line"),
    ],
)
def test_crop_that_reads_badly_and_that_the_classifier_would_turn_is_read_both_ways(
    upright: Reading, turned: Reading, chosen: str
) -> None:
    recognizer = FakeRecognizer({1: upright, 2: turned})
    reader = reader_with(recognizer, FakeOrienter())
    crop = crop_of([[1, 0, 0], [0, 0, 2]])
    readings = reader.recognize([crop], Stopwatch()).readings
    assert [reading.text for reading in readings] == [chosen]


@pytest.mark.parametrize(
    ("laid_down", "standing", "chosen"),
    [
        (Reading("一", 0.9), Reading("I", 0.8), "I"),
        (Reading("一", 0.95), Reading("I", 0.5), "一"),
        (Reading("12", 0.9), Reading("", 0.0), "12"),
        (Reading("12", 0.9), Reading("ab", 0.95), "12"),
    ],
)
def test_tall_region_may_hold_a_single_character(
    laid_down: Reading, standing: Reading, chosen: str
) -> None:
    recognizer = FakeRecognizer({1: laid_down, 2: standing})
    # Turned clockwise, the lower left pixel comes to the upper left.
    crop = crop_of([[1, 0], [2, 0]], laid_down=True)
    reader = reader_with(recognizer)
    readings = reader.recognize([crop], Stopwatch()).readings
    assert [reading.text for reading in readings] == [chosen]


def test_the_crops_that_were_read_come_with_their_readings() -> None:
    """The first crop stands upside down, the second one well, the third holds one character."""
    recognizer = FakeRecognizer(
        {
            1: Reading("anil", 0.6),
            2: Reading("line", 0.8),
            3: Reading("well", 0.95),
            4: Reading("一", 0.9),
            5: Reading("I", 0.8),
        }
    )
    crops = [
        crop_of([[1, 0, 0], [0, 0, 2]]),
        crop_of([[3, 0, 0], [0, 0, 1]]),
        crop_of([[4, 0], [5, 0]], laid_down=True),
    ]
    read = reader_with(recognizer, FakeOrienter()).recognize(crops, Stopwatch())
    assert [reading.text for reading in read.readings] == ["line", "well", "I"]
    assert read.turned == {0}
    assert [int(crop.pixels[0, 0, 0]) for crop in read.crops] == [2, 3, 5]


@pytest.mark.parametrize(
    ("reading", "kept"),
    [
        (Reading("line", 0.5), True),
        (Reading("line", 0.49), False),
        (Reading("", 0.9), False),
        (Reading("  ", 0.9), False),
    ],
)
def test_readings_that_say_nothing_or_are_unsure_are_not_kept(reading: Reading, kept: bool) -> None:
    assert reader_with(FakeRecognizer({})).is_kept(reading) is kept


def test_no_crops_have_no_readings() -> None:
    read = reader_with(FakeRecognizer({}), FakeOrienter()).recognize([], Stopwatch())
    assert (read.readings, read.crops, read.turned) == ([], [], set())
