"""PNG files as PDF holds them: their compressed rows are those of PDF's FlateDecode."""

from __future__ import annotations

import io
import struct

from ...decoding.chunks import PNG, chunks
from . import exif
from .embedded import Embedded

GREY, COLOUR, PALETTE = 0, 2, 3
CHANNELS = {GREY: 1, COLOUR: 3, PALETTE: 1}
METRE = 1
INCH_IN_METRES = 0.0254
# The number of PDF's predictor that stands for those of PNG.
PREDICTOR = 15


def embed(content: bytes) -> Embedded | None:
    """Describe a PNG file.

    Args:
        content: The file.

    Returns:
        The picture; None if its rows are not those of PDF: it is interlaced, transparent or
        damaged.
    """
    header, palette, found = b"", b"", exif.Exif()
    rows: list[memoryview] = []
    for kind, body in chunks(content):
        if kind == b"IHDR":
            header = bytes(body)
        elif kind == b"PLTE":
            palette = bytes(body)
        elif kind == b"IDAT":
            rows.append(body)
        elif kind in (b"tRNS", b"acTL"):
            return None
        elif kind == b"eXIf":
            found = exif.read(io.BytesIO(body))
    if len(header) != 13:
        return None
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if colour not in CHANNELS or interlaced or not rows or (colour == PALETTE and not palette):
        return None
    space: object = {GREY: "/DeviceGray", COLOUR: "/DeviceRGB"}.get(colour)
    if colour == PALETTE:
        space = ["/Indexed", "/DeviceRGB", len(palette) // 3 - 1, palette]
    entries = {
        "ColorSpace": space,
        "BitsPerComponent": depth,
        "Filter": "/FlateDecode",
        "DecodeParms": {
            "Predictor": PREDICTOR,
            "Colors": CHANNELS[colour],
            "BitsPerComponent": depth,
            "Columns": width,
        },
    }
    resolution = resolution_of(content) or found.resolution
    return Embedded(b"".join(rows), width, height, entries, found.orientation, resolution)


def resolution_of(content: bytes) -> tuple[float, float] | None:
    """Return the pixels per inch across and down a PNG file, or None if it doesn't say them."""
    for kind, body in chunks(content) if content.startswith(PNG) else ():
        if kind == b"pHYs" and len(body) == 9:
            across, down, unit = struct.unpack(">IIB", body)
            if unit == METRE and across and down:
                return across * INCH_IN_METRES, down * INCH_IN_METRES
    return None
