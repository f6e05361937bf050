"""Pages that are turned or bent are read, and their lines are where they are in the picture."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeocr import OCR, Bundle, Page
from edgeocr.crops import turn
from edgeocr.images import Picture, load
from edgeocr.page_stages.unwarping import Grid
from edgeocr.results.lines import Line, Word
from edgeocr.stages.page import PreparedPage
from tests.support.packing import Files
from tests.support.page_stages import (
    ORIENTATION,
    UNWARPING,
    bent,
    lowered,
    mark_reader,
    marked,
    wave_reader,
    with_page_stages,
)

STAGES = {
    "page_orientation": (mark_reader(), ORIENTATION),
    "unwarping": (wave_reader(), UNWARPING),
}


@pytest.fixture(scope="module")
def prepared(embedded_files: Files) -> Bundle:
    return with_page_stages(embedded_files, STAGES)


@pytest.fixture(scope="module")
def both(prepared: Bundle) -> OCR:
    return OCR(prepared, provider="cpu", threads=2)


@pytest.fixture(scope="module")
def turning(embedded_files: Files) -> OCR:
    stage = {"page_orientation": STAGES["page_orientation"]}
    return OCR(with_page_stages(embedded_files, stage), provider="cpu", threads=2)


@cache
def flat_page(picture: Path) -> np.ndarray:
    return marked(load(picture))


@pytest.fixture(scope="module")
def flat(pictures: Path, ocr: OCR) -> Page:
    """The flat page as it is read without such stages."""
    return ocr.read(flat_page(pictures / "sample.jpg"))


def sorted_texts(page: Page) -> list[str]:
    return sorted(page.texts)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turned_page_is_read_upright(
    turning: OCR, flat: Page, pictures: Path, degrees: int
) -> None:
    picture = turn(flat_page(pictures / "sample.jpg"), -degrees)
    page = turning.read(picture)
    assert page.rotation == -degrees % 360
    assert page.texts == flat.texts
    assert "page_orientation" in page.milliseconds
    # The first corner of a line is where its text begins.
    source = Picture.whole(flat_page(pictures / "sample.jpg"))
    turned = Picture.whole(picture)
    for line, known in zip(page, flat, strict=True):
        expected = turned.in_source(known.quad, page.rotation)
        np.testing.assert_allclose(line.quad, expected, atol=1)
    assert turned.size == (source.size if degrees % 180 == 0 else source.size[::-1])


def test_a_page_without_an_answer_is_turned_by_how_it_reads(
    turning: OCR, ocr: OCR, pictures: Path
) -> None:
    picture = turn(load(pictures / "sample.jpg"), 180)  # has no mark
    page, known = turning.read(picture), ocr.read(picture)
    assert page.rotation == known.rotation == 180
    assert page.texts == known.texts


def test_turning_can_be_switched_off(prepared: Bundle, pictures: Path) -> None:
    picture = turn(flat_page(pictures / "sample.jpg"), 180)
    ocr = OCR(prepared, provider="cpu", threads=2, upright=False, unwarp=False)
    assert list(ocr.stages) == ["detection", "orientation", "recognition"]
    assert ocr.read(picture).rotation == 0


@pytest.mark.parametrize("degrees", [0, 90])
def test_a_bent_page_is_read_flat(both: OCR, flat: Page, pictures: Path, degrees: int) -> None:
    flat_image = flat_page(pictures / "sample.jpg")
    height, width = flat_image.shape[:2]
    picture = turn(bent(flat_image), -degrees)
    page = both.read(picture, words=True)
    assert sorted_texts(page) == sorted_texts(flat)
    assert page.rotation == -degrees % 360
    assert {"page_orientation", "unwarping"} <= page.milliseconds.keys()

    def in_picture(points: np.ndarray) -> np.ndarray:
        """Return where points of the flat page are in the picture."""
        x, y = points[..., 0], points[..., 1]
        moved = np.stack([x, y + lowered(x, height, width)], -1).astype(np.float32)
        return Picture.whole(picture).in_source(moved, page.rotation)

    # Each line is where the wave has put it, within the limits of finding it once more.
    by_text = {line.text: line for line in page}
    bends = 0
    for known in flat:
        line = by_text[known.text]
        corners = line.quad if line.polygon is None else line.polygon[[0, 8, 9, 17]]
        np.testing.assert_allclose(corners, in_picture(known.quad), atol=4)
        if line.polygon is not None:
            bends += 1
            shares = np.linspace(0, 1, 9)[:, None]
            upper = known.quad[0] + shares * (known.quad[1] - known.quad[0])
            np.testing.assert_allclose(line.polygon[:9], in_picture(upper), atol=4)
    assert 0 < bends < len(flat)  # long lines are bent, short ones nearly straight
    # Words lie on the line that they are of.
    line = max(page, key=lambda each: len(each.words))
    first, last = line.words[0].quad, line.words[-1].quad
    np.testing.assert_allclose(first[0], line.polygon[0], atol=6)  # type: ignore[index]
    np.testing.assert_allclose(last[1], line.polygon[8], atol=6)  # type: ignore[index]


def test_without_unwarping_a_bent_page_is_read_as_it_stands(
    prepared: Bundle, flat: Page, pictures: Path
) -> None:
    ocr = OCR(prepared, provider="cpu", threads=2, unwarp=False)
    assert list(ocr.stages) == ["page_orientation", "detection", "orientation", "recognition"]
    page = ocr.read(bent(flat_page(pictures / "sample.jpg")))
    assert "unwarping" not in page.milliseconds
    assert sorted_texts(page) != sorted_texts(flat)


def test_a_polygon_is_moved_point_by_point_and_tall_lines_are_followed_along_their_length() -> None:
    height, width = 300, 200
    y, x = np.mgrid[0 : height - 1 : 31j, 0 : width - 1 : 21j]
    # Columns are shifted to the right in the middle of the height.
    points = np.stack([x + 20 * np.sin(np.pi * y / height), y], -1).astype(np.float32)
    image = np.zeros((height, width, 3), np.uint8)
    page = PreparedPage(image, Picture.whole(image), grid=Grid(points, height, width))
    tall = np.array([[80, 10], [100, 10], [100, 290], [80, 290]], np.float32)
    found = page.in_source(Line("tall", 0.9, tall), 0)
    assert found.polygon is not None and len(found.polygon) == 18
    # The rectangle begins where the line's first corner is, and holds the whole polygon.
    (left, top), (right, bottom) = found.polygon.min(axis=0), found.polygon.max(axis=0)
    np.testing.assert_allclose(found.quad[0], [left, top], atol=1)
    np.testing.assert_allclose(found.quad[2], [right, bottom], atol=1)
    outline = np.array([[10, 150], [60, 150], [60, 170], [10, 170]], np.float32)
    word = Word("a", 0.9, outline)
    curved = page.in_source(Line("curved", 0.9, outline, outline, words=(word,)), 0)
    expected = outline + np.array([[20, 0]], np.float32)
    np.testing.assert_allclose(curved.polygon, expected, atol=0.5)  # type: ignore[arg-type]
    np.testing.assert_allclose(curved.words[0].quad, expected, atol=0.5)


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.parametrize("further", [0, 90, 180, 270])
def test_points_are_where_their_pixels_come_from(turned: int, further: int) -> None:
    """In a picture whose pixels say where they are."""
    x, y = np.meshgrid(np.arange(240), np.arange(160))
    image = np.stack([x, y, np.zeros_like(x)], -1).astype(np.uint8)
    upright = np.ascontiguousarray(turn(image, -turned))
    height, width = upright.shape[:2]
    rows, columns = np.mgrid[0 : height - 1 : 45j, 0 : width - 1 : 31j]
    # Neither turning nor mirroring leaves this bend as it is.
    columns = 10 + 0.8 * columns + 8 * np.sin(rows / height * 4)
    rows = 5 + 0.9 * rows + 4 * np.cos(columns / width * 2)
    grid = Grid(np.stack([columns, rows], -1).astype(np.float32), height, width)
    page = PreparedPage(grid.flatten(upright), Picture.whole(image), turned, grid=grid)
    seen = turn(page.image, -further)
    right, bottom = seen.shape[1] - 9, seen.shape[0] - 9
    quad = np.array([[8, 8], [right, 8], [right, bottom], [8, bottom]])
    line = Line("a", 0.9, quad.astype(np.float32), quad.astype(np.float32))
    found = page.in_source(line, further)
    expected = seen[quad[:, 1], quad[:, 0], :2]
    np.testing.assert_allclose(found.polygon, expected, atol=1)  # type: ignore[arg-type]
    np.testing.assert_allclose(found.quad, expected, atol=1)


def test_grey_pictures_and_those_with_alpha_are_prepared_too(both: OCR, pictures: Path) -> None:
    page = bent(flat_page(pictures / "badge.jpg"))
    known = both.read(page)
    opaque = np.dstack([page, np.full(page.shape[:2], 255, np.uint8)])
    assert both.read(opaque).texts == known.texts
    grey = both.read(np.asarray(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY), np.uint8))
    assert "unwarping" in grey.milliseconds and len(grey) > 0


def test_an_unbent_grid_changes_no_coordinates(pictures: Path) -> None:
    image = load(pictures / "badge.jpg")
    height, width = image.shape[:2]
    y, x = np.mgrid[0 : height - 1 : 45j, 0 : width - 1 : 31j]
    grid = Grid(np.stack([x, y], -1).astype(np.float32), height, width)
    np.testing.assert_array_equal(grid.flatten(image), image)
    rng = np.random.default_rng(0)
    places: Any = rng.uniform(0, 1, (50, 2)) * [width - 1, height - 1]
    np.testing.assert_allclose(grid.in_picture(places.astype(np.float32)), places, atol=0.01)
