"""Pictures that are too large by their headers are refused before they are decoded."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest

from edgeocr import OCR, ImageError, Page, frames_of
from edgeocr.decoding import limits as limits_module
from edgeocr.decoding.limits import MAX_IMAGE_PIXELS, Limits
from edgeocr.images import load, name_of
from tests.support import hostile_pictures as hostile
from tests.support.decoding_process import load_all

# Files of at most a few kilobytes that took gigabytes, or would take more than they state.
BOMBS: dict[str, bytes] = {
    "canvas.gif": hostile.gif(32767, 32767),
    "black.png": hostile.png(30000, 30000, b"x\x9cc\0\0\0\1\0\1"),
    "chunk.png": hostile.png(8, 8)[:33] + b"\xff\xff\xff\xf0IDAT",
    "tile.tif": hostile.tiled_tiff(64, 64, 20000 // 16 * 16),
    "tiles.j2k": hostile.jpeg2000((255, 257), (1, 1)),
    "layers.j2k": hostile.jpeg2000((1500, 1500), precinct=5, layers=65535),
    "precincts.j2k": hostile.jpeg2000((1500, 1500), precinct=1),
    "tile-header.j2k": hostile.jpeg2000((1500, 1500), precinct=1, of_tile=True),
    "large.j2k": hostile.jpeg2000((30000, 30000)),
    "components.j2k": hostile.jpeg2000((255, 257), (64, 64), components=1000),
}
# Endings under which OpenCV writes what it also reads.
OPENCV_KINDS = ["avif", "bmp", "jp2", "jpg", "pam", "png", "ppm", "ras", "tiff", "webp"]
# The size of the pictures that are not bombs.
SIZE = (60, 48)
PIXELS = 60 * 48


def small_picture(kind: str) -> bytes:
    """Return a picture of 60 × 48 pixels."""
    image = np.full((48, 60, 3), 200, np.uint8)
    if kind == "gif":
        PIL.Image.fromarray(image).convert("P").save(stream := io.BytesIO(), "GIF")
        return stream.getvalue()
    done, content = cv2.imencode(f".{kind}", image)
    assert done
    return content.tobytes()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak from /proc")
def test_bombs_are_refused_without_memory(pictures: Path, tmp_path: Path) -> None:
    progressive = hostile.jpeg(16, 16, progressive=True)
    size = progressive.index(b"\xff\xc2") + 5
    declared = (20000).to_bytes(2, "big") * 2
    bombs = BOMBS | {"progressive.jpg": progressive[:size] + declared + progressive[size + 4 :]}
    for name, content in bombs.items():
        (tmp_path / name).write_bytes(content)
    paths = [tmp_path / name for name in bombs]
    results = load_all(paths, pictures / "sample.jpg", pixels=MAX_IMAGE_PIXELS)
    assert len(results) == len(bombs)
    for name, result in zip(bombs, results, strict=True):
        assert result["error"] and name in result["error"], (name, result)
        assert "max_image_pixels" in result["error"] and "--max-image-pixels" in result["error"]
        assert result["peak"] < 10_000_000 and result["seconds"] < 2, (name, result)


@pytest.mark.parametrize("kind", [*OPENCV_KINDS, "gif"])
def test_limit_is_the_number_of_pixels_that_is_still_read(kind: str, tmp_path: Path) -> None:
    content = small_picture(kind)
    (tmp_path / f"a.{kind}").write_bytes(content)
    for most in (PIXELS, None):
        assert load(content, limits=Limits(most)).shape == (48, 60, 3)
    sources: list[Any] = [content, tmp_path / f"a.{kind}", io.BytesIO(content)]
    for source in sources:
        message = r"it has 60 × 48 pixels by its header, the limit is 2879 pixels: .*=2880\)"
        with pytest.raises(ImageError, match=message):
            load(source, limits=Limits(PIXELS - 1))


def test_pil_images_from_files_have_the_limit_and_those_in_memory_have_none() -> None:
    image = PIL.Image.open(io.BytesIO(small_picture("png")))
    with pytest.raises(ImageError, match="60 × 48"):
        load(image, limits=Limits(PIXELS - 1))
    assert load(image, limits=Limits(PIXELS)).shape == (48, 60, 3)
    assert load(PIL.Image.new("RGB", SIZE), limits=Limits(1)).shape == (48, 60, 3)
    assert load(np.zeros((48, 60, 3), np.uint8), limits=Limits(1)).shape == (48, 60, 3)


@pytest.mark.parametrize("opened", [False, True])
def test_canvas_and_number_of_frames_of_an_animation_are_limited(
    opened: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [PIL.Image.new("L", SIZE, 50 * i) for i in range(5)]
    images[0].save(stream := io.BytesIO(), "GIF", save_all=True, append_images=images[1:])

    def source() -> Any:
        return PIL.Image.open(stream) if opened else stream.getvalue()

    assert len(list(frames_of(source(), Limits(PIXELS)))) == 5
    (refused,) = frames_of(source(), Limits(PIXELS - 1))
    with pytest.raises(ImageError, match="60 × 48"):
        load(refused)
    monkeypatch.setattr(limits_module, "MAX_CANVASES", 3)
    *shown, last = frames_of(source(), Limits(PIXELS))
    assert [load(each).shape for each in shown] == [(48, 60, 3)] * 3
    with pytest.raises(ImageError, match="no more than 3 frames of this size"):
        load(last)


def test_page_of_a_tiff_file_is_limited_by_itself(tmp_path: Path) -> None:
    pages = [PIL.Image.new("L", size) for size in (SIZE, (70, 48))]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    first, second = frames_of(tmp_path / "a.tif", Limits(PIXELS))
    assert load(first, limits=Limits(PIXELS)).shape == (48, 60, 3)
    with pytest.raises(ImageError, match=r"a\.tif#2: it has 70 × 48 pixels"):
        load(second, limits=Limits(PIXELS))


@pytest.mark.parametrize(
    "content",
    [
        b"P5 4#5\n6 255\n" + bytes(24),  # OpenCV takes the comment for a number
        b"P5\n4 0006 255\n" + bytes(24),
        b"P7\nWIDTH 4\nWIDTH 4\nHEIGHT 6\nDEPTH 1\nMAXVAL 255\nENDHDR\n" + bytes(24),
    ],
)
def test_header_that_can_be_read_in_two_ways_is_refused_or_right(content: bytes) -> None:
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    try:
        loaded = load(content)
    except ImageError as error:
        assert "not known how large it is" in str(error)
    else:
        assert decoded is not None and loaded.shape[:2] == decoded.shape[:2]


def test_ocr_takes_the_limit(png: Path) -> None:
    with OCR(provider="cpu", max_image_pixels=PIXELS - 1) as ocr:
        calls: list[Callable[[], object]] = [
            lambda: ocr.read(png),
            lambda: ocr.detect(png),
            lambda: ocr.recognize([png]),
            lambda: ocr.draw(png, Page(str(png), *SIZE, (), {}, {})),
        ]
        for call in calls:
            with pytest.raises(ImageError, match=r"small\.png: it has 60 × 48 pixels") as caught:
                call()
            assert caught.value.source == str(png)
        results = list(ocr.read_many([png, np.zeros((48, 60, 3), np.uint8)]))
        assert [type(each) for each in results] == [ImageError, Page]


def test_picture_that_was_read_can_be_drawn_whatever_its_size(
    png: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeocr.page.MAX_IMAGE_PIXELS", 1)
    assert Page(str(png), *SIZE, (), {}, {}).draw(png).shape == (48, 60, 3)


@pytest.mark.parametrize(("limit", "error"), [(0, ValueError), ("5", TypeError), (True, TypeError)])
def test_wrong_limit_is_refused(limit: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="max_image_pixels must be"):
        OCR(provider="cpu", max_image_pixels=limit)


@pytest.fixture
def png(tmp_path: Path) -> Path:
    """Path of a picture of 60 × 48 pixels."""
    path = tmp_path / "small.png"
    path.write_bytes(small_picture("png"))
    assert name_of(path) == str(path)
    return path
