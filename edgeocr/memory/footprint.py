"""Predict how much memory decoding a source takes, without decoding it."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..decoding import formats
from ..decoding.contents import is_regular, read_path
from ..decoding.headers import reader
from ..decoding.headers.header import Header
from ..decoding.limits import DEFAULT_LIMITS, Limits
from ..decoding.tiff import DirectoryError
from ..decoding.tiff_page import Page
from ..decoding.transparency import MOST_BYTES
from ..documents.pdf import RENDERING_BYTES, PdfPage
from ..errors import EdgeOCRError, ImageError
from ..images import Frame, Source, content_of

# Bytes per pixel that converting a PIL image to BGR takes, its own pixels included: measured with
# Pillow 11, without and with transparency.
PIL_BYTES = 10
PIL_ALPHA_BYTES = 35
# Formats that Pillow decodes with no more memory than for their pixels, 35 bytes each.
PIL_PREDICTABLE = frozenset({"BMP", "GIF", "JPEG", "MPO", "PNG", "PPM", "WEBP"})
NO_HEADER = (
    "the memory that decoding takes can't be predicted: within a memory_limit only BMP, GIF, JPEG, "
    "JPEG 2000, PAM, PNG, PNM, Sun raster, TIFF and WebP files with an intact and ordinary header "
    "are read; convert the file, or lift the limit"
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
    header: Header | None = None


def predict(source: Source, limits: Limits = DEFAULT_LIMITS) -> Footprint:
    """Return the footprint of a source, reading no more of a file than its headers.

    Args:
        source: A picture as `OCR.read` takes it.
        limits: How much of a file object may be read; it is read to its end.

    Raises:
        ImageError: The header of a file is damaged or of an unknown format, or a file object can't
            be read.
        MemoryLimitError: The content of a file object doesn't fit into the memory limit.
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
        header = reader.read(io.BytesIO(source))
        if len(source):
            _check_predictable(header, bytes(source[: formats.ENOUGH]))
        return Footprint(source, len(source), copied, header=header)
    if isinstance(source, (str, os.PathLike)):
        return _predict_path(source, limits)
    picture: Any = source
    if hasattr(picture, "getexif"):
        return _predict_pillow(picture)
    if hasattr(picture, "read"):
        return predict(content_of(picture, limits))
    return Footprint(source)


def _predict_path(path: str | os.PathLike[str], limits: Limits) -> Footprint:
    try:
        if not is_regular(path):
            return predict(read_path(path, limits))
        with Path(path).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            header = reader.read(file)
            if size:
                file.seek(0)
                _check_predictable(header, file.read(formats.ENOUGH))
            return Footprint(path, 0, size, header=header)
    except ImageError as error:
        raise ImageError(f"{os.fspath(path)}: {error}") from error.__cause__
    except (OSError, ValueError):  # loading the source reports it
        return Footprint(path)


def _predict_pillow(picture: Any) -> Footprint:
    """Return the footprint of a PIL image.

    Raises:
        ImageError: Its file is still to be decoded, and Pillow might take any amount of memory.
    """
    undecoded = bool(getattr(picture, "tile", None))
    # Pillow's reader of AVIF does not show whether the file has been decoded.
    if picture.format == "AVIF" or (undecoded and picture.format not in PIL_PREDICTABLE):
        raise ImageError(
            f"the memory that decoding a PIL image of the format {picture.format} takes can't be "
            "predicted: within a memory_limit pass the path of the file, or the result of the "
            "image's copy(), which is decoded"
        )
    opaque = picture.mode in ("L", "RGB", "1", "P") and "transparency" not in picture.info
    # Pillow's copy of a JPEG file's coefficients is not counted by the smaller figure.
    plain = opaque and not (undecoded and picture.format in ("JPEG", "MPO"))
    pixels = picture.width * picture.height
    return Footprint(picture, 0, pixels * (PIL_BYTES if plain else PIL_ALPHA_BYTES), pixels)


def _predict_frame(frame: Frame) -> Footprint:
    held = frame.held
    if isinstance(held, EdgeOCRError):  # loading raises it
        return Footprint(frame)
    if isinstance(held, PdfPage):
        return _predict_pdf(frame, held)
    if not isinstance(held, Page):
        return predict(held)
    try:
        with held.opened() as file:
            header = reader.read_page(file, held.offset)
        loading = held.loading_bytes()
    except (OSError, DirectoryError):  # loading reports it
        return Footprint(frame)
    if header is None or header.decoding is None:
        raise ImageError(f"{frame.name}: {NO_HEADER}")
    present = 0 if isinstance(held.file, (str, os.PathLike)) else len(held.file)
    return Footprint(frame, present, loading, header=header)


def _predict_pdf(frame: Frame, page: PdfPage) -> Footprint:
    """Return the footprint of a page; what decoding the pictures on it takes is not known."""
    present = len(page.file) if isinstance(page.file, bytes) else 0
    try:
        width, height = page.size()
    except EdgeOCRError:  # loading reports it
        return Footprint(frame, present)
    return Footprint(frame, present, width * height * RENDERING_BYTES, width * height)


def _check_predictable(header: Header | None, start: bytes) -> None:
    """Refuse a file that begins with `start` unless its header tells what decoding takes."""
    if header is not None and header.decoding is not None:
        return
    kind = formats.kind_of(start)
    is_other = kind is not None and not kind.decoded_by_some
    raise ImageError(formats.refusal(start) if is_other else NO_HEADER)
