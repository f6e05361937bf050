"""Predict how much memory decoding a source takes, without decoding it."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..decoding import formats
from ..decoding.tiff import DirectoryError
from ..decoding.tiff_page import Page
from ..decoding.transparency import MOST_BYTES
from ..errors import EdgeOCRError, ImageError
from ..images import Frame, Source
from . import image_headers

# Bytes per pixel that converting a PIL image to BGR takes, its own pixels included: measured with
# Pillow 11, without and with transparency.
PIL_BYTES = 10
PIL_ALPHA_BYTES = 35
NO_HEADER = (
    "the memory that decoding takes can't be predicted: within a memory_limit only BMP, GIF, JPEG, "
    "JPEG 2000, PNG, PNM, TIFF and WebP files with an intact header are read; convert the file, or "
    "lift the limit"
)


@dataclass(frozen=True)
class Footprint:
    """What a source takes in memory.

    Attributes:
        source: The source, or its content where it can be read only once.
        present: Bytes that it holds already.
        loading: Bytes that loading it takes beside its decoded pixels.
        pixels: How many pixels it has, where they are in memory already.
        header: Size and cost of its pixels; None where the pixels are in memory already.
    """

    source: Source
    present: int = 0
    loading: int = 0
    pixels: int = 0
    header: image_headers.Header | None = None


def predict(source: Source) -> Footprint:
    """Return the footprint of a source, reading no more of a file than its header.

    Raises:
        ImageError: The header of a file is damaged or of an unknown format.
    """
    if isinstance(source, Frame):
        return replace(_predict_frame(source), source=source)
    if isinstance(source, np.ndarray):
        # 16-bit pixels are converted through 32 bits, and a view is copied first. Transparent ones
        # are copied, and choosing their ground takes a limited number of bytes beside.
        channels = source.shape[2] if source.ndim == 3 else 1
        contiguous = source.flags.c_contiguous
        eight_bits = 1 if channels == 4 else 3 if contiguous else 4
        per_value = eight_bits if source.dtype == np.uint8 else 12
        is_bgr = source.dtype == np.uint8 and channels == 3 and contiguous
        ground = min(MOST_BYTES, 30 * source.size) if channels == 4 else 0
        loading = 0 if is_bgr else source.size * per_value + ground
        return Footprint(source, source.nbytes, loading, source.size // max(1, channels))
    if isinstance(source, (bytes, bytearray, memoryview)):
        copied = 0 if isinstance(source, bytes) else len(source)
        header = image_headers.read(io.BytesIO(source))
        if header is None and len(source):
            raise ImageError(_refusal(bytes(source[: formats.ENOUGH])))
        return Footprint(source, len(source), copied, header=header)
    try:
        if isinstance(source, (str, os.PathLike)):
            with Path(source).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                header = image_headers.read(file)
                if header is None and size:
                    file.seek(0)
                    reason = _refusal(file.read(formats.ENOUGH))
                    raise ImageError(f"{os.fspath(source)}: {reason}")
                return Footprint(source, 0, size, header=header)
        picture: Any = source
        if hasattr(picture, "getexif"):
            opaque = picture.mode in ("L", "RGB", "1", "P") and "transparency" not in picture.info
            per_pixel = PIL_BYTES if opaque else PIL_ALPHA_BYTES
            pixels = picture.width * picture.height
            return Footprint(source, 0, pixels * per_pixel, pixels)
        if hasattr(picture, "read") and isinstance(content := picture.read(), bytes):
            return predict(content)
    except (OSError, ValueError):  # loading the source reports it
        pass
    return Footprint(source)


def _predict_frame(frame: Frame) -> Footprint:
    held = frame.held
    if isinstance(held, EdgeOCRError):  # loading raises it
        return Footprint(frame)
    if not isinstance(held, Page):
        return predict(held)
    try:
        with held.opened() as file:
            header = image_headers.read_page(file, held.offset)
        loading = held.loading_bytes()
    except (OSError, DirectoryError):  # loading reports it
        return Footprint(frame)
    if header is None:
        raise ImageError(f"{frame.name}: {NO_HEADER}")
    present = 0 if isinstance(held.file, (str, os.PathLike)) else len(held.file)
    return Footprint(frame, present, loading, header=header)


def _refusal(start: bytes) -> str:
    """Say why a file without a known header can't be read within a memory limit."""
    kind = formats.kind_of(start)
    return formats.refusal(start) if kind is not None and not kind.decoded_by_some else NO_HEADER
