"""Predictions of the memory that loading a source takes."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from edgeocr import ImageError, Source, images
from edgeocr.memory.footprint import PIL_ALPHA_BYTES, PIL_BYTES, Footprint, predict

SIDE = 600
# Bytes that Python itself takes while a picture is loaded.
SMALL = 20_000


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [0, 1, 3, 4])
@pytest.mark.parametrize("contiguous", [True, False])
def test_arrays_take_no_more_than_predicted(dtype: type, channels: int, contiguous: bool) -> None:
    shape = (SIDE, SIDE, channels) if channels else (SIDE, SIDE)
    array: np.ndarray = np.full(shape, 200, dtype)
    if not contiguous:
        array = array[:, ::-1]
    footprint = predict(array)
    assert footprint.present == array.nbytes and footprint.header is None
    tracemalloc.start()
    try:
        images.load(array)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= footprint.loading + SMALL


@pytest.mark.parametrize("side", [60, 300, 600, 1500])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_noise_of_transparency_takes_no_more_than_predicted(side: int, dtype: type) -> None:
    array = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (side, side, 4), dtype)
    tracemalloc.start()
    try:
        images.load(array)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= predict(array).loading + SMALL


def test_bgr_array_takes_nothing_more() -> None:
    array = np.zeros((4, 5, 3), np.uint8)
    assert predict(array) == Footprint(array, 60, 0, 20)


def test_file_is_counted_with_its_content_and_its_decoded_pixels(pictures: Path) -> None:
    path = pictures / "sample.jpg"
    size = path.stat().st_size
    for source in (path, str(path)):
        footprint = predict(source)
        assert (footprint.present, footprint.loading) == (0, size)
        assert footprint.header is not None
        assert (footprint.header.width, footprint.header.height) == (960, 720)


def test_bytes_are_present_and_other_buffers_are_copied(pictures: Path) -> None:
    content = (pictures / "sample.jpg").read_bytes()
    sources: list[tuple[Source, int]] = [
        (content, 0),
        (bytearray(content), len(content)),
        (memoryview(content), len(content)),
    ]
    for source, copied in sources:
        footprint = predict(source)
        assert (footprint.present, footprint.loading) == (len(content), copied)
        assert footprint.header is not None and footprint.header.reducible


def test_file_that_can_be_read_once_is_replaced_by_its_content(pictures: Path) -> None:
    content = (pictures / "sample.jpg").read_bytes()
    footprint = predict(io.BytesIO(content))
    assert footprint.source == content and footprint.present == len(content)


@pytest.mark.parametrize(
    ("mode", "per_pixel"),
    [
        ("L", PIL_BYTES),
        ("RGB", PIL_BYTES),
        ("RGBA", PIL_ALPHA_BYTES),
        ("CMYK", PIL_ALPHA_BYTES),
    ],
)
def test_pil_images_are_counted_by_their_pixels(mode: str, per_pixel: int) -> None:
    picture = PIL.Image.new(mode, (30, 20))
    assert predict(picture) == Footprint(picture, 0, 600 * per_pixel, 600)


@pytest.mark.parametrize("form", ["TIFF", "JPEG2000", "AVIF"])
def test_pil_image_that_is_still_to_be_decoded_is_refused_where_that_may_take_anything(
    form: str,
) -> None:
    PIL.Image.new("RGB", (80, 60)).save(stream := io.BytesIO(), form)
    picture = PIL.Image.open(stream)
    with pytest.raises(ImageError, match=rf"format {form} takes can't be predicted"):
        predict(picture)
    assert predict(picture.copy()).pixels == 4800


def test_pil_image_of_a_jpeg_file_counts_with_its_coefficients() -> None:
    PIL.Image.new("RGB", (80, 60)).save(stream := io.BytesIO(), "JPEG")
    picture = PIL.Image.open(stream)
    assert predict(picture).loading == 4800 * PIL_ALPHA_BYTES
    picture.load()
    assert predict(picture).loading == 4800 * PIL_BYTES


@pytest.mark.parametrize("content", [b"no picture", b"\x59\xa6\x6a\x95" + bytes(60)])
def test_file_without_a_known_header_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "picture.ras"
    path.write_bytes(content)
    for source in (content, io.BytesIO(content)):
        with pytest.raises(ImageError, match=r"^the memory that decoding takes can't be predicted"):
            predict(source)
    with pytest.raises(ImageError, match=r"picture\.ras: the memory that decoding takes"):
        predict(path)


def test_sources_that_loading_will_refuse_are_not_counted(tmp_path: Path) -> None:
    """Loading them raises an error that says more."""
    (tmp_path / "empty.png").touch()
    sources: list[Source] = [tmp_path / "missing.png", tmp_path, "a\0.png"]
    for source in sources:
        assert predict(source) == Footprint(source)
    assert predict(tmp_path / "empty.png").header is None


def test_file_object_that_can_not_be_read_is_an_image_error() -> None:
    with pytest.raises(ImageError, match="yields text"):
        predict(io.StringIO("words"))  # type: ignore[arg-type]
