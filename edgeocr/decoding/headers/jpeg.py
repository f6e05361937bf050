"""The header of a JPEG file, up to its first scan."""

from __future__ import annotations

import struct
from typing import IO

from .header import Header

# Markers without a length, frame headers, and the frame headers of plain (sequential) files.
BARE = frozenset({0x01, *range(0xD0, 0xD9)})
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
SEQUENTIAL = frozenset({0xC0, 0xC1, 0xC9})
SCAN, END = 0xDA, 0xD9
# The most segments before the first scan, and bytes between them, that are looked at. A colour
# profile of 16 MB has 256 segments; hostile files have millions, which would take minutes.
MOST_SEGMENTS = 10_000
MOST_GAPS = 1 << 16
# Bytes of a block of 8 × 8 coefficients of 16 bits.
BLOCK_BYTES = 128


def read(stream: IO[bytes]) -> Header | None:
    """Read the header of a JPEG file, or return None if it is damaged."""
    stream.seek(2)
    frame: tuple[int, bytes] | None = None
    gaps = MOST_GAPS
    for _ in range(MOST_SEGMENTS):
        while (byte := stream.read(1)) not in (b"\xff", b"") and gaps:
            gaps -= 1  # skip bytes between segments
        while (byte := stream.read(1)) == b"\xff":
            pass
        # The file or the picture ends without a scan.
        if not byte or not gaps or byte[0] == END:
            return None
        if byte[0] in BARE or not byte[0]:
            continue
        (length,) = struct.unpack(">H", stream.read(2))
        if byte[0] == SCAN:
            return _header(*frame, stream.read(1)[0]) if frame is not None else None
        if byte[0] in FRAMES and frame is None:  # libjpeg refuses a second one
            frame = byte[0], stream.read(length - 2)
        else:
            stream.seek(max(0, length - 2), 1)
    return None


def _header(kind: int, frame: bytes, components_in_scan: int) -> Header:
    """Return the header of a picture.

    Args:
        kind: The marker of the frame header.
        frame: The frame header without its length.
        components_in_scan: The number of components in the first scan.
    """
    _, height, width, components = struct.unpack_from(">BHHB", frame)
    # A file with several scans is decoded from all its coefficients, which libjpeg keeps: every
    # progressive one, and plain ones with scans of single components.
    if kind in SEQUENTIAL and components_in_scan >= components:
        return Header(width, height, 6, reducible=True)
    factors = [divmod(frame[7 + 3 * i], 16) for i in range(components)]
    most_across, most_down = (max(each) for each in zip(*factors, strict=True))
    blocks = 0
    for across, down in factors:
        # Rows and columns of blocks are padded to whole units of the scan.
        columns = -(-width // (8 * most_across)) * across
        rows = -(-height // (8 * most_down)) * down
        blocks += columns * rows
    kept = -(-blocks * BLOCK_BYTES // max(1, width * height))
    return Header(width, height, max(6, 3 + kept))
