"""The engine that ocrmypdf calls in its worker processes: it reads one page at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ocrmypdf.exceptions import SubprocessOutputError
from ocrmypdf.pluginspec import OcrEngine, OrientationConfidence

from ..errors import EdgeOCRError
from ..ocr import OCR
from ..runtime.providers import AUTO
from ..version import __version__
from ..writers import hocr, pdf
from ..writers.pdf.paper import size_in_points
from .options import option

if TYPE_CHECKING:
    from ..page import Page

# ocrmypdf turns a page if the confidence reaches its threshold, which is 14 by default. The mean
# score of the lines is multiplied by this number, so it has to reach 0.7.
CONFIDENCE = 20.0
# A page is levelled by its lines that are at least LEAST_PROPORTION times as wide as high and slant
# by at most MOST_DEGREES: lines that slant more were probably meant to.
LEAST_PROPORTION, MOST_DEGREES = 4.0, 20.0

_opened: dict[tuple[Any, ...], OCR] = {}
_opening = threading.Lock()


class EdgeOCREngine(OcrEngine):  # type: ignore[misc]
    """edgeocr as an OCR engine of ocrmypdf."""

    @staticmethod
    def version() -> str:
        """Return edgeocr's version."""
        return __version__

    @staticmethod
    def creator_tag(options: Any) -> str:
        """Return what the PDF says about who read it."""
        return f"edgeocr {__version__}"

    def __str__(self) -> str:
        """Return the engine's name and version."""
        return f"edgeocr {__version__}"

    @staticmethod
    def languages(options: Any) -> Set[str]:
        """Return an empty set: the bundle decides what can be read, and `-l` has no effect."""
        return frozenset()

    @staticmethod
    def get_orientation(input_file: Path, options: Any) -> OrientationConfidence:
        """Return by how many degrees a page is turned clockwise, for `--rotate-pages`."""
        page = _read(input_file, options)
        confidence = CONFIDENCE * float(page.scores.mean()) if len(page) else 0.0
        return OrientationConfidence(-page.rotation % 360, confidence)

    @staticmethod
    def get_deskew(input_file: Path, options: Any) -> float:
        """Return by how many degrees a page has to be turned counter-clockwise, for `--deskew`."""
        boxes = _call(options, lambda ocr: ocr.detect(str(input_file))).boxes
        along = (boxes[:, 1] - boxes[:, 0] + boxes[:, 2] - boxes[:, 3]) / 2
        down = (boxes[:, 3] - boxes[:, 0] + boxes[:, 2] - boxes[:, 1]) / 2
        lengths, heights = np.linalg.norm(along, axis=1), np.linalg.norm(down, axis=1)
        degrees = np.degrees(np.arctan2(along[:, 1], along[:, 0]))
        chosen = (lengths >= LEAST_PROPORTION * heights) & (np.abs(degrees) <= MOST_DEGREES)
        return _weighted_median(degrees[chosen], lengths[chosen]) if chosen.any() else 0.0

    @staticmethod
    def generate_pdf(input_file: Path, output_pdf: Path, output_text: Path, options: Any) -> None:
        """Read a page, and write its text as plain text and as a PDF without a picture."""
        page = _read(input_file, options)
        with Path(output_pdf).open("wb") as file:
            pdf.text_only(page, size_in_points(page.width, page.height, None), file)
        Path(output_text).write_text(page.to_text(), encoding="utf-8")

    @staticmethod
    def generate_hocr(input_file: Path, output_hocr: Path, output_text: Path, options: Any) -> None:
        """Read a page, and write its text as plain text and as hOCR."""
        page = _read(input_file, options)
        with Path(output_hocr).open("wb") as file:
            hocr.write([page], file)
        Path(output_text).write_text(page.to_text(), encoding="utf-8")


def _read(picture: Path, options: Any) -> Page:
    page: Page = _call(options, lambda ocr: ocr.read(str(picture), words=True))
    return page


def _call(options: Any, work: Any) -> Any:
    """Call a function with this process's `OCR`, and report what goes wrong as ocrmypdf does."""
    try:
        return work(_ocr(options))
    except EdgeOCRError as error:
        raise SubprocessOutputError(f"edgeocr: {error}") from error


def _ocr(options: Any) -> OCR:
    """Return the `OCR` of this process, which is opened when the first page is read."""
    chosen = [option(options, name) for name in ("bundle", "provider", "threads")]
    key = (os.getpid(), *chosen)
    with _opening:
        if key not in _opened:
            bundle, provider, threads = chosen
            _opened[key] = OCR(bundle, provider=provider or AUTO, threads=threads)
        return _opened[key]


def _weighted_median(values: Any, weights: Any) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
