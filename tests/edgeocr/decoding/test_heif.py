"""HEIC pictures, as phones save them."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeocr import OCR, ImageError
from edgeocr.decoding.limits import Limits
from edgeocr.images import load
from tests.support.paths import FIXTURES

PHONE = FIXTURES / "documents" / "phone.heic"


def test_picture_is_read_upright_from_every_kind_of_source(ocr: OCR) -> None:
    """The file is stored turned by 90 degrees, and says so twice: in EXIF and in a box `irot`."""
    content = PHONE.read_bytes()
    assert b"irot" in content and b"Exif" in content
    for source in (PHONE, str(PHONE), content, bytearray(content), io.BytesIO(content)):
        image = load(source)
        assert image.shape == (120, 360, 3) and image.dtype == np.uint8
    pages = list(ocr.read_many(3 * [PHONE], on_error="raise"))
    assert [page.text for page in pages] == 3 * ["PHONE 4721"]


def test_pixels_stay_after_the_library_has_closed_the_file() -> None:
    first = load(PHONE)
    kept = first.copy()
    others = [load(PHONE) for _ in range(20)]
    assert all(np.array_equal(kept, each) for each in (first, *others))
    # The background is (250, 250, 245) in the order RGB.
    assert np.abs(first[5, 5].astype(int) - (245, 250, 250)).max() <= 3


def test_size_is_checked_before_decoding() -> None:
    with pytest.raises(ImageError, match=r"phone\.heic: it has 360 × 120 pixels"):
        load(PHONE, limits=Limits(360 * 120 - 1))
    assert load(PHONE, limits=Limits(360 * 120)).shape == (120, 360, 3)


@pytest.mark.parametrize("size", [60, 400, 1000, 1990])
def test_damaged_picture_is_an_error_with_advice(size: int) -> None:
    with pytest.raises(ImageError, match=r"this is a HEIC or HEIF picture.*heif-convert"):
        load(PHONE.read_bytes()[:size])


def test_missing_package_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(ImageError, match=r'phone\.heic: .*pip install "edgeocr\[heif\]"'):
        load(PHONE)
