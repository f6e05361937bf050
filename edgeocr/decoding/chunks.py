"""The parts of PNG and WebP files that OpenCV leaves to the caller."""

from __future__ import annotations

import struct
from collections.abc import Iterator

PNG = b"\x89PNG\r\n\x1a\n"


def is_webp(content: bytes | bytearray) -> bool:
    """Tell whether a file's first 12 bytes are those of a WebP file."""
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP"


def chunks(content: bytes | memoryview, *, start: int = 12) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the kind and the body of each chunk of a PNG or RIFF file, up to a damaged one.

    Args:
        content: The file, or the body of a RIFF chunk that holds others.
        start: Where the chunks of a RIFF file begin.
    """
    content = memoryview(content)
    png = content[:8] == PNG
    start = 8 if png else start
    while start + 8 <= len(content):
        first, second = bytes(content[start : start + 4]), bytes(content[start + 4 : start + 8])
        kind, size = (second, first) if png else (first, second)
        length = int.from_bytes(size, "big" if png else "little")
        yield kind, content[start + 8 : start + 8 + length]
        # RIFF pads bodies to an even length, and PNG appends a CRC.
        start += 8 + length + (4 if png else length & 1)


def exif_orientation(content: bytes) -> int:
    """Return the orientation in the EXIF data of a PNG or WebP file, or 1 without one."""
    if content[:8] == PNG:
        tiff = _first(content, b"eXIf")
    elif is_webp(content):
        tiff = _first(content, b"EXIF").removeprefix(b"Exif\0\0")
    else:
        return 1
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, directory)
        for i in range(entries):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, directory + 2 + 12 * i)
            if (tag, kind) == (0x0112, 3):
                return int(value)
    except struct.error:  # a truncated directory counts as no orientation
        pass
    return 1


def transparent_grey(content: bytes) -> int | None:
    """Return the decoded value of the transparent grey of a PNG file without colour, or None.

    OpenCV decodes such a file to one channel and ignores its transparency.
    """
    if content[:8] != PNG or content[12:16] != b"IHDR" or content[25:26] != b"\0":
        return None
    key = _first(content, b"tRNS", before=b"IDAT")[:2]
    if len(key) < 2:
        return None
    depth = content[24]
    # Values of fewer than eight bits are spread over the whole range, and unused bits are ignored.
    level = int.from_bytes(key, "big") & ((1 << min(depth, 16)) - 1)
    return level * 255 // ((1 << depth) - 1) if depth < 8 else level


def _first(content: bytes, wanted: bytes, before: bytes | None = None) -> bytes:
    """Return the body of the first chunk of a kind, or nothing if the file lacks it."""
    for kind, body in chunks(content):
        if kind == wanted:
            return bytes(body)
        if kind == before:
            break
    return b""
