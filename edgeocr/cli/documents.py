"""The arguments that say which pages of documents are read, and how."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import Any

from ..documents.options import DPI, MOST_DPI, TEXT_LAYER_USES
from ..documents.selection import Selection

# Holds the password of encrypted PDF files. Other users of the system could see an argument.
PASSWORD = "EDGEOCR_PDF_PASSWORD"


def add_document_arguments(command: argparse.ArgumentParser, *, text_layers: bool) -> None:
    """Declare which pages are read, and how those of PDF files are.

    Args:
        command: The command's parser.
        text_layers: Whether the command can take the text that pages of PDF files hold.
    """
    command.add_argument(
        "--pages",
        type=_pages,
        metavar="LIST",
        help="the pages or frames to read of each file, such as 1-3,7,10-; default: all",
    )
    add_pdf_arguments(command, text_layers=text_layers)


def add_pdf_arguments(command: argparse.ArgumentParser, *, text_layers: bool = True) -> None:
    """Declare the arguments for PDF files."""
    command.add_argument(
        "--dpi",
        type=_dots_per_inch,
        default=DPI,
        metavar="N",
        help=f"pixels per inch at which pages of PDF files are rendered; default: {DPI}",
    )
    if text_layers:
        command.add_argument(
            "--pdf-text",
            choices=TEXT_LAYER_USES,
            default="never",
            help="when to take the text that a page of a PDF file holds instead of recognizing the "
            "page: never (the default); auto: where it seems to be all of the page's text; only: "
            "always",
        )


def frame_options(options: argparse.Namespace) -> Mapping[str, Any]:
    """Return the options of `frames_of` that the arguments and the environment ask for."""
    return {
        "pages": options.pages,
        "dpi": options.dpi,
        "pdf_text": getattr(options, "pdf_text", "never"),
        "password": os.environ.get(PASSWORD) or None,
    }


def _pages(text: str) -> str:
    try:
        Selection.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _dots_per_inch(text: str) -> int:
    """Parse a resolution in pixels per inch."""
    if not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= MOST_DPI:
        raise argparse.ArgumentTypeError(
            f"must be a whole number from 1 to {MOST_DPI}, not {text:.20}"
        )
    return int(text)
