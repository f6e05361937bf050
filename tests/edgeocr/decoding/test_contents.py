"""Sources that fail while they are read, or never end, are errors of these sources alone."""

from __future__ import annotations

import io
import os
import resource
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from edgeocr import OCR, ImageError, MemoryLimitError, Page
from edgeocr.decoding import contents, limits
from edgeocr.decoding.contents import PART, read_all, read_path
from edgeocr.decoding.limits import DEFAULT_LIMITS, Limits
from edgeocr.images import load
from tests.support.failing_sources import (
    ERRORS,
    Failing,
    Unnameable,
    WithoutSize,
    Yielding,
    failing_pillow,
)

PNG = b"\x89PNG\r\n\x1a\n"
WHITE = np.full((60, 80, 3), 255, np.uint8)
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /dev and pipes")


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("start", [b"", PNG])
def test_whatever_a_file_object_raises_is_an_image_error(error: Exception, start: bytes) -> None:
    with pytest.raises(ImageError, match=r"^<Failing>: can't be read: ") as caught:
        load(Failing(error, start))  # type: ignore[arg-type]
    assert caught.value.__cause__ is error and str(error) in str(caught.value)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (Yielding("text"), "open it in binary mode"),
        (Yielding(None), "returned a NoneType instead of bytes"),
        (Yielding(7), "returned a int instead of bytes"),
        (Unnameable(), "<Unnameable>: can't be read: EOFError"),
        (WithoutSize(), "TypeError"),
    ],
)
def test_file_object_that_breaks_its_contract_is_an_image_error(source: Any, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        load(source)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_interruptions_pass_through(error: BaseException) -> None:
    with pytest.raises(type(error)):
        load(Failing(error))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_other_buffers_are_read_like_bytes(kind: Any) -> None:
    parts = iter([kind(b"ab"), kind(b"c"), b""])

    class Stream:
        def read(self, size: int) -> Any:
            return next(parts)

    assert read_all(Stream(), DEFAULT_LIMITS) == b"abc"


@pytest.mark.parametrize("method", ["load", "convert", "getexif", "copy", "seek"])
@pytest.mark.parametrize(
    "error", [SyntaxError("broken PNG file"), OverflowError("inf"), MemoryError()], ids=repr
)
def test_whatever_pillow_raises_is_typed(ocr: OCR, method: str, error: Exception) -> None:
    (result,) = ocr.read_many([failing_pillow(error, method)])
    assert isinstance(result, Page) or result.source == "<Image>"
    if method in ("load", "convert") and not isinstance(error, MemoryError):
        assert isinstance(result, ImageError) and result.__cause__ is error


def test_damaged_orientation_of_a_pil_image_is_ignored() -> None:
    image = PIL.Image.new("RGB", (8, 6))
    image.getexif()[0x0112] = float("inf")
    assert load(image).shape == (6, 8, 3)


def test_batch_goes_on_after_every_kind_of_failing_source(ocr: OCR, tmp_path: Path) -> None:
    class HostilePath:
        def __fspath__(self) -> str:
            raise RuntimeError("no path")

    class BytesPath:
        def __fspath__(self) -> bytes:
            return b"a.png"

    released = memoryview(bytearray(b"abc"))
    released.release()
    sources: list[Any] = [
        *(Failing(error) for error in ERRORS),
        Yielding(None),
        Unnameable(),
        HostilePath(),
        BytesPath(),
        released,
        object(),
        None,
        tmp_path,
    ]
    results = list(ocr.read_many([*sources, WHITE]))
    assert len(results) == len(sources) + 1
    assert all(isinstance(each, ImageError) and each.source for each in results[:-1])
    assert isinstance(results[-1], Page)
    crops = ocr.recognize([Failing(EOFError()), WHITE], on_error="return")  # type: ignore[call-overload]
    assert isinstance(crops[0], ImageError) and not isinstance(crops[1], ImageError)


def test_too_long_file_object_is_refused_after_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 3 * PART)
    endless = Yielding(PNG + bytes(PART - len(PNG)))
    with pytest.raises(ImageError, match=rf"has more than {3 * PART} bytes"):
        read_all(endless, DEFAULT_LIMITS)


def test_large_bitmap_with_reserved_bytes_in_use_is_read() -> None:
    image = PIL.Image.new("RGB", (700, 600))
    image.save(stream := io.BytesIO(), "BMP")
    content = bytearray(stream.getvalue())
    content[6:10] = b"made"
    assert len(content) > PART and load(io.BytesIO(content)).shape == (600, 700, 3)


def test_large_file_that_is_no_picture_is_refused_after_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "zeros.png"
    with path.open("wb") as file:
        file.truncate(1 << 30)  # a sparse file
    stream = io.BytesIO(bytes(8 * PART))
    with pytest.raises(ImageError, match="zeros only"):
        read_all(stream, DEFAULT_LIMITS)
    assert stream.tell() == 2 * PART
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ImageError, match="zeros only"):
        read_path(path, DEFAULT_LIMITS)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


@linux
@pytest.mark.parametrize("path", ["/dev/zero", "/dev/urandom", "/proc/self/status"])
def test_devices_that_never_end_are_refused(ocr: OCR, path: str) -> None:
    (result,) = ocr.read_many([path])
    assert isinstance(result, ImageError) and str(result).startswith(path)


@linux
def test_pipe_is_read_once_and_wholly(ocr: OCR, pictures: Path, tmp_path: Path) -> None:
    content = (pictures / "poster.jpg").read_bytes()
    assert len(content) > 1 << 16
    fifo = tmp_path / "picture.fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(content,), daemon=True)
    writer.start()
    (page,) = ocr.read_many([fifo])
    writer.join(10)
    assert isinstance(page, Page) and page.source == str(fifo) and len(page) == 10


def test_content_that_the_memory_limit_forbids_is_not_read() -> None:
    def refuse(needed: int) -> MemoryLimitError | None:
        return MemoryLimitError("no", needed=needed, limit=1) if needed > 2 * PART else None

    stream = io.BytesIO(PNG + bytes(64 * PART))
    with pytest.raises(MemoryLimitError):
        read_all(stream, Limits(contents=refuse))
    assert stream.tell() == 3 * PART
    assert contents.PART == PART
