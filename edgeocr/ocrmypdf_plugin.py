"""A plugin that lets ocrmypdf read with edgeocr: `ocrmypdf --plugin edgeocr.ocrmypdf_plugin`.

ocrmypdf draws the pages of a PDF, calls the methods of `EdgeOCREngine` in its worker processes, and
lays the text that they return under the pages. Tesseract need not be installed.
"""

from __future__ import annotations

import os
import threading
from argparse import ArgumentParser
from collections.abc import Set
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from .bundle.bundle import Bundle
from .device.cpus import available_threads
from .errors import EdgeOCRError
from .ocr import OCR
from .runtime.providers import AUTO, check_provider_choice
from .version import __version__
from .writers import hocr, pdf
from .writers.pdf.paper import size_in_points

try:
    from ocrmypdf import hookimpl
    from ocrmypdf.exceptions import BadArgsError, SubprocessOutputError
    from ocrmypdf.pluginspec import OcrEngine, OrientationConfidence
except ModuleNotFoundError as error:
    advice = 'ocrmypdf is not installed: pip install "edgeocr[ocrmypdf]"'
    raise ModuleNotFoundError(advice, name="ocrmypdf") from error

if TYPE_CHECKING:
    from .page import Page

# What ocrmypdf calls its own plugin for Tesseract, and the program that this plugin asks for.
TESSERACT_PLUGIN = "ocrmypdf.builtin_plugins.tesseract_ocr"
# ocrmypdf turns a page if the confidence reaches its threshold, which is 14 by default. The mean
# score of the lines is multiplied by this number, so it has to reach 0.7.
CONFIDENCE = 20.0
# A page is levelled by its lines that are at least LEAST_PROPORTION times as wide as high and slant
# by at most MOST_DEGREES: lines that slant more were probably meant to.
LEAST_PROPORTION, MOST_DEGREES = 4.0, 20.0

_opened: dict[tuple[Any, ...], OCR] = {}
_opening = threading.Lock()


@hookimpl  # type: ignore[untyped-decorator]
def initialize(plugin_manager: Any) -> None:
    """Let ocrmypdf start without the program tesseract.

    ocrmypdf's plugin for Tesseract refuses to start where the program is missing. It is replaced by
    a copy without this check, since other parts of ocrmypdf need its options.
    """
    plugin = plugin_manager.get_plugin(TESSERACT_PLUGIN)
    if plugin is not None:
        plugin_manager.unregister(plugin)
        kept = {name: each for name, each in vars(plugin).items() if name != "check_options"}
        plugin_manager.register(SimpleNamespace(**kept), TESSERACT_PLUGIN)


@hookimpl  # type: ignore[untyped-decorator]
def add_options(parser: ArgumentParser) -> None:
    """Add edgeocr's options to those of ocrmypdf."""
    group = parser.add_argument_group("edgeocr", "Reading with edgeocr")
    group.add_argument(
        "--edgeocr-bundle", metavar="PATH", help="bundle to use; default: the one in the package"
    )
    group.add_argument(
        "--edgeocr-provider",
        default=AUTO,
        metavar="NAME",
        help="execution provider: auto, cpu, cuda, tensorrt or another one; default: auto",
    )
    group.add_argument(
        "--edgeocr-threads",
        type=int,
        metavar="N",
        help="CPU threads of each job; default: the available CPUs shared between the jobs",
    )


@hookimpl  # type: ignore[untyped-decorator]
def check_options(options: Any) -> None:
    """Check the bundle and the provider, and choose how the text is put into the PDF."""
    if not _is_chosen(options):
        from ocrmypdf.builtin_plugins import tesseract_ocr

        if options.ocr_engine == "tesseract":
            tesseract_ocr.check_options(options)
        return
    bundle, threads = _option(options, "bundle"), _option(options, "threads")
    try:
        check_provider_choice(_option(options, "provider") or AUTO)
        if bundle is not None:
            Bundle.open(bundle)
    except (EdgeOCRError, ValueError) as error:
        raise BadArgsError(str(error)) from error
    if threads is not None and threads < 1:
        raise BadArgsError(f"--edgeocr-threads must be at least 1, not {threads}")
    # "sandwich" takes edgeocr's own text layer; ocrmypdf's renderer would make one from hOCR.
    if options.pdf_renderer == "auto":
        options.pdf_renderer = "sandwich"


@hookimpl  # type: ignore[untyped-decorator]
def validate(pdfinfo: Any, options: Any) -> None:
    """Share the CPUs between the jobs that will run at the same time."""
    if _is_chosen(options) and _option(options, "threads") is None:
        available = available_threads()
        jobs = max(1, min(options.jobs or available, len(pdfinfo)))
        options.extra_attrs["edgeocr_threads"] = max(1, available // jobs)


@hookimpl(tryfirst=True)  # type: ignore[untyped-decorator]
def get_ocr_engine(options: Any) -> EdgeOCREngine | None:
    """Return edgeocr's engine, unless another one was chosen with `--ocr-engine`."""
    return EdgeOCREngine() if _is_chosen(options) else None


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


def _is_chosen(options: Any) -> bool:
    return options is None or getattr(options, "ocr_engine", "auto") == "auto"


def _option(options: Any, name: str) -> Any:
    """Return an option of `add_options`, which callers of ocrmypdf's API may leave out."""
    return getattr(options, f"edgeocr_{name}", None)


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
    chosen = [_option(options, name) for name in ("bundle", "provider", "threads")]
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
