"""Overlay pictures as PNG files."""

from __future__ import annotations

from .drawing import DrawingWriter


class Writer(DrawingWriter):
    """A PNG file with the outlines of one page drawn onto its picture."""

    ending = ".png"


write = Writer.write


def is_ours(start: bytes) -> bool:
    """Return False: nothing in these files shows who drew them."""
    return False
