"""The headers of PNM and PAM files, read as OpenCV reads them."""

from __future__ import annotations

import re
from typing import IO

from .header import Header, bytes_per_pixel

# Numbers are separated by white space and comments. To OpenCV a comment ends at a line feed or at a
# carriage return, and a `#` directly after a number begins none. So there is always a space first.
_GAP = rb"\s(?:\s|#[^\r\n]*[\r\n])*"
_SIDES = _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})"
# Width, height and, except in bitmaps, the largest value.
PNM = re.compile(rb"P(?:[2356]" + _SIDES + _GAP + rb"(\d{1,9})\s|[14]" + _SIDES + rb"\s)")
# Each field of a PAM file stands in a line of its own.
PAM_HEADER = re.compile(rb"P7\n((?:[^\n]*\n){1,64}?)ENDHDR\n")
PAM_FIELD = re.compile(rb"(WIDTH|HEIGHT|DEPTH|MAXVAL) (\d{1,9})|TUPLTYPE [A-Z_]+|#.*")
# The most bytes of a header that are looked at.
MOST_BYTES = 65536
MOST_CHANNELS = 4


def read_pnm(stream: IO[bytes]) -> Header | None:
    """Read the header of a PBM, PGM or PPM file."""
    match = PNM.match(stream.read(MOST_BYTES))
    if match is None:
        return None
    width, height = int(match[1] or match[4]), int(match[2] or match[5])
    return Header(width, height, bytes_per_pixel(3, 16 if int(match[3] or 1) > 255 else 8))


def read_pam(stream: IO[bytes]) -> Header | None:
    """Read the header of a PAM file; None unless it has each number exactly once."""
    match = PAM_HEADER.match(stream.read(MOST_BYTES))
    if match is None:
        return None
    fields: dict[bytes, int] = {}
    for line in match[1].splitlines():
        field = PAM_FIELD.fullmatch(line)
        if field is None or field[1] in fields:
            return None
        if field[1]:
            fields[field[1]] = int(field[2])
    channels = fields[b"DEPTH"]
    if not 1 <= channels <= MOST_CHANNELS:
        return None
    depth = 16 if fields[b"MAXVAL"] > 255 else 8
    decoding = bytes_per_pixel(max(channels, 3), depth)
    return Header(fields[b"WIDTH"], fields[b"HEIGHT"], decoding)
