"""Read the size of a picture, and the memory that decoding takes, from its file's header."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from ..decoding import tiff

# JPEG markers: those without a length, frame headers, and frame headers of progressive files.
BARE = frozenset({0x01, *range(0xD0, 0xD9)})
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
TIFF_TAGS = (tiff.WIDTH, tiff.HEIGHT, tiff.BITS, tiff.SAMPLES)
# PNM headers hold width, height and, except in bitmaps, the largest value, with comments between.
_GAP = rb"(?:\s|#[^\n]*\n)+"
_SIDES = _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})"
PNM = re.compile(rb"P(?:[2356]" + _SIDES + _GAP + rb"(\d{1,9})\s|[14]" + _SIDES + rb"\s)")
# Bytes per pixel that decoding and converting to BGR hold at the worst moment, by bytes per sample
# and channels: measured with OpenCV 5 and NumPy 2.4, plus a tenth where `images` computes on the
# pixels. OpenCV copies each picture for Python, so there are two of it. Pictures with transparency
# take less now that they are blended by rows; their figures have room for choosing the ground.
SAMPLES = {(1, 1): 4, (1, 2): 27, (1, 3): 6, (1, 4): 27, (2, 1): 11, (2, 2): 44, (2, 3): 33}
MOST = 44
# First bytes of a JPEG 2000 codestream.
CODESTREAM = b"\xff\x4f\xff\x51"


@dataclass(frozen=True)
class Header:
    """What the header of an image file tells, before an EXIF orientation is applied.

    Attributes:
        width: Width in pixels.
        height: Height in pixels.
        decoding: Bytes per pixel that `images.load` holds at the worst moment, including the result
            but not the file's content.
        reducible: Whether the picture can be decoded at 1/2, 1/4 or 1/8 of its sides.
    """

    width: int
    height: int
    decoding: int
    reducible: bool = False


def read(stream: IO[bytes]) -> Header | None:
    """Read the header of an image file, and nothing else of it.

    Args:
        stream: An open binary file that can seek, at its beginning.

    Returns:
        The header of a BMP, GIF, JPEG, JPEG 2000, PNG, PNM, TIFF or WebP file; None for other files
        and for damaged headers.
    """
    start = stream.read(32)
    for magic, parser in PARSERS.items():
        if start.startswith(magic):
            stream.seek(0)
            try:
                header = parser(stream)
            except (struct.error, ValueError, KeyError, IndexError):
                return None
            return header if header and header.width > 0 and header.height > 0 else None
    return None


def _jpeg(stream: IO[bytes]) -> Header | None:
    stream.seek(2)
    while True:
        while (byte := stream.read(1)) not in (b"\xff", b""):
            pass  # skip bytes between segments
        while (byte := stream.read(1)) == b"\xff":
            pass
        # The file or the picture ends, or its pixels begin, without a frame header.
        if not byte or byte[0] in (0xD9, 0xDA):
            return None
        if byte[0] in BARE or not byte[0]:
            continue
        (length,) = struct.unpack(">H", stream.read(2))
        if byte[0] in FRAMES:
            _, height, width, components = struct.unpack(">BHHB", stream.read(6))
            # A progressive file is decoded from all its coefficients, 16 bits each.
            held = 3 + 2 * components if byte[0] in PROGRESSIVE else 0
            return Header(width, height, max(6, held), reducible=not held)
        stream.seek(length - 2, 1)


def _png(stream: IO[bytes]) -> Header:
    width, height, depth, colour = struct.unpack(">16xIIBB7x", stream.read(33))
    channels = {0: 1, 2: 3, 3: 3, 4: 4, 6: 4}[colour]
    while True:  # a transparent colour is stored before the pixels
        head = stream.read(8)
        length, kind = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"IDAT")
        if kind == b"IDAT":
            return Header(width, height, _bytes(channels, depth))
        if kind == b"tRNS":
            channels = 4
        stream.seek(length + 4, 1)


def _webp(stream: IO[bytes]) -> Header | None:
    start = stream.read(30)
    if start[8:12] != b"WEBP":
        return None
    kind, body = start[12:16], start[20:]
    if kind == b"VP8X":
        width = 1 + int.from_bytes(body[4:7], "little")
        height = 1 + int.from_bytes(body[7:10], "little")
        return Header(width, height, _bytes(4, 8) if body[0] & 0x10 else 8)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", body, 6)
        return Header(width & 0x3FFF, height & 0x3FFF, 8)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", body, 1)
        alpha = bits >> 28 & 1
        return Header(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), _bytes(4, 8) if alpha else 8)
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
    return Header(width, height, _bytes(4, 8))


def _tiff(stream: IO[bytes]) -> Header | None:
    return read_page(stream)


def read_page(stream: IO[bytes], offset: int | None = None) -> Header | None:
    """Read the header of a page of a TIFF file.

    Args:
        stream: The file, at its beginning.
        offset: Where the page's directory begins; by default that of the first page.

    Returns:
        The header, or None where it is damaged.
    """
    layout = tiff.Layout.of(stream.read(4))
    if layout is None:
        return None
    if offset is None:
        offset = tiff.first_directory(stream, layout)
    try:
        directory = tiff.read_directory(stream, layout, offset, TIFF_TAGS)
    except tiff.DirectoryError:
        return None
    width, height = directory.value(tiff.WIDTH), directory.value(tiff.HEIGHT)
    # All samples have the same number of bits.
    depth, channels = directory.value(tiff.BITS, 1), directory.value(tiff.SAMPLES, 1)
    if width < 1 or height < 1:
        return None
    # libtiff decodes many kinds to RGBA first, by strips or tiles, one of which may be the picture.
    # Between other pictures this takes up to 13 bytes per pixel of RGB, alone 10.
    return Header(width, height, _bytes(max(channels, 3), depth) + 7)


def _pnm(stream: IO[bytes]) -> Header | None:
    match = PNM.match(stream.read(65536))
    if match is None:
        return None
    width, height = int(match[1] or match[4]), int(match[2] or match[5])
    return Header(width, height, _bytes(3, 16 if int(match[3] or 1) > 255 else 8))


def _jp2(stream: IO[bytes]) -> Header | None:
    """Find the codestream among the boxes of a JP2 file: its size is what will be decoded."""
    at = 0
    while True:
        stream.seek(at)
        start = stream.read(16)
        length, kind = struct.unpack_from(">I4s", start)
        long = length == 1
        if kind == b"jp2c":
            stream.seek(at + (16 if long else 8))
            return _codestream(stream)
        if long:
            (length,) = struct.unpack_from(">Q", start, 8)
        if not 8 <= length < 1 << 48:
            return None
        at += length


def _codestream(stream: IO[bytes]) -> Header | None:
    start = stream.read(42)
    if not start.startswith(CODESTREAM):
        return None
    right, bottom, left, top, channels = struct.unpack_from(">4I16xH", start, 8)
    depths = stream.read(3 * channels)[::3]
    # OpenJPEG holds every component in 32 bits. A single component may have a colour palette.
    channels = max(channels, 3)
    depth = max((bits & 0x7F) + 1 for bits in depths)
    return Header(right - left, bottom - top, _bytes(channels, depth) + 4 * channels)


def _bytes(channels: int, depth: int) -> int:
    return SAMPLES.get((1 if depth <= 8 else 2, channels), MOST)


PARSERS: dict[bytes, Callable[[IO[bytes]], Header | None]] = {
    b"\xff\xd8": _jpeg,
    b"\x89PNG\r\n\x1a\n": _png,
    b"RIFF": _webp,
    b"BM": _bmp,
    b"GIF8": _gif,
    **dict.fromkeys(tiff.MAGIC, _tiff),
    b"\0\0\0\x0cjP  ": _jp2,
    CODESTREAM: _codestream,
    **{f"P{kind}".encode(): _pnm for kind in range(1, 7)},
}
