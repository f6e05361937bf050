"""The one encoding of everything that edgeocr writes: UTF-8, on every system."""

from __future__ import annotations

ENCODING = "utf-8"
# How a byte that is not UTF-8, in a file's name, is written: as `\udcff`, where `ff` is the byte in
# hexadecimal. In JSON, that is an escape.
ERRORS = "backslashreplace"


def encoded(text: str) -> bytes:
    """Return text as the bytes to write."""
    return text.encode(ENCODING, ERRORS)
