"""Read the content of a file, within limits, wherever it comes from."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import Any

from ..errors import EdgeOCRError, ImageError
from . import formats
from .limits import Limits

# Bytes that are read at a time from a source whose length isn't known.
PART = 1 << 20


def is_regular(path: str | os.PathLike[str]) -> bool:
    """Tell whether a path leads to an ordinary file, which can be read again and has a length.

    Raises:
        OSError, ValueError: There is no such file.
    """
    return stat.S_ISREG(Path(path).stat().st_mode)


def read_path(path: str | os.PathLike[str], limits: Limits) -> bytes:
    """Read a file, or a pipe or device up to its end.

    Raises:
        OSError, ValueError: It can't be read.
        EdgeOCRError: It is too large, or begins as no picture does.
    """
    # cv2.imread can't open non-ASCII paths on Windows.
    with Path(path).open("rb") as file:
        status = os.fstat(file.fileno())
        size = status.st_size
        if not stat.S_ISREG(status.st_mode) or not size:  # files in /proc have no length
            return read_all(file, limits)
        # There is room for it within a memory limit: the caller has counted it.
        Limits(limits.pixels).check_content(size)
        if size > PART:
            _check_start(file.read(formats.ENOUGH), limits)
            file.seek(0)
        return file.read(size)


def read_all(stream: Any, limits: Limits) -> bytes:
    """Read a binary file object to its end.

    Args:
        stream: An object with the method `read`, which may be anyone's code.
        limits: How much may be read.

    Raises:
        ImageError: Reading fails, whatever it raises, or yields no bytes, or too many.
        MemoryLimitError: The content doesn't fit into the memory limit.
    """
    content = io.BytesIO()
    while True:
        try:
            part = stream.read(PART)
        except (EdgeOCRError, MemoryError):
            raise
        except Exception as error:
            raise ImageError(f"can't be read: {described(error)}") from error
        if isinstance(part, str):
            raise ImageError("the file object yields text: open it in binary mode ('rb')")
        if not isinstance(part, (bytes, bytearray, memoryview)):
            raise ImageError(
                f"its read() returned a {type(part).__name__} instead of bytes: pass an open, "
                "blocking binary file"
            )
        if not len(part):
            return content.getvalue()
        limits.check_content(content.tell() + memoryview(part).nbytes)
        content.write(part)
        if content.tell() > PART >= content.tell() - len(part):
            _check_start(content.getvalue()[: formats.ENOUGH], limits)


def described(error: BaseException) -> str:
    """Return the kind and the message of an error that foreign code has raised."""
    message = str(getattr(error, "strerror", None) or error)
    is_plain = isinstance(error, (OSError, ValueError)) and message
    return message if is_plain else f"{type(error).__name__}: {message}".removesuffix(": ")


def _check_start(start: bytes, limits: Limits) -> None:
    """Refuse a large file that no picture begins like, before it is read wholly."""
    if limits.pixels is None or formats.picture_kind_of(start) is not None or start[:2] == b"BM":
        return
    other = formats.kind_of(start)
    if other is None or not other.decoded_by_some:
        raise ImageError(formats.refusal(start))
