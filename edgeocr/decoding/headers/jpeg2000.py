"""The header of a JPEG 2000 file, and the structures that OpenJPEG builds to decode it.

A file of a few hundred bytes can ask for gigabytes that no pixel needs: for each of its tiles,
precincts, code blocks and quality layers OpenJPEG allocates a description before it checks whether
the file holds any data for it. The headers of the file and of its tiles, which are read here, state
all of these numbers.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from .header import Header, bytes_per_pixel

# First bytes of a codestream.
CODESTREAM = b"\xff\x4f\xff\x51"
SIZE, STYLE, COMPONENT_STYLE = 0xFF51, 0xFF52, 0xFF53
TILE_PART, DATA, END = 0xFF90, 0xFF93, 0xFFD9
# OpenCV decodes pictures with up to four components.
MOST_COMPONENTS = 4
# The most boxes of a file, and segments of its headers, that are read.
MOST_BOXES, MOST_SEGMENTS = 1_000, 200_000
# Bytes that OpenJPEG 2.5 allocates for a tile, for each component of a tile, for a precinct of a
# band, for a code block with its data, and for a packet of a layer: measured, rounded up.
TILE_BYTES, COMPONENT_BYTES, PRECINCT_BYTES, BLOCK_BYTES, PACKET_BYTES = 12_000, 1_500, 300, 500, 2


@dataclass(frozen=True)
class _Style:
    """How a tile of one component is coded.

    Attributes:
        layers: The number of quality layers.
        block: Logarithms of the width and height of a code block.
        precincts: Logarithms of width and height of the precincts of each resolution, from the
            smallest one.
    """

    layers: int
    block: tuple[int, int]
    precincts: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, layers: int, own_precincts: bool, body: bytes) -> _Style:
        """Return the style that the end of a COD or COC segment describes."""
        levels, across, down = body[0], (body[1] & 15) + 2, (body[2] & 15) + 2
        sizes = body[5 : 6 + levels] if own_precincts else b"\xff" * (levels + 1)
        if levels > 32 or len(sizes) <= levels:
            raise ValueError("a coding style is damaged")
        return cls(layers, (across, down), tuple((size & 15, size >> 4) for size in sizes))

    def bytes_for(self, width: int, height: int, layers: int) -> int:
        """Return what decoding a tile of one component of this size allocates."""
        levels = len(self.precincts) - 1
        total = most_precincts = 0
        for resolution, (across, down) in enumerate(self.precincts):
            shift, bands = levels - resolution, 3 if resolution else 1
            # Sides of the resolution. Precincts and blocks lie on a grid that the tile may cut.
            sides = (width >> shift) + 1, (height >> shift) + 1
            precincts = ((sides[0] >> across) + 2) * ((sides[1] >> down) + 2)
            halved = 1 if resolution else 0
            blocks = 1
            for side, precinct, block in zip(sides, (across, down), self.block, strict=True):
                blocks *= (side >> (min(block, max(0, precinct - halved)) + halved)) + 2
            total += bands * (precincts * PRECINCT_BYTES + blocks * BLOCK_BYTES)
            most_precincts = max(most_precincts, precincts)
        return total + PACKET_BYTES * (layers + 1) * most_precincts * (levels + 1)


def read_jp2(stream: IO[bytes]) -> Header | None:
    """Find the codestream among the boxes of a JP2 file: its size is what will be decoded."""
    at, palette = 0, 0
    for _ in range(MOST_BOXES):
        stream.seek(at)
        start = stream.read(16)
        length, kind = struct.unpack_from(">I4s", start)
        head = 16 if length == 1 else 8
        if kind == b"jp2c":
            stream.seek(at + head)
            return read_codestream(stream, palette)
        if length == 1:
            (length,) = struct.unpack_from(">Q", start, 8)
        if not head <= length < 1 << 48:
            return None
        if kind == b"jp2h":
            stream.seek(at + head)
            palette = max(palette, _palette_channels(stream.read(min(length - head, 1 << 20))))
        at += length
    return None


def read_codestream(stream: IO[bytes], palette: int = 0) -> Header | None:
    """Read the header of a codestream, and those of its tiles.

    Args:
        stream: The file, at the beginning of the codestream.
        palette: The number of channels of a colour palette around it; 0 without one.
    """
    begin = stream.tell()
    start = stream.read(42)
    if not start.startswith(CODESTREAM):
        return None
    right, bottom, left, top, wide, high, tiles_left, tiles_top, components = struct.unpack_from(
        ">8IH", start, 8
    )
    depths = stream.read(3 * components)[::3]
    if max(components, palette) > MOST_COMPONENTS or not wide or not high:
        return None
    # The first tile begins at or before the picture, and reaches into it.
    if not (tiles_left <= left < tiles_left + wide and tiles_top <= top < tiles_top + high):
        return None
    width, height = right - left, bottom - top
    if width < 1 or height < 1:
        return None
    tiles = -(-(right - tiles_left) // wide) * -(-(bottom - tiles_top) // high)
    tile = min(wide, width), min(high, height)
    stream.seek(begin + 2)
    styles = set(_styles(stream))
    layers = max((style.layers for style in styles), default=1)
    coding = max((style.bytes_for(*tile, layers) for style in styles), default=0)
    structures = tiles * (TILE_BYTES + components * COMPONENT_BYTES) + components * coding
    structures += stream.seek(0, os.SEEK_END)  # OpenJPEG copies the data of the tiles
    # OpenJPEG holds every component in 32 bits. A single component may have a colour palette.
    channels = max(components, palette, 3)
    depth = max((bits & 0x7F) + 1 for bits in depths)
    decoding = bytes_per_pixel(channels, depth) + 4 * channels
    return Header(width, height, decoding, structures=structures)


def _styles(stream: IO[bytes]) -> Iterator[_Style]:
    """Yield each different coding style in the header of the codestream and in those of its tiles.

    Raises:
        ValueError: A header is damaged, so that it isn't known what OpenJPEG will find.
        struct.error: The file ends within a header.
    """
    layers, tile_begin, tile_length = 1, 0, 0
    for _ in range(MOST_SEGMENTS):
        at = stream.tell()
        head = stream.read(2)
        if len(head) < 2 or head == END.to_bytes(2, "big"):
            return  # a file that is cut short has no further tiles
        (marker,) = struct.unpack(">H", head)
        if marker == DATA:
            if not tile_length:  # the last tile lasts to the end of the file
                return
            if tile_begin + tile_length < stream.tell():
                raise ValueError("the data of a tile ends before it begins")
            stream.seek(tile_begin + tile_length)
            continue
        (length,) = struct.unpack(">H", stream.read(2))
        body = stream.read(length - 2) if length >= 2 else b""
        if marker < 0xFF00 or length < 2 or len(body) < length - 2:
            raise ValueError("a segment is damaged")
        if marker == TILE_PART:
            tile_begin = at
            (tile_length,) = struct.unpack_from(">2xI", body)
        elif marker == STYLE:
            flags, layers = struct.unpack_from(">BxH", body)
            yield _Style.of(layers, bool(flags & 1), body[5:])
        elif marker == COMPONENT_STYLE:  # with up to 256 components, the number has one byte
            yield _Style.of(layers, bool(body[1] & 1), body[2:])
    raise ValueError("the headers have too many segments")


def _palette_channels(boxes: bytes) -> int:
    """Return the most channels of a palette among the boxes of a JP2 header; 0 without one."""
    at = most = 0
    while at + 8 <= len(boxes):
        length, kind = struct.unpack_from(">I4s", boxes, at)
        if kind == b"pclr":
            most = max(most, boxes[at + 10])
        if length < 8:
            break
        at += length
    return most
