"""Crops of quads with known content are upright and level."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeocr import crops
from edgeocr.images import load
from edgeocr.results.lines import Region
from edgeocr.tiling import surroundings
from tests.support.cutting import crop
from tests.support.pixels import mean_difference

HEIGHT, WIDTH = 40, 120


def strip() -> np.ndarray:
    """Return a smooth picture without symmetry, so that every turn and flip differs."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    channels = [x * 255 / WIDTH, y * 255 / HEIGHT, 127 + 100 * np.sin(x / 9 + y / 15)]
    return np.stack(channels, 2).astype(np.uint8)


def rendered(quad: np.ndarray, size: tuple[int, int] = (400, 300)) -> np.ndarray:
    """Draw the strip into a quad; its edges continue over the rest of the picture."""
    corners = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]], np.float32)
    transform = cv2.getPerspectiveTransform(corners, quad)
    return cv2.warpPerspective(strip(), transform, size, borderMode=cv2.BORDER_REPLICATE)


def turned(degrees: float, center: tuple[float, float] = (200, 150)) -> np.ndarray:
    """Return the strip's corners after a turn clockwise on the screen, its own top left first."""
    radians = np.deg2rad(degrees)
    x, y = WIDTH / 2, HEIGHT / 2
    corners = np.array([[-x, -y], [x, -y], [x, y], [-x, y]])
    turn = [[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]]
    return (corners @ np.array(turn) + center).astype(np.float32)


@pytest.mark.parametrize("degrees", [0, 3, -12, 30, -45, 60, 90, 135, 180, -90])
def test_turned_rectangle_is_laid_level(degrees: float) -> None:
    quad = turned(degrees)
    assert mean_difference(crop(rendered(quad), quad), strip()) < 2.5


def test_level_rectangle_is_copied() -> None:
    picture = load(np.random.default_rng(1).integers(0, 256, (80, 200, 3), np.uint8))
    quad = np.array([[30, 10], [150, 10], [150, 50], [30, 50]], np.float32)
    assert np.array_equal(crop(picture, quad), picture[10:50, 30:150])


def test_perspective_is_undone() -> None:
    quad = np.array([[60, 60], [340, 30], [330, 250], [80, 160]], np.float32)
    cut = crop(rendered(quad), quad)
    assert cut.shape[1] == round(float(np.linalg.norm(quad[1] - quad[0])))
    assert cut.shape[0] == round(float(np.linalg.norm(quad[2] - quad[1])))
    assert (
        mean_difference(cv2.resize(cut, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), strip()) < 4
    )


def test_tall_text_that_runs_down_is_turned_to_read_from_the_left() -> None:
    """The letters lie on their right side, as on the spine of a book."""
    quad = turned(90)  # own top left at the picture's top right
    level = np.roll(quad, 1, axis=0)  # as detection gives it, from the picture's top left
    picture = rendered(quad)
    cut = crop(picture, level)
    assert cut.shape == (HEIGHT, WIDTH, 3)
    # A pixel's shift: the crop leaves out the quad's last column, here the first row.
    assert mean_difference(cut[:-1], strip()[1:]) < 2.5


@pytest.mark.parametrize(("height", "is_turned"), [(59, False), (60, True), (200, True)])
def test_quads_are_turned_from_half_as_tall_again_as_wide(height: int, is_turned: bool) -> None:
    picture = np.zeros((300, 300, 3), np.uint8)
    quad = np.array([[9, 9], [49, 9], [49, 9 + height], [9, 9 + height]], np.float32)
    assert crop(picture, quad).shape[:2] == ((40, height) if is_turned else (height, 40))


def test_edge_of_the_picture_continues_outside() -> None:
    picture = np.full((60, 200, 3), 200, np.uint8)
    picture[:, :20] = 10
    quad = np.array([[-30, 10], [90, 10], [90, 50], [-30, 50]], np.float32)
    cut = crop(picture, quad)
    assert cut.shape == (40, 120, 3)
    assert (cut[:, :45] == 10).all() and (cut[:, 55:] == 200).all()
    beyond = crop(picture, quad + np.array([500, 0], np.float32))
    assert (beyond == 200).all()


@pytest.mark.parametrize(
    "corners",
    [
        [[5, 5]] * 4,
        [[5, 5], [50, 5], [50, 5], [5, 5]],
        [[5, 5], [5, 5], [5, 50], [5, 50]],
        [[5, 5], [25, 25], [50, 50], [30, 30]],
        [[5, 5], [50, 5], [50, 50], [50, 50]],
        [[5.2, 5.2], [5.4, 5.2], [5.4, 5.4], [5.2, 5.4]],
        [[50, 50], [5, 50], [5, 5], [50, 5]],
        [[5, 5], [50, 50], [50, 5], [5, 50]],
    ],
)
def test_degenerate_quads_give_a_crop(corners: list[list[float]]) -> None:
    picture = np.full((60, 60, 3), 77, np.uint8)
    cut = crop(picture, np.array(corners, np.float32))
    assert cut.dtype == np.uint8 and cut.ndim == 3 and min(cut.shape) >= 1
    assert cut.shape[0] <= 100 and cut.shape[1] <= 100


def test_picture_wider_than_opencv_can_warp_is_cropped() -> None:
    picture = np.zeros((40, 40_000, 3), np.uint8)
    picture[10:30, 35_000:35_200] = 255
    quad = np.array([[35_000, 10], [35_200, 10], [35_200, 30], [35_000, 30]], np.float32)
    cut = crop(picture, quad)
    assert cut.shape == (20, 200, 3)
    assert cut[2:-2, 2:-2].min() == 255
    whole = np.array([[0, 0], [39_999, 0], [39_999, 39], [0, 39]], np.float32)
    assert 31_990 <= crop(picture, whole).shape[1] <= 32_000


@pytest.mark.parametrize(
    ("corners", "width", "height"),
    [
        ([[30.3, 40.2], [120.7, 30.1], [123.4, 60.6], [33.0, 70.7]], 91, 31),
        # A steep line.
        ([[20, 10], [110, 100], [106, 104], [16, 14]], 127, 6),
    ],
)
def test_crop_equals_a_warp_of_the_whole_picture(
    corners: list[list[float]], width: int, height: int
) -> None:
    picture = np.random.default_rng(5).integers(0, 256, (120, 160, 3), np.uint8)
    quad = np.array(corners, np.float32)
    level = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    expected = cv2.warpPerspective(
        picture,
        cv2.getPerspectiveTransform(quad, level),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    difference = np.abs(crop(picture, quad).astype(int) - expected)
    assert np.quantile(difference, 0.99) <= 8  # OpenCV may place samples to 1/32 of a pixel


def test_crops_that_are_not_kept_are_cut_anew_each_time(pictures: Path) -> None:
    image = load(pictures / "sample.jpg")
    quad = np.array([[40, 40], [300, 60], [298, 100], [38, 80]], np.float32)
    kept, not_kept = (
        crops.crop_region(image, Region(quad, 1.0), keep=each) for each in (True, False)
    )
    assert kept.pixels is kept.pixels and not_kept.pixels is not not_kept.pixels
    np.testing.assert_array_equal(kept.pixels, not_kept.pixels)
    for degrees in (90, 180, 270):
        other = not_kept.turned(degrees)
        expected = crops.turn(kept.pixels, degrees)
        assert (other.height, other.width) == expected.shape[:2]
        np.testing.assert_array_equal(other.pixels, expected)


def test_points_of_a_crop_are_put_back_into_the_image() -> None:
    """The red channel of a strip tells x, and the green one y, wherever the strip lies."""
    quad = turned(20)
    image = rendered(quad)
    cut = crops.crop_quad(image, quad)
    points = np.array([[[12, 10], [100, 30]], [[60, 20], [30, 5]]], np.float32)
    for degrees in (0, 90, 180, 270):
        other = cut.turned(degrees)
        height, width = cut.height, cut.width
        seen = {
            0: points,
            90: np.stack([points[..., 1], width - points[..., 0]], axis=-1),
            180: np.array([width, height]) - points,
            270: np.stack([height - points[..., 1], points[..., 0]], axis=-1),
        }[degrees].astype(np.float32)
        found = other.in_image(seen)
        assert found.dtype == np.float32 and found.shape == points.shape
        np.testing.assert_allclose(found, cut.in_image(points), atol=1e-3)
        for (x, y), (u, v) in zip(points.reshape(-1, 2), found.reshape(-1, 2), strict=True):
            blue, green, _ = image[round(float(v)), round(float(u))]
            assert abs(float(blue) * WIDTH / 255 - x) < 2
            assert abs(float(green) * HEIGHT / 255 - y) < 2
    part = cut.part(40, 90)
    np.testing.assert_allclose(
        part.in_image(np.array([10, 20], np.float32)), cut.in_image(np.array([50, 20], np.float32))
    )
    np.testing.assert_array_equal(part.pixels, cut.pixels[:, 40:90])


def test_corners_of_a_tall_crop_are_those_of_its_quad_from_the_upper_right() -> None:
    quad = np.array([[100, 20], [130, 20], [130, 200], [100, 200]], np.float32)
    cut = crops.crop_quad(np.zeros((300, 300, 3), np.uint8), quad)
    corners = [[0, 0], [cut.width, 0], [cut.width, cut.height], [0, cut.height]]
    found = cut.in_image(np.array(corners, np.float32))
    np.testing.assert_allclose(found, np.roll(quad, -1, axis=0), atol=1e-3)


def test_points_of_a_whole_image_stay_where_they_are() -> None:
    points = np.array([[1, 2], [3, 4]], np.float32)
    whole = crops.Crop.whole(np.zeros((10, 20, 3), np.uint8))
    np.testing.assert_array_equal(whole.in_image(points), points)


def test_points_of_a_picture_that_is_scaled_down_for_opencv(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (crops, surroundings):
        monkeypatch.setattr(module, "LONGEST", 100)
    quad = np.array([[30, 10], [330, 10], [330, 50], [30, 50]], np.float32)
    cut = crops.crop_quad(np.zeros((60, 400, 3), np.uint8), quad)
    assert cut.width <= 100
    end = np.array([[0, 0], [cut.width, cut.height]], np.float32)
    np.testing.assert_allclose(cut.in_image(end), quad[[0, 2]], atol=1.0)


@pytest.mark.parametrize("degrees", [0, 4, -7, 90, 180])
@pytest.mark.parametrize("scale", [1.5, 2.0, 3.3])
def test_large_text_is_cut_out_at_the_height_at_which_it_is_read(
    degrees: float, scale: float
) -> None:
    """The crop is what OpenCV makes of the full-size crop by averaging, to a grey level or so."""
    quad = (turned(degrees) * scale).astype(np.float32)
    image = rendered(quad, (round(400 * scale), round(300 * scale)))
    full, small = crops.crop_quad(image, quad), crops.crop_quad(image, quad, HEIGHT)
    upright = (HEIGHT, WIDTH)
    assert (small.height, small.width) == upright and full.height >= 1.4 * HEIGHT
    expected = cv2.resize(full.pixels, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    assert mean_difference(small.pixels, expected) < 1
    ends = np.array([[0, 0], [WIDTH, 0], [WIDTH / 2, HEIGHT]], np.float32)
    same = ends * np.array([full.width / WIDTH, full.height / HEIGHT], np.float32)
    np.testing.assert_allclose(small.in_image(ends), full.in_image(same), atol=0.01)


def test_fine_strokes_of_large_text_are_averaged() -> None:
    """Stripes of one pixel become grey; sampling single pixels would keep or lose them."""
    image = np.zeros((400, 1000, 3), np.uint8)
    image[:, ::2] = 255
    quad = np.array([[20, 20], [980, 20], [980, 212], [20, 212]], np.float32)
    small = crops.crop_quad(image, quad, 48)
    assert (small.height, small.width) == (48, 240)
    assert abs(small.pixels[:, 2:-2].astype(int) - 127).max() <= 2


def test_text_that_is_low_enough_is_cut_out_as_without_a_height() -> None:
    quad = turned(10)
    image = rendered(quad)
    for rows in (HEIGHT, HEIGHT + 1, 10 * HEIGHT):
        cut = crops.crop_quad(image, quad, rows)
        np.testing.assert_array_equal(cut.pixels, crop(image, quad))


def test_a_long_line_that_slants_is_cut_out_at_full_size() -> None:
    """What surrounds it has many times its pixels, so reducing that would take longer."""
    level = np.array([[-900, -40], [900, -40], [900, 40], [-900, 40]], np.float32) / np.sqrt(2)
    quad = (level @ np.array([[1, 1], [-1, 1]], np.float32) + 1000).astype(np.float32)
    cut = crops.crop_quad(np.zeros((2000, 2000, 3), np.uint8), quad, HEIGHT)
    assert (cut.height, cut.width) == (80, 1800)
    assert cut.peak_bytes == 80 * 1800 * 6


def test_memory_for_a_large_crop_counts_its_reduced_surroundings() -> None:
    quad = np.array([[20, 20], [980, 20], [980, 212], [20, 212]], np.float32)
    cut = crops.crop_quad(np.zeros((400, 1000, 3), np.uint8), quad, 48)
    around = (960 // 4) * (192 // 4) * 3
    assert cut.peak_bytes == cut.turned(180).peak_bytes == 48 * 240 * 6 + around
