"""Decode an image file to pixels, with their transparency, the way a person would see them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import ImageError
from . import chunks, formats, heif, tiff
from .headers import reader as headers
from .limits import DEFAULT_LIMITS, Limits
from .transparency import flatten

# OpenCV's flag that decodes a JPEG at 1/n of its width and height, for each n.
REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
FLOATING_POINT = (
    "its pixels are floating-point numbers, whose range is not known: convert it to 8 bits, for "
    "example to PNG"
)
TIFF_TAGS = (
    tiff.SUBFILE,
    tiff.BITS,
    tiff.SAMPLES,
    tiff.COMPRESSION,
    tiff.PHOTOMETRIC,
    tiff.PLANES,
    tiff.PREDICTOR,
    tiff.TILE_WIDTH,
    tiff.EXTRA_SAMPLES,
    tiff.SUB_DIRECTORIES,
    tiff.DNG_VERSION,
)


@dataclass(frozen=True, eq=False)
class Pixels:
    """The pixels of a picture.

    Attributes:
        array: uint8 [H, W, 3] BGR, or [H, W, 4] BGRA.
        premultiplied: The colours have been multiplied by the alpha.
    """

    array: NDArray[np.uint8]
    premultiplied: bool = False

    def on_ground(self) -> NDArray[np.uint8]:
        """Return uint8 [H, W, 3] BGR, with transparency on a ground that shows the text."""
        if self.array.shape[2] == 4:
            return flatten(self.array, premultiplied=self.premultiplied)
        return np.ascontiguousarray(self.array)


def decode(
    content: bytes | bytearray, reduction: int = 1, limits: Limits = DEFAULT_LIMITS
) -> Pixels:
    """Decode the first or only picture of an image file, and turn it upright.

    Args:
        content: The file.
        reduction: 1, 2, 4 or 8; a JPEG file is decoded at 1/`reduction` of its width and height.
        limits: How large the picture may be, which is found out before it is decoded.

    Raises:
        ImageError: The file can't be decoded, or the picture is too large; the message says what it
            is and what to do.
    """
    if not content:
        raise ImageError("the file is empty")
    if formats.FLOATING.match(content):
        raise ImageError(FLOATING_POINT)
    if heif.is_heif(bytes(content[: formats.ENOUGH])):
        return Pixels(standard(heif.decode(content, limits)))
    limits.check_header(headers.read(io.BytesIO(content)), content)
    # OpenCV applies the EXIF orientation in its colour mode only, and keeps transparency in its
    # unchanged mode only. JPEG has no transparency, and the fourth byte of a BMP is mostly padding.
    if content[:2] in (b"\xff\xd8", b"BM"):
        return Pixels(np.asarray(_opencv(content, REDUCED[reduction]), np.uint8))
    if content[:4] in tiff.MAGIC:
        return _tiff(content)
    array = _opencv(content, cv2.IMREAD_UNCHANGED)
    key = chunks.transparent_grey(bytes(content[:8192])) if array.ndim == 2 else None
    if key is not None:
        array = with_transparent_grey(array, key)
    return Pixels(upright(standard(array), chunks.exif_orientation(bytes(content))))


def with_transparent_grey(grey: NDArray[Any], key: int) -> NDArray[Any]:
    """Turn [H, W] grey into [H, W, 4] BGRA of the same dtype, in which one grey is transparent."""
    alpha = np.where(grey == key, 0, np.iinfo(grey.dtype).max).astype(grey.dtype)
    return np.dstack([grey, grey, grey, alpha])


def standard(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Bring an image array into the form uint8 [H, W, 3] BGR or [H, W, 4] BGRA.

    Raises:
        ImageError: The array has a shape or dtype that no image has.
    """
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
    return np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array


def upright(array: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation from 1 to 8; any other value counts as 1."""
    if orientation in (5, 6, 7, 8):
        array = array.transpose(1, 0, 2)
    flips = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}.get(orientation, ())
    return np.flip(array, flips) if flips else array


def _opencv(content: bytes | bytearray, flag: int) -> NDArray[Any]:
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flag)
    except (cv2.error, MemoryError) as error:
        raise ImageError(f"can't be decoded: {error}") from error
    if image is None:
        raise ImageError(formats.refusal(bytes(content[: formats.ENOUGH])))
    if image.dtype.kind == "f":
        raise ImageError(FLOATING_POINT)
    return image


def _tiff(content: bytes | bytearray) -> Pixels:
    """Decode a TIFF file; OpenCV and libtiff have turned it upright."""
    layout = tiff.Layout.of(bytes(content[:4]))
    assert layout is not None
    stream = io.BytesIO(content)
    try:
        directory = tiff.read_directory(
            stream, layout, tiff.first_directory(stream, layout), TIFF_TAGS
        )
    except tiff.DirectoryError:
        directory = tiff.Directory({}, 0)
    # In a raw photograph the first picture is a small preview, and the photograph itself can't be
    # decoded.
    if directory.value(tiff.SUBFILE) & 1 and {tiff.SUB_DIRECTORIES, tiff.DNG_VERSION} & {
        *directory.tags
    }:
        raise ImageError(formats.RAW)
    if _has_grey_and_alpha(directory):
        return _grey_and_alpha(content, directory, layout)
    array = _opencv(content, cv2.IMREAD_UNCHANGED)
    if array.ndim == 3 and array.shape[2] == 4:
        # libtiff multiplies 8-bit colours by the alpha, and leaves 16-bit colours as they are.
        associated = directory.value(tiff.EXTRA_SAMPLES) == tiff.ASSOCIATED_ALPHA
        return Pixels(standard(array), array.dtype == np.uint8 or associated)
    return Pixels(standard(array))


def _grey_and_alpha(
    content: bytes | bytearray, directory: tiff.Directory, layout: tiff.Layout
) -> Pixels:
    """Decode a TIFF file with two samples of 8 bits, the second of which OpenCV would drop.

    The two are decoded as one sample of 16 bits.
    """
    changed, tags = bytearray(content), directory.tags
    tiff.replace_value(changed, layout, tags[tiff.BITS], 16)
    tiff.replace_value(changed, layout, tags[tiff.SAMPLES], 1)
    differences = directory.value(tiff.PREDICTOR) == tiff.DIFFERENCES
    if differences:
        tiff.replace_value(changed, layout, tags[tiff.PREDICTOR], 1)
    array = _opencv(changed, cv2.IMREAD_UNCHANGED)
    both = array.astype(layout.order + "u2")[..., None].view(np.uint8)
    if differences:  # each sample was stored as its difference from the one before in the row
        both = np.cumsum(both, axis=1, dtype=np.uint8)
    grey, alpha = both[..., 0], both[..., 1]
    if directory.value(tiff.PHOTOMETRIC, 1) == tiff.WHITE_IS_ZERO:
        grey = 255 - grey
    associated = directory.value(tiff.EXTRA_SAMPLES) == tiff.ASSOCIATED_ALPHA
    return Pixels(np.dstack([grey, grey, grey, alpha]), associated)


def _has_grey_and_alpha(directory: tiff.Directory) -> bool:
    """Tell whether a picture has grey and alpha, in a form that `_grey_and_alpha` can decode."""
    value = directory.value
    return (
        (value(tiff.BITS, 1), value(tiff.SAMPLES, 1)) == (8, 2)
        and value(tiff.EXTRA_SAMPLES) in (1, 2)
        and value(tiff.COMPRESSION, 1) in tiff.BYTEWISE
        and value(tiff.PHOTOMETRIC, 9) in (0, 1)
        and value(tiff.PLANES, 1) != tiff.SEPARATE_PLANES
        and not (tiff.TILE_WIDTH in directory.tags and value(tiff.PREDICTOR) == tiff.DIFFERENCES)
    )
