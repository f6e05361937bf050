"""The header of a page of a TIFF file."""

from __future__ import annotations

import math
from typing import IO

from .. import tiff
from .header import Header, bytes_per_pixel

TAGS = (
    tiff.WIDTH,
    tiff.HEIGHT,
    tiff.BITS,
    tiff.SAMPLES,
    tiff.COMPRESSION,
    tiff.TILE_WIDTH,
    tiff.TILE_HEIGHT,
)
# Compressions whose decoders in libtiff take little memory beside the pixels: none, CCITT (three
# kinds), LZW, JPEG, Deflate (under two numbers), PackBits.
PREDICTABLE = frozenset({1, 2, 3, 4, 5, 7, 8, 32946, 32773})
JPEG = 7
# Bytes per pixel that libtiff takes beside the pixels: it decodes many kinds to RGBA first, by
# strips or tiles, one of which may be the whole picture. Measured for RGB, pixels included: up to
# 13 bytes per pixel if other pictures are decoded before and after, 10 otherwise.
BESIDE = 7
# OpenCV decodes pictures with up to four samples per pixel of up to 64 bits.
MOST_SAMPLES, MOST_BITS = 4, 64


def read(stream: IO[bytes], offset: int | None = None) -> Header | None:
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
        directory = tiff.read_directory(stream, layout, offset, TAGS)
    except tiff.DirectoryError:
        return None
    width, height = directory.value(tiff.WIDTH), directory.value(tiff.HEIGHT)
    # All samples have the same number of bits.
    depth, channels = directory.value(tiff.BITS, 1), directory.value(tiff.SAMPLES, 1)
    if channels > MOST_SAMPLES or depth > MOST_BITS:
        return None
    compression = directory.value(tiff.COMPRESSION, 1)
    decoding: int | None = None
    if compression in PREDICTABLE:
        decoding = bytes_per_pixel(max(channels, 3), depth) + BESIDE
        if compression == JPEG:  # libjpeg may keep all coefficients, 16 bits each
            decoding += 2 * channels
    tile = directory.value(tiff.TILE_WIDTH), directory.value(tiff.TILE_HEIGHT)
    if not any(tile):
        return Header(width, height, decoding)
    # libtiff decodes a tile wholly, also where most of it lies beside the picture.
    outside = max(0, math.prod(tile) - width * height)
    structures = outside * (2 * math.ceil(channels * depth / 8) + BESIDE)
    return Header(width, height, decoding, tile=tile, structures=structures)
