"""Boxes of an image: the regions of the whole image are found in them, at its scale."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from edgeocr import OCR, Bundle, RuntimeOptions
from edgeocr.detect import Box, Detector
from edgeocr.errors import ClosedError
from edgeocr.images import Image, load
from edgeocr.results.lines import Region
from edgeocr.runtime.stopwatch import Stopwatch
from tests.support import constant_graphs
from tests.support.large_pictures import in_corner, page, parts_of_lines, strip
from tests.support.overlap import pairs


@pytest.fixture(scope="module")
def detector(ocr: OCR) -> Detector:
    found = ocr.stages["detection"]
    assert isinstance(found, Detector)
    return found


@contextmanager
def pixels_of(detector: Detector) -> Iterator[list[int]]:
    """Note the pixels of each run."""
    pixels: list[int] = []
    detector.session.observer = lambda batch: pixels.append(batch.shape[1] * batch.shape[2])
    try:
        yield pixels
    finally:
        detector.session.observer = None


def within(regions: list[Region], box: Box) -> list[Region]:
    """Return the regions that lie in a box."""
    left, top, right, bottom = box
    return [
        each
        for each in regions
        if (each.quad.min(axis=0) >= (left, top)).all()
        and (each.quad.max(axis=0) < (right, bottom)).all()
    ]


def assert_same(found: list[Region], expected: list[Region], least: float = 0.75) -> None:
    quads, others = ([each.quad for each in each_of] for each_of in (found, expected))
    assert len(pairs(quads, others, least)) == len(expected) == len(found)


@pytest.mark.parametrize(
    "name",
    [
        "sample.jpg",
        *(pytest.param(name, marks=pytest.mark.stress) for name in ("receipt.jpg", "poster.jpg")),
    ],
)
def test_regions_in_boxes_are_those_of_the_image(
    detector: Detector, pictures: Path, name: str
) -> None:
    image = load(pictures / name)
    whole = detector.detect(image)
    height, width = image.shape[:2]
    # Boxes around some regions, with room on each side, as a watch makes them.
    boxes: list[Box] = []
    for region in whole[:: max(1, len(whole) // 4)]:
        (left, top), (right, bottom) = region.quad.min(axis=0), region.quad.max(axis=0)
        room = min(right - left, bottom - top)
        boxes.append(
            (
                max(0, int(left - room)),
                max(0, int(top - room)),
                min(width, int(right + room)),
                min(height, int(bottom + room)),
            )
        )
    for box in boxes:
        expected = within(whole, box)
        found = within(detector.detect_in(image, [box]), box)
        quads, others = [each.quad for each in found], [each.quad for each in expected]
        assert len(pairs(quads, others, 0.7)) == len(expected) > 0, box


def test_a_box_of_the_whole_image_has_the_regions_of_the_image(
    detector: Detector, pictures: Path
) -> None:
    image = load(pictures / "sample.jpg")
    height, width = image.shape[:2]
    assert_same(detector.detect_in(image, [(0, 0, width, height)]), detector.detect(image), 0.9)


def test_boxes_are_looked_at_one_by_one_and_cost_their_pixels(
    detector: Detector, pictures: Path
) -> None:
    image = load(pictures / "sample.jpg")
    height, width = image.shape[:2]
    first, second = (0, 0, width // 2, height // 4), (width // 2, height // 2, width, height)
    with pixels_of(detector) as pixels:
        detector.detect(image)
        whole = sum(pixels)
        pixels.clear()
        assert detector.detect_in(image, []) == [] and not pixels
        both = detector.detect_in(image, [first, second])
        assert sum(pixels) < 0.6 * whole
    alone = detector.detect_in(image, [first]) + detector.detect_in(image, [second])
    assert_same(both, alone, 0.99)


def test_the_scale_is_that_of_the_whole_image(detector: Detector) -> None:
    """A part is neither enlarged nor reduced as an image of its size would be."""
    drawn = page(201, 30, 1500, 2000)
    with pixels_of(detector) as pixels:
        detector.detect(drawn.image)
        whole = pixels[0]
        pixels.clear()
        detector.detect_in(drawn.image, [(0, 0, 1000, 750)])
        part = pixels[0]
    assert part == pytest.approx(whole / 4, rel=0.15)


def test_small_letters_of_a_large_image_are_found_in_a_box(detector: Detector) -> None:
    """The image has more pixels than a run may have, and the first look doesn't see its letters."""
    drawn = in_corner(page(202, 12, 260, 420), 2400, 3200, 202)
    boxes = [
        (int(left), int(top), int(right), int(bottom)) for left, top, right, bottom in drawn.boxes
    ]
    box = (
        max(0, min(each[0] for each in boxes) - 40),
        max(0, min(each[1] for each in boxes) - 40),
        min(3200, max(each[2] for each in boxes) + 40),
        min(2400, max(each[3] for each in boxes) + 40),
    )
    assert drawn.image.shape[0] * drawn.image.shape[1] > detector.max_pixels
    with pixels_of(detector) as pixels:
        regions = detector.detect_in(drawn.image, [box])
    assert len(pixels) > 1 and sum(pixels) < detector.max_pixels
    assert np.mean([part > 0.9 for part in parts_of_lines(regions, drawn)]) >= 0.9


@pytest.mark.stress
def test_long_strips_are_looked_at_as_a_whole(detector: Detector) -> None:
    drawn = strip(203, 28, 16_000)
    (line,) = detector.detect(drawn.image)
    height = drawn.image.shape[0]
    (found,) = detector.detect_in(drawn.image, [(7000, 0, 9000, height)])
    np.testing.assert_allclose(found.quad, line.quad, atol=1)
    assert detector.detect_in(drawn.image, [(0, 0, 2000, height)]) == []


@pytest.mark.parametrize("algorithm", ["EAST", "SAST"])
def test_other_algorithms_look_at_the_whole_image(algorithm: str) -> None:
    stages = {name: constant_graphs.sound_outputs(name) for name in (algorithm, "CTC")}
    side = constant_graphs.SIDE
    image = np.full((2 * side, 2 * side, 3), 90, np.uint8)
    with OCR(constant_graphs.bundle(**stages), provider="cpu", threads=1) as ocr:
        detector = ocr.stages["detection"]
        assert isinstance(detector, Detector)
        (region,) = detector.detect(image)
        x, y = (round(each) for each in region.quad.mean(axis=0).tolist())
        around, beside = (x - 5, y - 5, x + 5, y + 5), (x + 5, y + 5, x + 15, y + 15)
        (found,) = detector.detect_in(image, [beside, around])
        np.testing.assert_array_equal(found.quad, region.quad)
        assert detector.detect_in(image, [beside]) == []


@pytest.mark.stress
def test_sizes_of_runs_are_the_fixed_ones(bundle: Bundle, pictures: Path) -> None:
    image = load(pictures / "sample.jpg")
    runtime = RuntimeOptions(fixed_shapes=True)
    with OCR(bundle, provider="cpu", threads=2, runtime=runtime) as ocr:
        detector = ocr.stages["detection"]
        assert isinstance(detector, Detector)
        shapes: set[tuple[int, ...]] = set()
        detector.session.observer = lambda batch: shapes.add(batch.shape)
        box = (0, 0, 960, 360)
        found = within(detector.detect_in(image, [box]), (0, 0, 960, 340))
        expected = within(detector.detect(image), (0, 0, 960, 340))
    assert shapes <= set(detector.session.shapes)
    assert len(pairs([r.quad for r in found], [r.quad for r in expected], 0.6)) == len(expected)


def test_times_of_the_steps_are_noted(detector: Detector, pictures: Path) -> None:
    watch = Stopwatch()
    detector.detect_in(load(pictures / "sample.jpg"), [(0, 0, 480, 360)], watch)
    assert {"detection", "postprocess"} <= set(watch.milliseconds)
    assert all(each > 0 for each in watch.milliseconds.values())


def blank(size: int) -> Image:
    return np.full((size, size, 3), 230, np.uint8)


@pytest.mark.parametrize("box", [(0, 0, 1, 1), (10, 10, 14, 200), (199, 0, 200, 200)])
def test_boxes_of_a_few_pixels_have_no_regions(detector: Detector, box: Box) -> None:
    assert detector.detect_in(blank(200), [box]) == []


def test_stages_stay_open_while_they_are_used(bundle: Bundle, pictures: Path) -> None:
    ocr = OCR(bundle, provider="cpu", threads=1)
    with ocr.using() as reader:
        assert reader.stages.by_name == ocr.stages
        assert reader.stages.detection is not None
        assert reader.stages.detection.detect_in(load(pictures / "sample.jpg"), [(0, 0, 400, 300)])
    ocr.close()
    with pytest.raises(ClosedError), ocr.using():
        pass
