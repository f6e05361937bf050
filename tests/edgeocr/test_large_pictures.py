"""Pictures far larger than the detector's input: every line is found once, at a fair cost."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pytest

from edgeocr import OCR, Bundle
from edgeocr.bundle.manifest import DBDetection
from edgeocr.detect import MOST_RUNS, Detector
from edgeocr.images import Image
from edgeocr.results.lines import Region
from edgeocr.runtime.options import RuntimeOptions
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.stopwatch import Stopwatch
from edgeocr.runtime.threads import ThreadPool
from tests.support.large_pictures import Drawn, in_corner, page, parts_of_lines, strip


def opened(bundle: Bundle, *, fixed_shapes: bool | None = None) -> Detector:
    stage = bundle.manifest.stages.detection
    assert isinstance(stage, DBDetection)
    placement = Placement("cpu", RuntimeOptions(fixed_shapes=fixed_shapes))
    return Detector(stage, bundle.read(stage.graph), placement=placement, pool=ThreadPool(2))


@pytest.fixture(scope="module")
def detector(bundle: Bundle) -> Detector:
    return opened(bundle)


def looked_at(detector: Detector, image: Image) -> tuple[list[Region], list[int]]:
    """Return the regions of an image, and the pixels of each run."""
    pixels: list[int] = []
    detector.session.observer = lambda batch: pixels.append(batch.shape[1] * batch.shape[2])
    try:
        return detector.detect(image), pixels
    finally:
        detector.session.observer = None


def right(regions: list[Region], drawn: Drawn) -> float:
    """Return the share of the lines that are covered by one region from end to end."""
    return float(np.mean([part > 0.93 for part in parts_of_lines(regions, drawn)]))


@pytest.mark.slow
def test_small_letters_of_a_large_page_are_found(detector: Detector) -> None:
    drawn = page(101, 10, 1400, 2000)
    regions, pixels = looked_at(detector, drawn.image)
    assert right(regions, drawn) >= 0.95 and len(regions) < 1.1 * len(drawn.boxes)
    assert len(pixels) > 2


@pytest.mark.slow
def test_long_screenshot_is_found_line_by_line(detector: Detector) -> None:
    drawn = page(102, 30, 8000, 1080)
    regions, pixels = looked_at(detector, drawn.image)
    assert right(regions, drawn) >= 0.97 and len(regions) < 1.05 * len(drawn.boxes)
    assert sum(pixels) < 8000 * 1080


def test_cost_follows_the_area_with_text(detector: Detector) -> None:
    drawn = in_corner(page(103, 24, 600, 700), 4000, 3000, 103)
    regions, pixels = looked_at(detector, drawn.image)
    assert right(regions, drawn) == 1
    assert sum(pixels) < 2 * detector.max_pixels


def test_large_letters_and_blank_pictures_are_looked_at_once(detector: Detector) -> None:
    for image in (page(104, 60, 2400, 3200).image, np.full((3000, 4000, 3), 245, np.uint8)):
        _, pixels = looked_at(detector, image)
        assert len(pixels) == 1


@pytest.mark.parametrize("upright", [False, True])
def test_long_strip_of_one_line_is_one_region(detector: Detector, upright: bool) -> None:
    drawn = strip(105, 28, 16_000)
    image = np.ascontiguousarray(np.rot90(drawn.image)) if upright else drawn.image
    (region,) = detector.detect(image)
    assert np.ptp(region.quad[:, int(upright)]) > 0.97 * 16_000


@pytest.mark.slow
def test_sizes_of_runs_are_the_fixed_ones(bundle: Bundle) -> None:
    detector = opened(bundle, fixed_shapes=True)
    shapes: set[tuple[int, ...]] = set()
    detector.session.observer = lambda batch: shapes.add(batch.shape)
    drawn = page(106, 12, 1400, 1400)
    regions = detector.detect(drawn.image)
    assert right(regions, drawn) >= 0.95
    assert shapes <= set(detector.session.shapes)


def test_times_of_the_steps_add_up_to_the_whole(detector: Detector) -> None:
    image = in_corner(page(109, 9, 500, 600), 2000, 3000, 109).image
    watch = Stopwatch()
    start = perf_counter()
    detector.detect(image, watch)
    taken = (perf_counter() - start) * 1000
    assert set(watch.milliseconds) == {"resize", "detection", "postprocess"}
    assert all(each > 0 for each in watch.milliseconds.values())
    assert 0.8 * taken < sum(watch.milliseconds.values()) <= taken


@pytest.mark.stress
def test_work_is_bounded_whatever_the_picture(detector: Detector) -> None:
    random = np.random.default_rng(7)
    letters = page(107, 10, 500, 500).image
    hostile = [
        np.tile(letters, (14, 14, 1)),
        np.repeat(random.integers(0, 256, (2500, 2500, 1), np.uint8), 3, 2),
        np.zeros((1, 100_000, 3), np.uint8),
        np.zeros((3, 40_000, 3), np.uint8),
    ]
    for image in hostile:
        _, pixels = looked_at(detector, image)
        assert sum(pixels) <= (MOST_RUNS + 2) * detector.max_pixels
        assert max(pixels) <= detector.max_pixels


def test_lines_of_a_large_page_are_read_once(ocr: OCR) -> None:
    drawn = in_corner(page(108, 20, 700, 600), 3000, 3600, 108)
    read = " ".join(line.text for line in ocr.read(drawn.image)).split()
    expected = " ".join(drawn.texts).split()
    assert len(set(expected) & set(read)) >= 0.8 * len(set(expected))
    assert len(read) <= 1.05 * len(expected)
