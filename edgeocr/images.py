"""Decode any source to a uint8 [H, W, 3] BGR image, upright, the way a person would see it.

The EXIF orientation is applied, transparent pixels are blended onto white, and 16 bits per channel
are reduced to 8.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import ImageError

if TYPE_CHECKING:
    import PIL.Image

Image: TypeAlias = NDArray[np.uint8]
Source: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | NDArray[Any]"
    " | IO[bytes] | PIL.Image.Image"
)

SUFFIXES = frozenset(
    f".{kind}"
    for kind in (
        "bmp",
        "gif",
        "jp2",
        "jpeg",
        "jpg",
        "pbm",
        "pgm",
        "png",
        "ppm",
        "tif",
        "tiff",
        "webp",
    )
)
# OpenCV's flag that decodes a JPEG at 1/n of its sides, by n.
REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
# First bytes of a TIFF file, little and big endian.
TIFF = (b"II*\0", b"MM\0*")


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded source, which may have been decoded at a fraction of its size.

    Attributes:
        image: uint8 [H, W, 3] BGR.
        width: Width of the whole source in pixels; larger than W where the source was reduced.
        height: Height of the whole source in pixels.
    """

    image: Image
    width: int
    height: int

    @classmethod
    def whole(cls, image: Image) -> Picture:
        """Wrap an image, uint8 [H, W, 3] BGR, that was decoded at its full size."""
        height, width = image.shape[:2]
        return cls(image, width, height)

    def in_source(self, points: NDArray[np.float32], rotation: int = 0) -> NDArray[np.float32]:
        """Return where points of the image, or of the image turned upright, are in the source.

        Args:
            points: float32 [..., 2], x and y in pixels.
            rotation: By how many degrees, 0, 90, 180 or 270, the image was turned clockwise.
        """
        height, width = self.image.shape[:2]
        if rotation == 0 and (width, height) == (self.width, self.height):
            return points
        x, y = points[..., 0], points[..., 1]
        right, bottom = width - 1, height - 1
        if rotation == 90:
            x, y = y, bottom - x
        elif rotation == 180:
            x, y = right - x, bottom - y
        elif rotation == 270:
            x, y = right - y, x
        scaled = np.stack([x * (self.width / width), y * (self.height / height)], -1)
        return scaled.astype(np.float32, copy=False)


def load(source: Source, reduction: int = 1) -> Image:
    """Decode or convert a source.

    Args:
        source: A path, the bytes of an image file, an open binary file, a PIL image, or an array:
            grey [H, W] or [H, W, 1], BGR [H, W, 3] or BGRA [H, W, 4], uint8 or uint16.
        reduction: Decode the source, which must be a JPEG file, at 1/`reduction` of its sides:
            1, 2, 4 or 8.

    Returns:
        uint8 [H, W, 3] BGR, contiguous. An array that is in this form already is not copied.

    Raises:
        ImageError: The file does not exist or can't be decoded, or the array has a shape or dtype
            that no image has.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, (str, os.PathLike)):
        return _from_path(source, reduction)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _decode(bytes(source), reduction)
    if hasattr(source, "getexif") and hasattr(source, "convert"):
        return _from_pil(source)
    if hasattr(source, "read"):
        try:
            content = source.read()
        except (OSError, ValueError) as error:  # ValueError: the file is closed
            raise ImageError(f"{name_of(source)}: can't be read: {error}") from error
        if not isinstance(content, bytes):
            raise ImageError("the file object yields text: open it in binary mode ('rb')")
        return _decode(content, reduction)
    raise ImageError(
        f"a {type(source).__name__} is not an image source: "
        "pass a path, bytes, a NumPy array, a PIL image or a binary file"
    )


def name_of(source: Source) -> str:
    """Return the name of a source for results and errors: its path, or its type in brackets."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    name = getattr(source, "filename", None) or getattr(source, "name", None)
    return name if isinstance(name, str) else f"<{type(source).__name__}>"


def _from_path(source: str | os.PathLike[str], reduction: int) -> Image:
    path = Path(source)
    if str(source).startswith(("http:", "https:")):
        raise ImageError(
            f"{source}: edgeocr does not download: fetch the file first and pass its path"
        )
    try:
        # cv2.imread can't open non-ASCII paths on Windows.
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: the path has a null byte
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"{path}: can't be read: {reason}") from error
    try:
        return _decode(content, reduction)
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from None


def _decode(content: bytes, reduction: int) -> Image:
    if not content:
        raise ImageError("the file is empty")
    buffer = np.frombuffer(content, np.uint8)
    # OpenCV applies the EXIF orientation in its colour mode only, and keeps transparency in its
    # unchanged mode only. JPEG has no transparency, and the fourth byte of a BMP is mostly padding.
    opaque = content[:2] in (b"\xff\xd8", b"BM")
    try:
        if opaque:
            image = cv2.imdecode(buffer, REDUCED[reduction])
        else:
            image = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
    except (cv2.error, MemoryError) as error:
        raise ImageError(f"can't be decoded: {error}") from error
    if image is None:
        raise ImageError("OpenCV can't decode it: the format is unknown or the file is damaged")
    if opaque:
        return np.asarray(image, np.uint8)
    if content[:4] in TIFF and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 4:
        # libtiff has already turned the image upright and multiplied the colours by the alpha.
        return np.asarray(image[..., :3] + (255 - image[..., 3:]), np.uint8)
    return _upright(_from_array(image), _exif_orientation(content))


def _from_array(array: NDArray[Any]) -> Image:
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or not array.size:
        raise ImageError(
            f"an array of shape {array.shape} is not an image: "
            "pass [H, W] grey, [H, W, 3] BGR or [H, W, 4] BGRA"
        )
    if array.dtype == np.uint16:
        # 65535 / 257 = 255, so this maps the full range and rounds.
        array = ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if array.dtype != np.uint8:
        raise ImageError(
            f"an image array must be uint8 or uint16, this one is {array.dtype}: "
            "scale it to 0…255 and convert it to uint8"
        )
    channels = array.shape[2]
    if channels == 1:
        return np.repeat(array, 3, axis=2)
    if channels == 4:
        alpha = array[..., 3:].astype(np.uint16)
        on_white = array[..., :3] * alpha + 255 * (255 - alpha)
        return ((on_white + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(array)


def _from_pil(image: Any) -> Image:
    try:
        image.load()  # Pillow turns a TIFF upright while loading, and drops its orientation
        orientation = int(image.getexif().get(0x0112, 1))
        if image.mode.startswith("I"):
            # 16 bits per pixel; older versions of Pillow open such a PNG with 32.
            array = np.clip(np.asarray(image), 0, 65535).astype(np.uint16)
        elif image.mode == "F":
            raise ImageError("a PIL image of mode F has no defined range: convert it to L or RGB")
        elif image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
            array = np.asarray(image.convert("RGBA"))[..., [2, 1, 0, 3]]
        else:
            array = np.asarray(image.convert("RGB"))[..., ::-1]
    except (OSError, ValueError, SyntaxError) as error:
        raise ImageError(f"Pillow can't decode the image: {error}") from error
    return _upright(_from_array(array), orientation)


def _upright(image: Image, orientation: int) -> Image:
    """Undo an EXIF orientation from 1 to 8; any other value counts as 1."""
    if orientation in (5, 6, 7, 8):
        image = image.transpose(1, 0, 2)
    flips = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}.get(orientation, ())
    return np.ascontiguousarray(np.flip(image, flips) if flips else image)


def _exif_orientation(content: bytes) -> int:
    """Return the orientation in the EXIF data of a PNG or WebP file, or 1 without one."""
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        tiff = _chunk(content, 8, b"eXIf", ">I4s", 12)
    elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        tiff = _chunk(content, 12, b"EXIF", "<4sI", 8).removeprefix(b"Exif\0\0")
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


def _chunk(content: bytes, start: int, wanted: bytes, header: str, overhead: int) -> bytes:
    """Return the body of a PNG or RIFF chunk, or nothing where the file lacks the chunk."""
    while start + 8 <= len(content):
        fields = struct.unpack_from(header, content, start)
        kind, length = fields if isinstance(fields[0], bytes) else fields[::-1]
        if kind == wanted:
            return content[start + 8 : start + 8 + length]
        # RIFF pads bodies to an even length, and PNG appends a CRC.
        start += overhead + length + (length & 1 if overhead == 8 else 0)
    return b""
