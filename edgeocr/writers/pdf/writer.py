"""Write pages as a searchable PDF: each picture, and above it its text, which is invisible."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from ...decoding.limits import MAX_IMAGE_PIXELS, Limits
from ...images import Frame, Source
from ...outputs.devices import output_errors
from ...results.read_page import ReadPage
from ..named import picture_of
from . import kept
from .part import Part, save
from .pictures import embed

PRODUCER = re.compile(rb"/Producer \(edgeocr [^)]*\)")


class Writer:
    """A searchable PDF that gets its pages one by one.

    The memory that it takes doesn't grow with the number of pages: finished ones wait in temporary
    files.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        """Begin a document, which is written to the stream when it is closed.

        Args:
            stream: An open binary file.

        Raises:
            MissingLibraryError: pikepdf is not installed.
        """
        self._stream = stream
        self._parts: list[Path] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._part = Part()

    def add(self, page: ReadPage, picture: Source | None = None) -> None:
        """Add a page.

        Args:
            page: What was read in a picture.
            picture: The picture, as it was given to `OCR.read`, or the frame; None for the file
                that `page.source` names. A page of a PDF file is kept as it is, and gets the text
                that it lacks.

        Raises:
            ImageError: The picture can't be read.
        """
        source = picture_of(page.source, picture)
        held = kept.pdf_page_of(source)
        if held is None or not self._part.keep(page, held):
            # A picture that was read may be written, however large it is.
            limits = Limits(max(MAX_IMAGE_PIXELS, page.width * page.height))
            drawn = Frame(page.source, held=held) if held is not None else source
            self._part.add(page, embed(drawn, limits))
        if self._part.is_full:
            self._put_aside()

    def close(self) -> None:
        """Write the document; the stream stays open.

        Without pages nothing is written, since a PDF has at least one.
        """
        if self._folder is None:
            if self._part.pages:
                self._part.save(self._stream)
            return
        with self._folder:
            if self._part.pages:
                self._put_aside()
            self._join()

    def _put_aside(self) -> None:
        """Move the pages that are in memory to a temporary file."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="edgeocr-")
        path = Path(self._folder.name, f"{len(self._parts)}.pdf")
        self._parts.append(path)
        with output_errors(path), path.open("wb") as file:
            self._part.save(file)
        self._part = Part()

    def _join(self) -> None:
        """Write the pages of all temporary files.

        pikepdf copies pages that are added to a document into memory. qpdf's own way of joining
        files, which pikepdf calls a job, leaves them on the disk until they are written.
        """
        import pikepdf

        job = {"empty": "", "pages": [{"file": str(path)} for path in self._parts]}
        # Nothing is written to this file, but a job must name one.
        with pikepdf.Job({**job, "outputFile": os.devnull}).create_pdf() as whole:
            save(whole, self._stream)


def write(pages: Iterable[ReadPage], stream: IO[bytes]) -> None:
    """Write pages as a searchable PDF.

    Args:
        pages: What was read; their pictures are the files that `page.source` names.
        stream: An open binary file.

    Raises:
        MissingLibraryError: pikepdf is not installed.
        ImageError: A picture can't be read.
    """
    writer = Writer(stream)
    for page in pages:
        writer.add(page)
    writer.close()


def is_ours(start: bytes) -> bool:
    """Tell whether a file begins as `Writer` writes it.

    Args:
        start: The first bytes of the file, or all of it.
    """
    return start.startswith(b"%PDF-") and PRODUCER.search(start) is not None


def text_only(page: ReadPage, size: tuple[float, float], stream: IO[bytes]) -> None:
    """Write a PDF of one page that has a page's invisible text and no picture.

    Args:
        page: What was read.
        size: Width and height of the page in points.
        stream: An open binary file.

    Raises:
        MissingLibraryError: pikepdf is not installed.
    """
    part = Part()
    part.add_text(page, size)
    part.save(stream)
