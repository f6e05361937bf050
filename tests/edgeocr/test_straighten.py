"""Straightening of curved regions whose content is known, and reading of curved lines."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeocr import OCR, crops
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.images import load
from edgeocr.postprocess.geometry import enclosing
from edgeocr.results.lines import Region
from tests.support.cutting import crop, straightened, upright
from tests.support.pixels import mean_difference

Labels = dict[str, list[LabelledLine]]
HEIGHT, WIDTH = 40, 240
SIZE = 500
CENTER = 250.0


def strip() -> np.ndarray:
    """Return a smooth picture without symmetry, so that every turn and flip differs."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    channels = [x * 255 / WIDTH, y * 255 / HEIGHT, 127 + 100 * np.sin(x / 12 + y / 15)]
    return np.stack(channels, 2).astype(np.uint8)


def bent(
    content: np.ndarray, radius: float, middle: float, points: int = 7
) -> tuple[np.ndarray, np.ndarray]:
    """Lay content along a circle; return the picture and the outline [2 · points, 2].

    Args:
        content: The picture to bend.
        radius: Radius of the circle; a negative one has the circle above the content.
        middle: Where the content's middle is, in degrees clockwise from the top.
        points: Points on each long side of the outline.
    """
    height, width = content.shape[:2]
    y, x = np.mgrid[:SIZE, :SIZE] - CENTER
    turn = np.deg2rad(middle)
    x, y = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    around = np.arctan2(x, -y) if radius > 0 else np.arctan2(x, y)
    along = around * abs(radius) + width / 2
    down = (radius - np.sign(radius) * np.hypot(x, y)) + height / 2
    picture = cv2.remap(
        content,
        along.astype(np.float32),
        down.astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    angles = np.linspace(-width / 2, width / 2, points) / abs(radius)
    sides = []
    for offset in (height / 2, -height / 2):
        reach = abs(radius) + np.sign(radius) * offset
        up = -1 if radius > 0 else 1
        sides.append(np.stack([np.sin(angles) * reach, up * np.cos(angles) * reach], 1))
    outline = np.concatenate([sides[0], sides[1][::-1]])
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return picture, (outline @ rotation + CENTER).astype(np.float32)


@pytest.mark.parametrize("radius", [100, 150, -100, -150])
@pytest.mark.parametrize("middle", [0, 25, -40])
def test_bent_strip_is_laid_level(radius: float, middle: float) -> None:
    picture, outline = bent(strip(), radius, middle)
    cut = straightened(picture, outline)
    assert cut is not None
    assert abs(cut.shape[0] - HEIGHT) <= 2 and abs(cut.shape[1] - WIDTH) <= 6
    assert mean_difference(cv2.resize(cut, (WIDTH, HEIGHT)), strip()) < 6


@pytest.mark.parametrize("turn", [0, 3, 7, 11])
@pytest.mark.parametrize("step", [1, -1])
def test_start_and_direction_of_the_outline_do_not_matter(turn: int, step: int) -> None:
    picture, outline = bent(strip(), 120, 10)
    cut = straightened(picture, np.roll(outline, turn, axis=0)[::step])
    assert cut is not None
    assert mean_difference(cv2.resize(cut, (WIDTH, HEIGHT)), strip()) < 6


def test_three_quarters_of_a_circle_are_laid_level() -> None:
    content = np.repeat(strip(), 2, axis=1)
    picture, outline = bent(content, 110, 0, points=14)
    cut = straightened(picture, outline)
    assert cut is not None and abs(cut.shape[1] - 2 * WIDTH) <= 16
    assert mean_difference(cv2.resize(cut, (2 * WIDTH, HEIGHT)), content) < 8


def test_steep_strip_is_read_downwards() -> None:
    picture, outline = bent(strip(), 150, 90)
    cut = straightened(picture, outline)
    assert cut is not None
    assert mean_difference(cv2.resize(cut, (WIDTH, HEIGHT)), strip()) < 6


def test_straight_polygon_is_cut_like_its_quad() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (60, 60, 3), np.uint8)
    picture = np.asarray(cv2.resize(picture, (480, 480), interpolation=cv2.INTER_CUBIC), np.uint8)
    quad = np.array([[100, 100], [340, 130], [335, 170], [95, 140]], np.float32)
    top, bottom = (np.linspace(quad[i], quad[j], 6) for i, j in ((0, 1), (2, 3)))
    polygon = np.concatenate([top, bottom]).astype(np.float32)
    cut, expected = straightened(picture, polygon), crop(picture, quad)
    assert cut is not None
    height, width = expected.shape[:2]
    assert mean_difference(cv2.resize(cut, (width, height)), expected) < 4


def test_line_whose_height_grows_becomes_even() -> None:
    """The line is 24 pixels high at its left end and 56 at its right, as if seen from the side."""
    content = cv2.resize(strip(), (WIDTH, 80))
    quad = np.array([[50, 100], [290, 84], [290, 140], [50, 124]], np.float32)
    source = np.array([[0, 0], [WIDTH, 0], [WIDTH, 80], [0, 80]], np.float32)
    transform = cv2.getPerspectiveTransform(source, quad)
    warped = cv2.warpPerspective(content, transform, (400, 300), borderMode=cv2.BORDER_REPLICATE)
    picture = np.asarray(warped, np.uint8)
    top, bottom = (np.linspace(quad[i], quad[j], 6) for i, j in ((0, 1), (2, 3)))
    cut = straightened(picture, np.concatenate([top, bottom]).astype(np.float32))
    assert cut is not None and 36 <= cut.shape[0] <= 44
    # Green runs from the top to the bottom, at the narrow end as at the wide one.
    for x in (8, cut.shape[1] - 8):
        assert cut[1, x, 1] < 25 and cut[-2, x, 1] > 225


def test_curved_lines_are_read_after_straightening(
    ocr: OCR, pictures: Path, labels: Labels
) -> None:
    picture = load(pictures / "badge.jpg")
    lines = labels["badge.jpg"]
    outlines = [line.polygon.astype(np.float32) for line in lines]
    regions = [Region(enclosing([each])[0], 1.0, each) for each in outlines]
    readings = ocr.recognize([upright(picture, region) for region in regions])
    assert [reading.text for reading in readings] == [line.text for line in lines]
    curved = [region for region, each in zip(regions, outlines, strict=True) if len(each) > 4]
    bent_crops = ocr.recognize([crop(picture, region.quad) for region in curved])
    assert len(curved) == 2 and all(reading.score < 0.5 for reading in bent_crops)


SQUARE = np.array([[10, 10], [30, 10], [50, 10], [50, 50], [30, 50], [10, 50]], np.float32)


def test_polygon_that_is_hardly_longer_than_high_is_cut_as_its_quad() -> None:
    picture = np.random.default_rng(3).integers(0, 256, (60, 60, 3), np.uint8)
    quad = np.array([[10, 10], [50, 10], [50, 50], [10, 50]], np.float32)
    assert straightened(picture, SQUARE) is None
    assert np.array_equal(upright(picture, Region(quad, 1.0, SQUARE)), crop(picture, quad))


@pytest.mark.parametrize(
    "polygon",
    [
        np.full((6, 2), 7),
        np.linspace([5, 5], [50, 20], 8),
        np.concatenate([np.linspace([5, 5], [50, 5], 4), np.linspace([50, 5], [5, 5], 4)]),
        SQUARE[[0, 3, 1, 4, 2, 5]],
        SQUARE / 100,
        SQUARE + 1000,
        SQUARE * [8, 0.2],
    ],
)
def test_degenerate_polygons_give_a_crop(polygon: np.ndarray) -> None:
    picture = np.full((60, 60, 3), 77, np.uint8)
    quad = np.asarray(cv2.boxPoints(cv2.minAreaRect(polygon.astype(np.float32))), np.float32)
    cut = upright(picture, Region(quad, 1.0, polygon.astype(np.float32)))
    assert cut.dtype == np.uint8 and cut.ndim == 3 and min(cut.shape) >= 1
    assert (cut == 77).all() and max(cut.shape) < 1000


def test_quads_and_quads_as_polygons_are_not_straightened() -> None:
    picture = np.random.default_rng(4).integers(0, 256, (80, 200, 3), np.uint8)
    quad = np.array([[30, 10], [150, 10], [150, 50], [30, 50]], np.float32)
    for polygon in (None, quad):
        assert np.array_equal(upright(picture, Region(quad, 1.0, polygon)), picture[10:50, 30:150])


@pytest.mark.parametrize("radius", [100, -150])
@pytest.mark.parametrize("middle", [0, 25, 90])
def test_points_of_a_straightened_strip_are_put_back_onto_the_curve(
    radius: float, middle: float
) -> None:
    picture, outline = bent(strip(), radius, middle)
    cut = crops.straighten(picture, outline)
    assert cut is not None and cut.curved
    x, y = np.meshgrid(np.linspace(5, cut.width - 5, 12), np.linspace(5, cut.height - 5, 4))
    points = np.stack([x, y], axis=-1).astype(np.float32)
    found = cut.in_image(points)
    assert found.dtype == np.float32 and found.shape == points.shape
    for (u, v), (x, y) in zip(found.reshape(-1, 2), points.reshape(-1, 2), strict=True):
        seen = cv2.getRectSubPix(picture, (1, 1), (float(u), float(v)))[0, 0]
        own = cv2.getRectSubPix(cut.pixels, (1, 1), (float(x), float(y)))[0, 0]
        assert np.abs(seen.astype(int) - own).max() <= 6
    np.testing.assert_allclose(cut.turned(180).in_image(points[::-1, ::-1]), found, atol=3)
