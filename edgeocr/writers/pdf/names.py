"""The pages of files that results name: `scan.pdf#3` is the third page of `scan.pdf`."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ...decoding import tiff
from ...decoding.formats import ENOUGH
from ...decoding.tiff_page import Page as TiffPage
from ...documents.pdf import PdfPage, is_pdf
from ...images import Frame, Source

NUMBERED = re.compile(r"(.+)#([1-9]\d{0,5})", re.DOTALL)


def page_named(source: Source) -> Source:
    """Return the page of a PDF or TIFF file that a name stands for, as a frame.

    Args:
        source: Any source.

    Returns:
        A frame with the page; the source itself if it names no such page, or if it is a picture.
    """
    if not isinstance(source, (str, os.PathLike)):
        return source
    name = os.fspath(source)
    try:
        path, number = Path(name), 1
        if not path.exists() and (match := NUMBERED.fullmatch(name)):
            path, number = Path(match[1]), int(match[2])
        with path.open("rb") as file:
            start = file.read(ENOUGH)
            if is_pdf(start):
                return Frame(name, number, held=PdfPage(path, number))
            if number > 1 or path != Path(name):
                offsets = tiff.pages(file, number)
                if len(offsets) == number:
                    return Frame(name, number, held=TiffPage(path, offsets[-1]))
    except (OSError, ValueError):  # loading the source says what is wrong
        pass
    return source
