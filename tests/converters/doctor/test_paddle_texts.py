"""The inputs that Paddle Inference gets are those that PaddleOCR's own operators make."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import cv2
import numpy as np

from converters.catalog import entries
from converters.doctor import paddle_texts, sources
from converters.doctor.ways import Way
from converters.graph.interface import Interface
from converters.model.paddle_model import identify
from edgeocr import images
from edgeocr.crops import Crop
from tests.support.paths import IMAGES, ZOO_EXPORTS
from tests.zoo.converted import converted


@cache
def subject(name: str) -> tuple[Way, Interface]:
    folder = ZOO_EXPORTS / name / "pir"
    interface = converted(name).interface
    found = sources.read(folder, identify(folder), interface, entries.load())
    assert found is not None
    return Way(found.network.normalize, found.recognition(), found.symbols()), interface


def line(columns: int) -> Crop:
    picture = images.load(IMAGES / "sample.jpg")[265:310, :columns]
    height, width = picture.shape[:2]
    return Crop(height, width, lambda: picture)


def shown_and_rest(name: str, width: int) -> tuple[Any, Any, Any]:
    """Return PaddleOCR's input within the width of a line and beyond, and the further inputs."""
    way, interface = subject(name)
    crop = line(width)
    image, *others = paddle_texts.prepared(way, interface, crop)
    shown = math.ceil(way.stage.height * crop.width / crop.height)
    return image[..., :shown], image[..., shown + 4 :], others


def test_lines_are_padded_with_zeros_after_they_are_normalized() -> None:
    shown, rest, _ = shown_and_rest("PP-OCRv6_tiny_rec", 90)
    assert rest.size and not rest.any() and shown.std() > 0.1


def test_sar_is_padded_with_black_and_told_the_share_of_the_line() -> None:
    """PaddleOCR's resize_norm_img_sar fills the rest with -1, which black pixels become."""
    shown, rest, (share,) = shown_and_rest("rec_r31_sar", 60)
    assert rest.size and (rest == -1).all()
    width = shown.shape[-1] + rest.shape[-1] + 4
    assert 0.9 < share.item() * width / shown.shape[-1] < 1.1


def test_lines_are_stretched_by_the_method_of_their_settings() -> None:
    way, interface = subject("rec_vitstr_none_ce")
    crop, size = line(90), (224, 224)
    assert (way.stage.width, way.stage.height) == size
    (image,) = paddle_texts.prepared(way, interface, crop)
    grey = [
        cv2.cvtColor(
            cv2.resize(crop.pixels, size, interpolation=method),
            cv2.COLOR_BGR2GRAY,
        )
        for method in (cv2.INTER_CUBIC, cv2.INTER_LINEAR)
    ]
    cubic, linear = (each / 255 for each in grey)
    np.testing.assert_allclose(image[0, 0], cubic, atol=1e-6)
    assert np.abs(image[0, 0] - linear).max() > 0.05
