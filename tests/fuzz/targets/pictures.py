"""Image files of every kind that is understood."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image, features

from edgeocr import images
from edgeocr.decoding.headers import reader

# More pixels than this are left to the limits that callers set: decoding them is slow, not wrong.
MOST_PIXELS = 1 << 21


def seeds() -> list[bytes]:
    """Encode a small picture in all kinds, depths and compressions."""
    values = np.random.default_rng(0).integers(0, 256, (9, 13, 4), np.uint8)
    rgba = Image.fromarray(values, "RGBA")
    rgb, grey = rgba.convert("RGB"), rgba.convert("L")
    deep = Image.fromarray(values[..., 0].astype(np.uint16) * 257)
    wanted: list[tuple[Image.Image, str, dict[str, object]]] = [
        (rgb, "JPEG", {}), (grey, "JPEG", {}), (rgb, "JPEG", {"progressive": True}),
        (rgba, "PNG", {}), (grey, "PNG", {}), (deep, "PNG", {}), (rgb.convert("P"), "PNG", {}),
        (rgb, "BMP", {}), (grey, "BMP", {}), (rgb.convert("P"), "GIF", {}), (rgb, "PPM", {}),
        (grey, "PPM", {}), (rgb, "TIFF", {}), (deep, "TIFF", {}),
        (rgb, "TIFF", {"compression": "tiff_lzw"}), (grey, "TIFF", {"compression": "packbits"}),
        (grey.convert("1"), "TIFF", {"compression": "group4"}), (rgb, "WEBP", {}),
        (rgba, "WEBP", {"lossless": True}),
        (rgb, "GIF", {"save_all": True, "append_images": [grey], "loop": 0}),
        (rgb, "TIFF", {"save_all": True, "append_images": [grey]}),
    ]  # fmt: skip
    if features.check("jpg_2000"):
        wanted.append((rgb, "JPEG2000", {}))
    found = []
    for picture, kind, options in wanted:
        stream = io.BytesIO()
        picture.save(stream, kind, **options)
        found.append(stream.getvalue())
    return found


def repaired(content: bytes) -> bytes:
    """Write the right checksums into a PNG file, so that changed chunks are read."""
    if not content.startswith(b"\x89PNG"):
        return content
    changed, at = bytearray(content), 8
    while at + 12 <= len(changed):
        (size,) = struct.unpack_from(">I", changed, at)
        end = at + 8 + size
        if end + 4 > len(changed):
            break
        struct.pack_into(">I", changed, end, zlib.crc32(changed[at + 4 : end]))
        at = end + 4
    return bytes(changed)


def read(content: bytes) -> None:
    """Load a picture, unless its header states many pixels."""
    content = repaired(content)
    header = reader.read(io.BytesIO(content))
    if header is not None and header.width * header.height > MOST_PIXELS:
        return
    picture = images.load(content)
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
