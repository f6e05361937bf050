"""The size of an AVIF file."""

from __future__ import annotations

import re
import struct
from typing import IO

from .header import Header

BRANDS = (b"avif", b"avis")
# The boxes of the file that describe pictures (`meta`) and tracks (`moov`), and the places in them
# that state a size: `ispe` that of a picture or a part of one, in 32 bits; `tkhd` that of a track,
# whose whole numbers are the upper 16 bits of 32; `av01` that of a track's samples, in 16 bits.
STATED = {
    b"meta": re.compile(rb"ispe.{4}(.{8})", re.DOTALL),
    b"moov": re.compile(
        rb"tkhd(?:\x00.{75}|\x01.{87})(..)..(..)|av01.{24}(..)(..)",
        re.DOTALL,
    ),
}
# The most bytes that such a box may have, and the most boxes of a file.
MOST_BYTES = 1 << 20
MOST_BOXES = 1_000


def read(stream: IO[bytes]) -> Header | None:
    """Return the largest size that the file states, or None if it is damaged or of another kind."""
    if stream.read(12)[4:] not in [b"ftyp" + brand for brand in BRANDS]:
        return None
    sizes = [
        _size(match) for box in _descriptions(stream) for match in STATED[box[4:8]].finditer(box)
    ]
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    # The AV1 decoder keeps a number of frames that is not stated.
    return Header(width, height, None)


def _size(match: re.Match[bytes]) -> tuple[int, int]:
    stated = b"".join(group for group in match.groups() if group)
    width, height = struct.unpack(">II" if len(stated) == 8 else ">HH", stated)
    return width, height


def _descriptions(stream: IO[bytes]) -> list[bytes]:
    """Return the contents of the boxes that describe pictures.

    Raises:
        ValueError: There are too many boxes, or one is too large.
        struct.error: The file is cut short.
    """
    found: list[bytes] = []
    at = 0
    for _ in range(MOST_BOXES):
        stream.seek(at)
        start = stream.read(16)
        if not start:
            return found
        length, kind = struct.unpack_from(">I4s", start)
        if length == 1:
            (length,) = struct.unpack_from(">Q", start, 8)
        last = length == 0  # the box lasts to the end of the file
        if kind in STATED:
            stream.seek(at)
            found.append(stream.read(MOST_BYTES + 1 if last else min(length, MOST_BYTES + 1)))
            if len(found[-1]) > MOST_BYTES:
                raise ValueError("a description is too large")
        if last:
            return found
        if not 8 <= length < 1 << 48:
            raise ValueError("a box is damaged")
        at += length
    raise ValueError("there are too many boxes")
