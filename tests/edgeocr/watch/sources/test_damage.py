"""Pictures that decoders have filled up."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgeocr.images import load
from edgeocr.watch.sources.damage import PERSISTENCE, DamageCheck, filled_part
from tests.support.paths import IMAGES
from tests.support.videos import picture


def zeros_of(height: int, width: int, value: int, code: int) -> np.ndarray:
    """Convert planes of luma and chroma with one value, as OpenCV does after a decoder."""
    return cv2.cvtColor(np.full((height * 3 // 2, width), value, np.uint8), code)


@pytest.mark.parametrize("value", [0, 128])
def test_what_opencv_makes_of_missing_planes(value):
    image = zeros_of(240, 320, value, cv2.COLOR_YUV2BGR_I420)
    assert filled_part(image) == 1
    mixed = picture(7)
    mixed[144:] = image[144:]
    assert filled_part(mixed) == pytest.approx(0.4, abs=0.03)


@pytest.mark.parametrize("value", [0, 255, 90, 170])
def test_a_plain_picture_is_a_picture(value):
    assert filled_part(np.full((240, 320, 3), value, np.uint8)) == 0


def test_pictures_are_pictures():
    for path in sorted(IMAGES.glob("*.jpg")):
        image = load(path)
        assert filled_part(image) < 0.02, path
    green = picture(3)
    green[120:] = (0, 128, 0)  # a green wall, with the noise of a camera
    green[120:] += np.random.default_rng(0).integers(0, 20, green[120:].shape, np.uint8)
    assert filled_part(green) == 0


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (9, 240)])
def test_small_pictures(size):
    assert filled_part(np.full((*size, 3), 130, np.uint8)) == 1
    assert filled_part(np.full((*size, 3), 30, np.uint8)) == 0


def test_damage_that_stays_is_what_the_camera_sees():
    check = DamageCheck()
    grey = np.full((240, 320, 3), 128, np.uint8)
    assert check.reason(picture(1), 0.0) is None
    assert "100% of the picture" in str(check.reason(grey, 1.0))
    assert check.reason(grey, 1.0 + PERSISTENCE / 2) is not None
    assert check.reason(grey, 1.0 + PERSISTENCE) is None
    assert check.reason(picture(2), 5.0) is None
    assert check.reason(grey, 5.1) is not None
