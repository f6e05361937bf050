"""The pictures that results name: `scan.pdf#3` is the third page of `scan.pdf`."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..decoding import tiff
from ..decoding.formats import ENOUGH
from ..decoding.tiff_page import Page as TiffPage
from ..documents.pdf import PdfPage, is_pdf
from ..errors import ImageError
from ..images import Frame, Source

NUMBERED = re.compile(r"(.+)#([1-9]\d{0,5})", re.DOTALL)


def picture_of(name: str, picture: Source | None) -> Source:
    """Return the picture of a result.

    Args:
        name: The result's source.
        picture: The picture, if the caller has given it.

    Raises:
        ImageError: No picture was given, and the result's source is no file.
    """
    if picture is not None:
        return page_named(picture)
    found = page_named(name)
    if found is name and not _exists(name):
        raise ImageError(
            f"{name}: the picture is needed for this, and there is no such file: pass the picture "
            "that was read (picture= of save)"
        )
    return found


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


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # loading the file says what is wrong
        return True
