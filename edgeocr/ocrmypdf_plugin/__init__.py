"""A plugin that lets ocrmypdf read with edgeocr: `ocrmypdf --plugin edgeocr.ocrmypdf_plugin`.

ocrmypdf draws the pages of a PDF, calls the methods of `EdgeOCREngine` in its worker processes, and
lays the text that they return under the pages. Tesseract need not be installed.
"""

from __future__ import annotations

from argparse import ArgumentParser
from types import SimpleNamespace
from typing import Any

try:
    from ocrmypdf import hookimpl
    from ocrmypdf.exceptions import BadArgsError
except ModuleNotFoundError as error:
    advice = 'ocrmypdf is not installed: pip install "edgeocr[ocrmypdf]"'
    raise ModuleNotFoundError(advice, name="ocrmypdf") from error

from ..bundle.bundle import Bundle
from ..device.cpus import available_threads
from ..errors import EdgeOCRError
from ..runtime.providers import AUTO, check_provider_choice
from .engine import EdgeOCREngine
from .options import is_chosen, option

# What ocrmypdf calls its own plugin for Tesseract, and the program that this plugin asks for.
TESSERACT_PLUGIN = "ocrmypdf.builtin_plugins.tesseract_ocr"


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
    if not is_chosen(options):
        from ocrmypdf.builtin_plugins import tesseract_ocr

        if options.ocr_engine == "tesseract":
            tesseract_ocr.check_options(options)
        return
    bundle, threads = option(options, "bundle"), option(options, "threads")
    try:
        check_provider_choice(option(options, "provider") or AUTO)
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
    if is_chosen(options) and option(options, "threads") is None:
        available = available_threads()
        jobs = max(1, min(options.jobs or available, len(pdfinfo)))
        options.extra_attrs["edgeocr_threads"] = max(1, available // jobs)


@hookimpl(tryfirst=True)  # type: ignore[untyped-decorator]
def get_ocr_engine(options: Any) -> EdgeOCREngine | None:
    """Return edgeocr's engine, unless another one was chosen with `--ocr-engine`."""
    return EdgeOCREngine() if is_chosen(options) else None
