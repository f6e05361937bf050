"""A target with faults of its own, on which the tests try the campaign; it isn't in `NAMES`."""

from __future__ import annotations

import os
import time

from edgeocr.errors import ImageError


def seeds() -> list[bytes]:
    """Return inputs without a fault."""
    return [bytes([first, 0]) for first in range(0, 256, 16)]


def read(content: bytes) -> None:
    """Do what the first byte says."""
    kind = content[0] % 16 if content else 0
    if kind == 1:
        raise ImageError("refused")
    if kind in (2, 3):
        raise KeyError("untyped")
    if kind == 4:
        os.abort()
    if kind in (5, 6):
        bytearray(1 << 34)
    if kind == 8:
        time.sleep(100)
