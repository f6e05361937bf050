"""Memory limits as numbers and texts, and errors that report missing memory."""

from __future__ import annotations

import sys

import cv2
import pytest

from edgeocr import OCR, EdgeOCRError, GraphError, ImageError, errors
from edgeocr.memory import limit as limits

MB = 10**6


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (None, None),
        (0, 0),
        ("0", 0),
        ("none", 0),
        (300 * MB, 300 * MB),
        ("300MB", 300 * MB),
        ("300 mb", 300 * MB),
        ("300MiB", 300 << 20),
        ("3KiB", 3 << 10),
        ("1.5GB", 1500 * MB),
        ("1.5GiB", 3 << 29),
        ("64kB", 64000),
        ("1000000", MB),
        ("12B", 12),
    ],
)
def test_limits_are_converted_to_bytes(text: int | str | None, number: int | None) -> None:
    assert limits.parse(text) == number


@pytest.mark.parametrize(
    "text",
    [
        *("", "MB", "-1MB", "300XB", "300M", "1e3MB", "nan", "1,5GB", "٣MB"),
        *("9" * 30, "9" * 400 + "MB", -1),
    ],
)
def test_impossible_limits_are_value_errors(text: int | str) -> None:
    with pytest.raises(ValueError, match="memory_limit must be"):
        limits.parse(text)
    with pytest.raises(ValueError, match="memory_limit must be"):
        OCR("not-opened.edgeocr", memory_limit=text)


@pytest.mark.parametrize("value", [1.5, True, [1]])
def test_limits_of_other_types_are_type_errors(value: object) -> None:
    with pytest.raises(TypeError, match="memory_limit must be bytes or a text"):
        limits.parse(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (GraphError("the graph doesn't load: std::bad_alloc"), True),
        (GraphError("Available memory of 0 is smaller than requested bytes of 40632320"), True),
        (cv2.error("OpenCV: (-4:Insufficient memory) Failed to allocate 9 bytes"), True),
        (ImageError("a.png: OpenCV can't decode it"), False),
        (GraphError("Got invalid dimensions for input"), False),
    ],
)
def test_errors_for_lack_of_memory_are_recognized(error: Exception, expected: bool) -> None:
    assert errors.is_memory_error(error) is expected


def test_error_names_at_least_a_megabyte_more_than_the_limit() -> None:
    error = limits.exceeded(100 * MB, 120 * MB, "do this")
    assert str(error) == "needs 121 MB, the limit is 120 MB: do this"
    assert (error.needed, error.limit) == (121 * MB, 120 * MB)


@pytest.mark.parametrize("platform", ["win32", "linux"])
def test_memory_is_released_on_every_system(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    def opened(name: str | None) -> object:
        if platform == "win32":  # as Windows' ctypes does
            raise TypeError("argument of type 'NoneType' is not iterable")
        return object()  # a C library without glibc's functions, such as musl

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr("ctypes.CDLL", opened)
    limits.release_unused()
    limits.trim()


def test_limits_are_refused_where_memory_cannot_be_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(EdgeOCRError, match="memory_limit works on Linux only, this is win32"):
        limits.resident_bytes()
