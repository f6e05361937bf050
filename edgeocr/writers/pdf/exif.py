"""What EXIF data, or a TIFF directory, says about a picture's orientation and resolution."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import IO

from ...decoding.tiff import Layout

ORIENTATION, ACROSS, DOWN, UNIT = 0x0112, 0x011A, 0x011B, 0x0128
SHORT, LONG, RATIONAL = 3, 4, 5
# What the tag UNIT counts pixels per, in inches.
INCHES = {2: 1.0, 3: 1 / 2.54}
# The most entries of a directory that are looked at.
MOST_ENTRIES = 4096


@dataclass(frozen=True)
class Exif:
    """What is known about a picture.

    Attributes:
        orientation: The EXIF orientation, from 1 to 8.
        resolution: Pixels per inch along the stored rows and columns; None if unknown.
    """

    orientation: int = 1
    resolution: tuple[float, float] | None = None


def read(stream: IO[bytes], offset: int | None = None) -> Exif:
    """Read a directory of a TIFF file, which EXIF data is, too.

    Args:
        stream: The file, or EXIF data without the prefix that JPEG files put before it.
        offset: Where the directory begins; None for the first one.

    Returns:
        What the directory says. Whatever is damaged counts as missing.
    """
    try:
        numbers = _numbers(stream, offset)
    except (struct.error, OSError, ValueError, OverflowError):
        return Exif()
    orientation = int(numbers.get(ORIENTATION, 1))
    # Without a unit, EXIF and TIFF mean inches.
    inches = INCHES.get(int(numbers.get(UNIT, 2)))
    across, down = numbers.get(ACROSS, 0.0), numbers.get(DOWN, 0.0)
    known = inches is not None and across > 0 and down > 0
    return Exif(
        orientation if 1 <= orientation <= 8 else 1,
        (across / inches, down / inches) if known and inches is not None else None,
    )


def _numbers(stream: IO[bytes], offset: int | None) -> dict[int, float]:
    """Return the values of the tags that are numbers."""
    stream.seek(0)
    layout = Layout.of(stream.read(4))
    if layout is None:
        return {}
    if offset is None:
        stream.seek(layout.first_pointer)
        (offset,) = _unpack(stream, layout.pointer)
    counter, row = ("Q", "HHQ8s") if layout.big else ("H", "HHI4s")
    stream.seek(offset)
    (entries,) = _unpack(stream, layout.order + counter)
    found: dict[int, float] = {}
    rows = stream.read(struct.calcsize(layout.order + row) * min(entries, MOST_ENTRIES))
    size = stream.seek(0, os.SEEK_END)
    for tag, kind, number, data in struct.iter_unpack(layout.order + row, rows):
        if tag not in (ORIENTATION, ACROSS, DOWN, UNIT) or tag in found or number != 1:
            continue
        if kind == SHORT:
            (found[tag],) = struct.unpack_from(layout.order + "H", data)
        elif kind == LONG:
            (found[tag],) = struct.unpack_from(layout.order + "I", data)
        elif kind == RATIONAL:
            pair = layout.order + "II"
            place = 0 if layout.big else struct.unpack(layout.pointer, data)[0]
            if layout.big:
                above, below = struct.unpack(pair, data)
            elif place + 8 <= size:
                stream.seek(place)
                above, below = _unpack(stream, pair)
            else:
                continue
            found[tag] = above / below if below else 0.0
    return found


def _unpack(stream: IO[bytes], form: str) -> tuple[int, ...]:
    return struct.unpack(form, stream.read(struct.calcsize(form)))
