"""The sizes to which pictures are resized for a network."""

from __future__ import annotations

import numpy as np
import pytest

from edgeocr.bundle.manifest import Resize
from edgeocr.resize import limited, network_size, resize

MOST = 3_200_000


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((720, 960), (736, 992)),  # enlarged to 736 x 981.3
        ((900, 600), (1088, 736)),
        ((604, 1064), (736, 1280)),  # enlarged to 736 x 1296.5, of which PaddleOCR takes 1296
        ((736, 736), (736, 736)),
        ((1, 1), (736, 736)),
        ((1000, 1000), (992, 992)),
        ((3000, 4000), (1536, 2080)),
        ((10, 5000), (64, 40000)),
        ((5000, 10), (40000, 64)),
        ((1, 100_000), (32, 100_000)),
    ],
)
def test_shorter_side_is_enlarged_to_a_minimum(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert network_size(*size, Resize("min", 736, MOST, 32)) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((720, 960), (704, 960)),  # 22.5 rounds to even
        ((300, 400), (288, 384)),
        ((642, 1166), (512, 960)),  # reduced to 528.6 x 960, of which PaddleOCR takes 528
        ((1920, 1280), (960, 640)),
        ((1, 1), (32, 32)),
        ((10, 5000), (32, 960)),
    ],
)
def test_longer_side_is_reduced_to_a_maximum(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert network_size(*size, Resize("max", 960, MOST, 32)) == expected


def test_sizes_are_multiples_within_the_limits() -> None:
    random = np.random.default_rng(3)
    for limit in ("min", "max"):
        rule = Resize(limit, 736, MOST, 32)
        for height, width in random.integers(1, 6000, (500, 2)).tolist():
            sides = network_size(height, width, rule)
            assert all(side % 32 == 0 and side >= 32 for side in sides)
            assert sides[0] * sides[1] <= MOST
            if min(height, width) > 100 and max(height, width) < 2016:
                assert sides[0] / sides[1] == pytest.approx(height / width, rel=0.2)


# The sizes below are those of PaddleOCR 2.10's DetResizeForTest and E2EResizeForTest.


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((720, 1280), (896, 1536)),  # 864 x 1536
        ((1280, 720), (1536, 896)),
        ((100, 100), (1536, 1536)),
        ((1000, 3000), (512, 1536)),
    ],
)
def test_longer_side_gets_a_given_length(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert network_size(*size, Resize("long", 1536, MOST, 128, "up")) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((400, 600), (512, 768)),  # 500 x 750
        ((614, 1000), (768, 1280)),  # 767 x 1250
        ((720, 1280), (768, 1408)),  # 768 x 1365
        ((1536, 1024), (768, 512)),
        ((1, 1), (128, 128)),
    ],
)
def test_height_is_reduced_to_a_maximum(size: tuple[int, int], expected: tuple[int, int]) -> None:
    rule = Resize("height", 768, MOST, 128, "up", enlarge=1.25)
    assert network_size(*size, rule) == expected


@pytest.mark.parametrize("limit", ["long", "height"])
def test_rounding_up_stays_within_the_limit_of_pixels(limit: str) -> None:
    random = np.random.default_rng(4)
    rule = Resize(limit, 1536, MOST, 128, "up", enlarge=1.25)  # type: ignore[arg-type]
    for height, width in random.integers(1, 6000, (500, 2)).tolist():
        sides = network_size(height, width, rule)
        assert all(side % 128 == 0 and side >= 128 for side in sides)
        assert sides[0] * sides[1] <= MOST


def test_scale_maps_points_back_on_each_axis() -> None:
    image = np.zeros((100, 300, 3), np.uint8)
    resized = resize(image, Resize("max", 200, MOST, 32))
    assert resized.pixels.shape == (64, 192, 3) and resized.pixels.dtype == np.uint8
    assert resized.scale.dtype == np.float32
    assert resized.scale.tolist() == pytest.approx([300 / 192, 100 / 64])


FIXED = Resize("min", 544, 900_000, 32, sizes=[[320, 320], [640, 640], [960, 928]])


@pytest.mark.parametrize(
    ("pixels", "sizes"),
    [
        (2_000_000, FIXED.sizes),
        (500_000, [[320, 320], [640, 640]]),
        (409_600, [[320, 320], [640, 640]]),
        (409_599, [[320, 320]]),
        (102_399, [[288, 288]]),
        (5000, [[64, 64]]),
    ],
)
def test_limit_of_pixels_keeps_the_fixed_sizes_within_it(
    pixels: int, sizes: list[list[int]]
) -> None:
    rule = limited(FIXED, pixels)
    assert rule.sizes == sizes
    height, width = network_size(3000, 4000, rule)
    assert height * width <= pixels and height % 32 == width % 32 == 0
