"""The pictures of an animation (GIF, WebP, PNG), one after the other.

Each file holds rectangles that change the picture before them. A rectangle is cut out as an image
file of its own, which OpenCV decodes, and is drawn onto the canvas here. So only one picture is in
memory at a time, and animations can be read with versions of OpenCV that don't support them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import ImageError
from .chunks import PNG, chunks, is_webp
from .files import decode
from .limits import DEFAULT_LIMITS, Limits
from .transparency import bands

Image = NDArray[np.uint8]
Piece: TypeAlias = "bytes | bytearray | memoryview"
Disposal = Literal["keep", "clear", "restore"]
# OpenCV's own limit for the pixels of a picture, which holds where the caller sets none.
MOST_PIXELS = 1 << 30
# Chunks of a PNG file that are smaller than this are joined: hostile files have millions of them,
# each of which would take more memory than its content.
SMALL_CHUNK = 4096
# The most memory that composing frames takes, in bytes per pixel of the canvas: for the canvas, two
# copies of a rectangle that OpenCV makes, the picture that is compared, the next one, and three
# pictures that are being read or wait to be read.
CANVAS_BYTES = 32
# Two pictures count as the same if no channel differs by more than this, out of 255: the noise of
# lossy compression and of dithering stays below it, the change that a letter makes does not.
NOISE = 32


@dataclass(frozen=True)
class Part:
    """A rectangle that an animation draws.

    Attributes:
        pieces: An image file that holds the rectangle alone, in pieces.
        left: The first column of the canvas that it is drawn on.
        top: The first row of the canvas that it is drawn on.
        blended: Whether the picture before shines through transparent pixels.
        disposal: What becomes of the rectangle before the next one is drawn.
        aside: Whether it is a picture of its own, beside the animation.
    """

    pieces: tuple[Piece, ...]
    left: int = 0
    top: int = 0
    blended: bool = True
    disposal: Disposal = "keep"
    aside: bool = False


@dataclass(frozen=True)
class Animation:
    """An animation, whose parts have been found but not decoded.

    Attributes:
        width: Width of the canvas in pixels.
        height: Height of the canvas in pixels.
        parts: What is drawn, in order, up to the most parts that were asked for.
        count: How many parts the file has.
    """

    width: int
    height: int
    parts: tuple[Part, ...]
    count: int

    def pictures(self, limits: Limits = DEFAULT_LIMITS) -> Iterator[Image | ImageError]:
        """Yield each picture, uint8 [H, W, 4] BGRA, or the error if its part can't be decoded.

        A part that can't be decoded leaves the canvas as it is.

        Args:
            limits: How large the canvas and each part may be.
        """
        try:
            limits.check_size(self.width, self.height)
        except ImageError as error:
            yield error
            return
        if self.width * self.height > MOST_PIXELS:
            yield ImageError(f"{self.width} × {self.height} pixels are more than OpenCV decodes")
            return
        canvas = Canvas(self.width, self.height)
        for part in self.parts:
            try:
                pixels = _bgra(decode(b"".join(part.pieces), limits=limits).array)
                picture = pixels if part.aside else canvas.draw(pixels, part)
            except ImageError as error:
                yield error
                continue
            yield picture


class Canvas:
    """The pixels that an animation draws on."""

    def __init__(self, width: int, height: int) -> None:
        """Create a canvas that is wholly transparent."""
        self._pixels = np.zeros((height, width, 4), np.uint8)
        self._dispose: Callable[[], None] = lambda: None

    def draw(self, pixels: Image, part: Part) -> Image:
        """Draw a part, uint8 [H, W, 4] BGRA, and return a copy of the canvas."""
        self._dispose()
        height, width = pixels.shape[:2]
        place = self._pixels[part.top : part.top + height, part.left : part.left + width]
        before = place.copy() if part.disposal == "restore" else None
        self._dispose = _disposal(part.disposal, place, before)
        for band in bands(place):
            rows = place[band]
            new = pixels[band][: len(rows), : rows.shape[1]]
            rows[:] = _over(new, rows) if part.blended else new
            rows[rows[..., 3] == 0] = 0
        copy: Image = self._pixels.copy()
        return copy


def looks_alike(one: Image, other: Image) -> bool:
    """Tell whether no pixel of two pictures, uint8 [H, W, 4], differs by more than noise."""
    if one.shape != other.shape:
        return False
    return all(int(cv2.absdiff(one[band], other[band]).max()) <= NOISE for band in bands(one))


def is_animated(start: bytes) -> bool:
    """Tell from the first 64 KiB of a file, or all of it, whether it may be an animation."""
    if start[:6] in (b"GIF89a", b"GIF87a"):
        return True
    if is_webp(start):
        return start[12:16] == b"VP8X" and len(start) > 20 and bool(start[20] & 2)
    if start[:8] == PNG:
        for kind, _ in chunks(start):
            if kind in (b"acTL", b"IDAT"):
                return kind == b"acTL"
    return False


def find(content: bytes, most: int) -> Animation:
    """Find the parts of an animation.

    For a damaged file, these are the parts up to the damage. A file for which `is_animated` is
    false has none.

    Args:
        content: The file.
        most: The most parts to return; the others are counted.
    """
    found = _Parts(most)
    try:
        if content[:3] == b"GIF":
            size = _gif(content, found)
        elif is_webp(content):
            size = _webp(content, found)
        else:
            size = _png(content, found)
    except (struct.error, IndexError):
        return Animation(0, 0, (), 0)
    return Animation(*size, tuple(found.parts), found.count)


class _Parts:
    """The parts that have been found, of which only the first ones are kept."""

    def __init__(self, most: int) -> None:
        self.parts: list[Part] = []
        self.count = 0
        self._most = most

    def add(self, part: Part) -> None:
        """Count a part, and keep it unless there are enough."""
        self.count += 1
        if len(self.parts) < self._most:
            self.parts.append(part)


def _disposal(kind: Disposal, place: Image, before: Image | None) -> Callable[[], None]:
    def dispose() -> None:
        if kind == "clear":
            place[:] = 0
        elif before is not None:
            place[:] = before

    return dispose


def _over(above: Image, below: Image) -> Image:
    """Blend pixels with straight alpha, uint8 [H, W, 4]."""
    alpha = above[..., 3:]
    if ((alpha == 0) | (alpha == 255)).all():
        return np.asarray(np.where(alpha == 255, above, below), np.uint8)
    upper, lower = above.astype(np.float32), below.astype(np.float32)
    share = upper[..., 3:] / 255
    rest = lower[..., 3:] / 255 * (1 - share)
    total = share + rest
    colours = (upper[..., :3] * share + lower[..., :3] * rest) / np.maximum(total, 1e-6)
    return np.asarray(np.rint(np.concatenate([colours, total * 255], axis=2)), np.uint8)


def _bgra(array: Image) -> Image:
    if array.shape[2] == 4:
        return array
    return np.dstack([array, np.full(array.shape[:2], 255, np.uint8)])


def _gif(content: bytes, found: _Parts) -> tuple[int, int]:
    """Find the parts of a GIF file, and return the size of the canvas."""
    view = memoryview(content)
    width, height, flags = struct.unpack_from("<HHB", content, 6)
    at = 13 + _palette_bytes(flags)
    palette = view[13:at]
    control = b"\0\0\0\0"
    while at < len(content) and content[at] != 0x3B:
        block = content[at]
        if block == 0x21:
            if content[at + 1 : at + 3] == b"\xf9\4":
                control = content[at + 3 : at + 7].ljust(4, b"\0")
            at = _after_blocks(content, at + 2)
            continue
        if block != 0x2C:  # damaged
            break
        left, top, wide, high, own = struct.unpack_from("<4HB", content, at + 1)
        start = at + 9
        at = _after_blocks(content, at + 10 + _palette_bytes(own) + 1)
        disposals: dict[int, Disposal] = {2: "clear", 3: "restore"}
        pieces: tuple[Piece, ...] = (
            b"GIF89a" + struct.pack("<HHBBB", wide, high, flags, 0, 0),
            palette,
            # Only the transparent colour of the control block matters for one picture.
            b"\x21\xf9\4" + bytes([control[0] & 1, 0, 0, control[3], 0]),
            b"\x2c" + struct.pack("<4H", 0, 0, wide, high),
            view[start:at],
            b"\x3b",
        )
        disposal = disposals.get(control[0] >> 2 & 7, "keep")
        found.add(Part(pieces, left, top, True, disposal))
        control = b"\0\0\0\0"
        if not width or not height:  # some encoders leave the size to the first picture
            width, height = left + wide, top + high
    return width, height


def _palette_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_blocks(content: bytes, at: int) -> int:
    """Return the offset after a row of data blocks, or the end of a file that is cut short."""
    while at < len(content) and content[at]:
        at += 1 + content[at]
    return min(at + 1, len(content))


def _webp(content: bytes, found: _Parts) -> tuple[int, int]:
    """Find the parts of a WebP file, and return the size of the canvas."""
    width = height = 0
    for kind, body in chunks(content):
        if kind == b"VP8X" and len(body) >= 10:
            width, height = _three(body, 4) + 1, _three(body, 7) + 1
        elif kind == b"ANMF" and len(body) >= 24:
            wide, high, flags = _three(body, 6), _three(body, 9), body[15]
            inner = body[16:]
            kinds = [each for each, _ in chunks(inner, start=0)]
            extended = b"VP8X" + struct.pack("<IB3x", 10, 0x10)
            extended += wide.to_bytes(3, "little") + high.to_bytes(3, "little")
            extended = extended if b"ALPH" in kinds else b""
            size = struct.pack("<I", 4 + len(extended) + len(inner))
            pieces = (b"RIFF" + size + b"WEBP" + extended, inner)
            disposal: Disposal = "clear" if flags & 1 else "keep"
            place = (2 * _three(body, 0), 2 * _three(body, 3))
            found.add(Part(pieces, *place, not flags & 2, disposal))
    return width, height


def _three(body: memoryview, at: int) -> int:
    return int.from_bytes(body[at : at + 3], "little")


def _png(content: bytes, found: _Parts) -> tuple[int, int]:
    """Find the parts of an animated PNG, and return the size of the canvas.

    The still picture is the first part or doesn't belong to the animation.
    """
    shared: dict[bytes, tuple[Piece, ...]] = {}
    header, control = b"", b""
    data: list[Piece] = []

    def finish() -> None:
        if data:
            pieces = [piece for each in shared.values() for piece in each]
            found.add(_png_part(header, control, pieces, data))
            data.clear()

    for kind, body in chunks(content):
        if kind == b"IHDR":
            header = bytes(body)
        elif kind == b"fcTL":
            finish()
            control = bytes(body)
        elif kind == b"IDAT":
            _append(data, body)
        elif kind == b"fdAT":
            _append(data, body[4:])
        elif kind in (b"PLTE", b"tRNS", b"gAMA", b"sBIT") and kind not in shared:
            shared[kind] = _png_chunk(kind, body)
        elif kind == b"IEND":
            break
    finish()
    width, height = struct.unpack_from(">II", header)
    return width, height


def _append(data: list[Piece], body: memoryview) -> None:
    """Add a piece of a picture's data, and join small ones."""
    if len(body) >= SMALL_CHUNK:
        data.append(body)
    elif data and isinstance(data[-1], bytearray):
        data[-1] += body
    else:
        data.append(bytearray(body))


def _png_part(header: bytes, control: bytes, shared: list[Piece], data: list[Piece]) -> Part:
    aside = len(control) < 26
    left = top = dispose = blend = 0
    if not aside:
        wide, high, left, top, dispose, blend = struct.unpack_from(">4x4I4xBB", control)
        header = struct.pack(">II", wide, high) + header[8:]
    pieces = (
        PNG,
        *_png_chunk(b"IHDR", header),
        *shared,
        *(piece for each in data for piece in _png_chunk(b"IDAT", each)),
        *_png_chunk(b"IEND", b""),
    )
    disposals: dict[int, Disposal] = {1: "clear", 2: "restore"}
    return Part(pieces, left, top, blend == 1, disposals.get(dispose, "keep"), aside)


def _png_chunk(kind: bytes, body: Piece) -> tuple[Piece, ...]:
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return struct.pack(">I", len(body)) + kind, body, struct.pack(">I", checksum)
