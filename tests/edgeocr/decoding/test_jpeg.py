"""JPEG files are decoded into an array as `cv2.imdecode` decodes them, or left to it."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest

from edgeocr.decoding import jpeg
from edgeocr.decoding.files import REDUCED, decode
from tests.support import mutants

# Whether this version of OpenCV can decode a file into an array, as 4.10 and newer can.
INTO_ARRAY = "imread(filename[, dst" in str(cv2.imread.__doc__)
HEIGHT, WIDTH = 90, 131


def encoded(height: int = HEIGHT, width: int = WIDTH, orientation: int | None = None) -> bytes:
    """Return a JPEG file with noise in colours, and an EXIF orientation if one is given."""
    small = np.random.default_rng(1).integers(
        0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8
    )
    picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    content = cv2.imencode(".jpg", picture)[1].tobytes()
    if orientation is None:
        return content
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + entry + bytes(4)
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + content[2:]


def by_opencv(content: bytes, flag: int) -> np.ndarray | None:
    """Decode a file with `cv2.imdecode`; return None if it can't."""
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), flag)
    except cv2.error:
        return None


@pytest.fixture(autouse=True)
def of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small pictures be decoded as large ones are."""
    monkeypatch.setattr(jpeg, "LEAST_BYTES", 0)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("reduction", REDUCED)
def test_file_is_decoded_as_opencv_decodes_it(orientation: int, reduction: int) -> None:
    content, flag = encoded(orientation=orientation), REDUCED[reduction]
    found = jpeg.decode(content, flag, -(-HEIGHT // reduction), -(-WIDTH // reduction))
    if not INTO_ARRAY or not hasattr(os, "memfd_create"):
        assert found is None
    else:
        assert found is not None
        np.testing.assert_array_equal(found, by_opencv(content, flag))
    np.testing.assert_array_equal(decode(content, reduction).array, by_opencv(content, flag))


def test_damaged_file_is_decoded_as_opencv_decodes_it_or_left_to_it() -> None:
    content, rng = encoded(), Random(1)
    damaged = [mutants.of_bytes(content, rng) for _ in range(150)]
    damaged += [content[:end] for end in range(100, len(content), 97)]
    damaged += [each[:-2] + jpeg.END for each in damaged]
    whole = 0
    for each in damaged:
        found = jpeg.decode(each, cv2.IMREAD_COLOR, HEIGHT, WIDTH)
        if found is not None:
            whole += 1
            np.testing.assert_array_equal(found, by_opencv(each, cv2.IMREAD_COLOR))
    assert whole > 0 or not INTO_ARRAY


def test_file_that_was_cut_off_is_left_to_opencv() -> None:
    assert jpeg.decode(encoded()[:-2], cv2.IMREAD_COLOR, HEIGHT, WIDTH) is None


def test_file_of_another_size_than_its_header_tells_is_left_to_opencv() -> None:
    assert jpeg.decode(encoded(), cv2.IMREAD_COLOR, HEIGHT + 1, WIDTH) is None


def test_failure_that_opencv_does_not_tell_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "imread", lambda path, array, flag: array)
    assert jpeg.decode(encoded(), cv2.IMREAD_COLOR, HEIGHT, WIDTH) is None


def test_system_without_files_in_memory_leaves_files_to_opencv(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    assert jpeg.decode(encoded(), cv2.IMREAD_COLOR, HEIGHT, WIDTH) is None
    np.testing.assert_array_equal(decode(encoded()).array, by_opencv(encoded(), cv2.IMREAD_COLOR))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="lists descriptors as Linux does")
def test_no_descriptor_is_left_open() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for content in (encoded(), encoded()[:300] + jpeg.END):
        jpeg.decode(content, cv2.IMREAD_COLOR, HEIGHT, WIDTH)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
