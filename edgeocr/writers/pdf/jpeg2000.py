"""JPEG 2000 files as PDF holds them: byte for byte, if they have grey or plain RGB colours."""

from __future__ import annotations

import struct

from .embedded import Embedded

START = b"\0\0\0\x0cjP  "
# The boxes in the header of a file, and the numbers of its colour spaces.
HEADER, COLOUR, PALETTE = b"ihdr", b"colr", b"pclr"
SPACES = {(3, 16): "/DeviceRGB", (1, 17): "/DeviceGray"}
ENUMERATED = 1
# The header's boxes stand within this many bytes.
BEGINNING = 4096


def embed(content: bytes) -> Embedded | None:
    """Describe a JPEG 2000 file.

    Args:
        content: The file.

    Returns:
        The picture; None if it has other samples than 8 bits of grey or sRGB.
    """
    start = content[:BEGINNING]
    try:
        height, width, channels, depth = struct.unpack_from(">IIHB", _box(start, HEADER))
        method, space = struct.unpack_from(">BxxI", _box(start, COLOUR))
    except (struct.error, ValueError):
        return None
    if depth != 7 or method != ENUMERATED or (channels, space) not in SPACES or PALETTE in start:
        return None
    entries = {
        "ColorSpace": SPACES[channels, space],
        "BitsPerComponent": 8,
        "Filter": "/JPXDecode",
    }
    return Embedded(content, width, height, entries)


def _box(start: bytes, kind: bytes) -> bytes:
    """Return what follows the kind of the first box of a kind; raise `ValueError` without one."""
    return start[start.index(kind) + len(kind) :]
