"""Small image files that ask a decoder for much memory, or state something other than they hold."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping, Sequence

import PIL.Image


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG file with its length and checksum."""
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def png(width: int, height: int, data: bytes | None = None) -> bytes:
    """Return a PNG file of one bit per pixel, all black unless its compressed data is given."""
    if data is None:
        packer = zlib.compressobj(9)
        row = bytes(-(-width // 8) + 1)
        data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def gif(width: int, height: int) -> bytes:
    """Return a GIF file with a canvas of a size, on which a frame of one pixel is drawn."""
    canvas = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(3) + b"\xff" * 3
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x4c\x01\0"
    return canvas + frame + b";"


def jpeg(width: int, height: int, *, mode: str = "L", progressive: bool = False) -> bytes:
    """Return a grey or coloured JPEG file of one colour."""
    stream = io.BytesIO()
    PIL.Image.new(mode, (width, height)).save(stream, "JPEG", progressive=progressive)
    return stream.getvalue()


def jpeg_with_a_scan_per_component(width: int, height: int) -> bytes:
    """Return a baseline JPEG file of three components, whose scans hold one component each."""
    grey = jpeg(width, height)
    at, tables, frame, scan = 2, b"", b"", b""
    while not scan:
        kind, (length,) = grey[at + 1], struct.unpack_from(">H", grey, at + 2)
        if kind in (0xDB, 0xC4):
            tables += grey[at : at + 2 + length]
        elif kind == 0xC0:
            frame = grey[at + 4 : at + 9]
        elif kind == 0xDA:
            scan = grey[at + 2 + length : -2]
        at += 2 + length
    components = b"".join(bytes([i, 0x11, 0]) for i in (1, 2, 3))
    head = b"\xff\xc0" + struct.pack(">H", 17) + frame + b"\x03" + components
    scans = [b"\xff\xda\0\x08\x01" + bytes([i, 0]) + b"\0\x3f\0" + scan for i in (1, 2, 3)]
    return b"\xff\xd8" + tables + head + b"".join(scans) + b"\xff\xd9"


def jpeg2000(
    size: tuple[int, int],
    tile: tuple[int, int] | None = None,
    *,
    components: int = 3,
    block: tuple[int, int] = (6, 6),
    precinct: int | None = None,
    layers: int = 1,
    of_tile: bool = False,
) -> bytes:
    """Return a JPEG 2000 codestream whose data are zeros: packets that hold nothing.

    Args:
        size: Width and height.
        tile: Width and height of a tile; by default those of the picture.
        components: The number of components of 8 bits.
        block: Logarithms of the sides of a code block.
        precinct: Logarithm of the sides of a precinct.
        layers: The number of quality layers.
        of_tile: Whether the tile states all this, while the main header states ordinary numbers.
    """
    wide, high = tile or size
    described = struct.pack(">HIIIIIIIIH", 0, *size, 0, 0, wide, high, 0, 0, components)
    described += b"\x07\x01\x01" * components
    levels = 5
    plain = struct.pack(">BBHB5B", 0, 0, 1, 0, levels, 4, 4, 0, 1)
    style = struct.pack(">BBHB", precinct is not None, 0, layers, 0)
    style += bytes([levels, block[0] - 2, block[1] - 2, 0, 1])
    if precinct is not None:
        style += bytes([precinct << 4 | precinct]) * (levels + 1)
    quantized = b"\x40" * (3 * levels + 2)

    def segment(marker: int, body: bytes) -> bytes:
        return struct.pack(">HH", marker, len(body) + 2) + body

    inner = segment(0xFF52, style) if of_tile else b""
    main = segment(0xFF51, described) + segment(0xFF52, plain if of_tile else style)
    main += segment(0xFF5C, quantized)
    data = bytes(4000)
    length = 12 + len(inner) + 2 + len(data)
    part = segment(0xFF90, struct.pack(">HIBB", 0, length, 0, 1)) + inner + b"\xff\x93" + data
    return b"\xff\x4f" + main + part + b"\xff\xd9"


def tiff(tags: Mapping[int, int | Sequence[int]], data: bytes) -> bytes:
    """Return a little-endian TIFF file with one directory of 32-bit numbers.

    Args:
        tags: The values of each tag; where the value is -1, the offset of the data.
        data: The pixels.
    """
    rows, beyond = b"", b""
    after = 8 + 2 + 12 * len(tags) + 4
    place = after + sum(4 * len(each) for each in tags.values() if not isinstance(each, int))
    for tag, value in sorted(tags.items()):
        numbers = [value] if isinstance(value, int) else list(value)
        packed = struct.pack(f"<{len(numbers)}I", *(place if n == -1 else n for n in numbers))
        if isinstance(value, int):
            rows += struct.pack("<HHI", tag, 4, 1) + packed
        else:
            rows += struct.pack("<HHII", tag, 4, len(numbers), after + len(beyond))
            beyond += packed
    head = b"II*\0" + struct.pack("<IH", 8, len(tags))
    return head + rows + bytes(4) + beyond + data


def tiled_tiff(width: int, height: int, tile: int) -> bytes:
    """Return a grey TIFF file with one square tile, which may be much larger than the picture."""
    data = zlib.compress(bytes(tile * tile), 9)
    shape = {256: width, 257: height, 258: 8, 259: 8, 262: 1, 277: 1, 322: tile, 323: tile}
    return tiff(shape | {324: -1, 325: len(data)}, data)
