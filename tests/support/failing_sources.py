"""File objects and PIL images that fail in many ways while they are read."""

from __future__ import annotations

import zipfile
import zlib
from typing import Any

import PIL.Image

# What file objects raise: of archives, of networks, of their own.
ERRORS: list[Exception] = [
    EOFError("compressed file ended before the end-of-stream marker was reached"),
    zipfile.BadZipFile("Bad CRC-32 for file 'a.png'"),
    zlib.error("Error -3 while decompressing data"),
    RuntimeError("File 'a.png' is encrypted"),
    StopIteration(),
    KeyError("a"),
    TimeoutError("timed out"),
    RecursionError("too deep"),
]


class Failing:
    """A file object that raises an error after it has yielded some bytes."""

    def __init__(self, error: BaseException, start: bytes = b"") -> None:
        self._error = error
        self._start = start

    def read(self, size: int = -1) -> bytes:
        start, self._start = self._start, b""
        if not start:
            raise self._error
        return start


class Yielding:
    """A file object whose `read` always returns the same."""

    def __init__(self, result: Any) -> None:
        self._result = result

    def read(self, size: int = -1) -> Any:
        return self._result


class Unnameable:
    """A file object whose attributes raise."""

    @property
    def name(self) -> str:
        raise RuntimeError("no name")

    def read(self, size: int = -1) -> bytes:
        raise EOFError


class WithoutSize:
    """A file object that can't be read in parts."""

    def read(self) -> bytes:
        return b""


def failing_pillow(error: Exception, method: str) -> PIL.Image.Image:
    """Return a PIL image with a method that raises an error."""
    image = PIL.Image.new("RGB", (8, 8))

    def fail(*_: object) -> None:
        raise error

    setattr(image, method, fail)
    return image
