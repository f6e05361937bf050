"""Read the header of an image file of any kind that OpenCV decodes.

A header must never say less than the decoder will take: where a file can be understood in two ways,
or in a way that isn't known here, it has no header, and the file is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import IO

from .. import tiff
from . import avif, jpeg, jpeg2000, netpbm, tiff_page
from .header import Header, bytes_per_pixel

# The most chunks of a PNG file that are looked at. Many programs write chunks of 8 KB, of which so
# many make 8 GB.
MOST_CHUNKS = 1_000_000


def read(stream: IO[bytes]) -> Header | None:
    """Read the header of an image file.

    Most files are read only at their beginning; PNG files are read at the head of each chunk, and
    JPEG 2000 files at the header of each tile.

    Args:
        stream: An open binary file that can seek, at its beginning.

    Returns:
        The header of an AVIF, BMP, GIF, JPEG, JPEG 2000, PAM, PNG, PNM, Sun raster, TIFF or WebP
        file; None for other files and for damaged headers.
    """
    start = stream.read(32)
    for magic, parser in PARSERS.items():
        if start.startswith(magic):
            stream.seek(0)
            try:
                header = parser(stream)
            except (struct.error, ValueError, LookupError, ArithmeticError):
                return None
            return header if header and header.width > 0 and header.height > 0 else None
    return None


def read_page(stream: IO[bytes], offset: int) -> Header | None:
    """Read the header of the page of a TIFF file whose directory begins at an offset."""
    header = tiff_page.read(stream, offset)
    return header if header and header.width > 0 and header.height > 0 else None


def _png(stream: IO[bytes]) -> Header | None:
    width, height, depth, colour = struct.unpack(">16xIIBB7x", stream.read(33))
    channels = {0: 1, 2: 3, 3: 3, 4: 4, 6: 4}[colour]
    largest = 0
    for _ in range(MOST_CHUNKS):
        head = stream.read(8)
        length, kind = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"IEND")
        # OpenCV allocates each chunk by its stated length before it reads it.
        largest = max(largest, length)
        if kind == b"IEND":
            decoding = bytes_per_pixel(channels, depth)
            return Header(width, height, decoding, structures=largest)
        if kind in (b"tRNS", b"acTL"):  # OpenCV composes an animation with transparency
            channels = 4
        stream.seek(length + 4, 1)
    return None


def _webp(stream: IO[bytes]) -> Header | None:
    start = stream.read(30)
    if start[8:12] != b"WEBP":
        return None
    kind, body = start[12:16], start[20:]
    blended = bytes_per_pixel(4, 8)
    if kind == b"VP8X":
        width = 1 + int.from_bytes(body[4:7], "little")
        height = 1 + int.from_bytes(body[7:10], "little")
        # Transparent pictures and animations.
        return Header(width, height, blended if body[0] & 0x12 else 8)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", body, 6)
        return Header(width & 0x3FFF, height & 0x3FFF, 8)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", body, 1)
        size = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        return Header(*size, blended if bits >> 28 & 1 else 8)
    return None


def _bmp(stream: IO[bytes]) -> Header:
    start = stream.read(26)
    (size,) = struct.unpack_from("<I", start, 14)
    if size == 12:  # OS/2
        width, height = struct.unpack_from("<HH", start, 18)
    else:
        width, height = struct.unpack_from("<ii", start, 18)
    return Header(width, abs(height), 6)


def _gif(stream: IO[bytes]) -> Header:
    width, height = struct.unpack("<HH", stream.read(10)[6:])
    return Header(width, height, bytes_per_pixel(4, 8))


def _sun(stream: IO[bytes]) -> Header:
    width, height = struct.unpack(">4xII", stream.read(12))
    return Header(width, height, bytes_per_pixel(4, 8))


PARSERS: dict[bytes, Callable[[IO[bytes]], Header | None]] = {
    b"\xff\xd8": jpeg.read,
    b"\x89PNG\r\n\x1a\n": _png,
    b"RIFF": _webp,
    b"BM": _bmp,
    b"GIF8": _gif,
    **dict.fromkeys(tiff.MAGIC, tiff_page.read),
    b"\0\0\0\x0cjP  ": jpeg2000.read_jp2,
    jpeg2000.CODESTREAM: jpeg2000.read_codestream,
    **{f"P{kind}".encode(): netpbm.read_pnm for kind in range(1, 7)},
    b"P7\n": netpbm.read_pam,
    b"\x59\xa6\x6a\x95": _sun,
    b"\0\0\0": avif.read,
}
