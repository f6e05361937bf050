"""JPEG files as PDF holds them: byte for byte, with what a reader has to know about them."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from ...decoding.headers.jpeg import BARE, END, FRAMES, MOST_SEGMENTS, SCAN
from . import exif
from .embedded import Embedded

START = b"\xff\xd8"
APP0, APP1, APP14 = 0xE0, 0xE1, 0xEE
SPACES = {1: "/DeviceGray", 3: "/DeviceRGB", 4: "/DeviceCMYK"}
# Units of JFIF's density, in inches.
INCHES = {1: 1.0, 2: 1 / 2.54}


def embed(content: bytes) -> Embedded | None:
    """Describe a JPEG file.

    Args:
        content: The file.

    Returns:
        The picture; None if PDF can't hold it as it is: its samples have 12 bits, or it has neither
        1, 3 nor 4 channels, or it is damaged.
    """
    frame, adobe, jfif, found = None, None, None, exif.Exif()
    try:
        for marker, body in _segments(content):
            if marker in FRAMES and frame is None:
                frame = (*struct.unpack_from(">BHHB", body), body[6:])
            elif marker == APP14 and body[:5] == b"Adobe" and len(body) >= 12:
                adobe = body[11]
            elif marker == APP0 and body[:5] == b"JFIF\0":
                jfif = struct.unpack_from(">BHH", body, 7)
            elif marker == APP1 and body[:6] == b"Exif\0\0":
                found = exif.read(io.BytesIO(body[6:]))
    except (struct.error, IndexError, ValueError):
        return None
    if frame is None:
        return None
    depth, height, width, channels, components = frame
    if depth != 8 or channels not in SPACES or not width or not height:
        return None
    resolution = found.resolution
    if resolution is None and jfif is not None and jfif[0] in INCHES and min(jfif[1:]) > 0:
        unit = INCHES[jfif[0]]
        resolution = (jfif[1] / unit, jfif[2] / unit)
    entries: dict[str, object] = {"ColorSpace": SPACES[channels], "BitsPerComponent": 8}
    entries["Filter"] = "/DCTDecode"
    if channels == 4:  # the file stores how much of each ink is missing, as OpenCV assumes, too
        entries["Decode"] = [1, 0] * 4
    elif channels == 3 and adobe is None and jfif is None and components[::3] == b"RGB":
        entries["DecodeParms"] = {"ColorTransform": 0}
    return Embedded(content, width, height, entries, found.orientation, resolution)


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the marker and the body of each segment before the first scan."""
    place = 2
    for _ in range(MOST_SEGMENTS):
        place = content.index(0xFF, place)
        while content[place] == 0xFF:
            place += 1
        marker = content[place]
        place += 1
        if marker in (SCAN, END):
            return
        if marker in BARE or not marker:
            continue
        (length,) = struct.unpack_from(">H", content, place)
        yield marker, content[place + 2 : place + length]
        place += max(2, length)
