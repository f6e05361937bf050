"""Any source that was read → the picture that a PDF embeds, without loss."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from ...decoding import tiff
from ...decoding.chunks import PNG
from ...decoding.contents import read_path
from ...decoding.limits import Limits
from ...decoding.tiff_page import Page as TiffPage
from ...documents.pdf import PdfPage
from ...errors import EdgeOCRError, ImageError
from ...images import Frame, Image, Source, content_of, is_pillow, load, name_of, named
from . import exif, jpeg, jpeg2000, png
from .embedded import Embedded

FORMATS = {jpeg.START: jpeg.embed, PNG: png.embed, jpeg2000.START: jpeg2000.embed}
# How hard OpenCV compresses, from 0 to 9.
COMPRESSION = 6


def embed(source: Source, limits: Limits) -> Embedded:
    """Return a picture as a PDF holds it.

    JPEG files, most PNG files and most JPEG 2000 files are taken as they are. Everything else is
    decoded, transparent pixels are put on the background that reading chose, and the pixels are
    compressed without loss, with 1 bit each if they are black and white.

    Args:
        source: What was read.
        limits: How large the file and the picture may be.

    Raises:
        ImageError: The source can't be read or decoded.
    """
    if isinstance(source, Frame):
        return _of_frame(source, limits)
    if isinstance(source, np.ndarray) or is_pillow(source):
        return replace(_of_pixels(load(source, limits=limits)), resolution=_pillow_dpi(source))
    name = name_of(source)
    if isinstance(source, (str, os.PathLike)):
        try:
            content = read_path(source, limits)
        except ImageError as error:
            raise named(error, name) from error.__cause__
        except (OSError, ValueError):
            load(source, limits=limits)  # says what is wrong
            raise
    elif isinstance(source, (bytes, bytearray, memoryview)):
        content = bytes(source)
    elif hasattr(source, "read"):
        content = content_of(source, limits)
    else:
        return _of_pixels(load(source, limits=limits))  # which says what sources there are
    try:
        return _of_file(content, limits)
    except ImageError as error:
        raise named(error, name) from error.__cause__


def _of_file(content: bytes, limits: Limits) -> Embedded:
    for start, embed_as_it_is in FORMATS.items():
        if content.startswith(start) and (found := embed_as_it_is(content)) is not None:
            return found
    # The orientation has been applied to the pixels, but the file's resolution is that of its rows.
    pixels = _of_pixels(load(content, limits=limits))
    resolution = png.resolution_of(content)
    if content[:4] in tiff.MAGIC:
        resolution = _shown(exif.read(io.BytesIO(content)))
    return replace(pixels, resolution=resolution)


def _of_frame(frame: Frame, limits: Limits) -> Embedded:
    held = frame.held
    if held is None or isinstance(held, EdgeOCRError):
        frame.load(limits=limits)  # raises the error
        raise ImageError(f"{frame.name}: there is no picture to put into a PDF")
    if isinstance(held, PdfPage):
        resolution = (float(held.options.dpi), float(held.options.dpi))
        return replace(_of_pixels(frame.load(limits=limits)), resolution=resolution)
    if isinstance(held, TiffPage):
        pixels = _of_pixels(frame.load(limits=limits))
        with held.opened() as stream:
            return replace(pixels, resolution=_shown(exif.read(stream, held.offset)))
    try:
        return embed(held, limits)
    except ImageError as error:
        raise named(error, frame.name) from error.__cause__


def _of_pixels(image: Image) -> Embedded:
    """Compress uint8 [H, W, 3] BGR without loss."""
    blue, green, red = (image[..., i] for i in range(3))
    options = [cv2.IMWRITE_PNG_COMPRESSION, COMPRESSION]
    array: Any = image
    if np.array_equal(blue, green) and np.array_equal(green, red):
        array = np.ascontiguousarray(blue)
        if not np.any((array != 0) & (array != 255)):
            options += [cv2.IMWRITE_PNG_BILEVEL, 1]
    try:
        done, encoded = cv2.imencode(".png", array, options)
    except cv2.error as error:
        raise EdgeOCRError(f"OpenCV can't compress the picture: {error}") from error
    found = png.embed(encoded.tobytes()) if done else None
    if found is None:
        raise EdgeOCRError("OpenCV can't compress the picture")
    return found


def _shown(found: exif.Exif) -> tuple[float, float] | None:
    """Return the resolution across and down a picture that has been turned upright."""
    if found.resolution is None or found.orientation < 5:
        return found.resolution
    return found.resolution[1], found.resolution[0]


def _pillow_dpi(source: Any) -> tuple[float, float] | None:
    """Return the resolution that Pillow found in a picture's file."""
    try:
        across, down = source.info["dpi"]
        return (float(across), float(down)) if min(across, down) > 0 else None
    except Exception:  # an array has no `info`, and a damaged file may leave anything in it
        return None
