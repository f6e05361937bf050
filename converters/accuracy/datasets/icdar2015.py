"""ICDAR 2015, incidental scene text: `gt_img_1.txt` for the picture `img_1.jpg`.

A row is `x1,y1,x2,y2,x3,y3,x4,y4,text` for each word, clockwise; `###` marks a word that must not
count. The files begin with a byte order mark, and texts may have commas.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from edgeocr.accuracy.label_file import rows
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.errors import DatasetError

from ..labels import LabelledPages
from . import label_files
from .rows import quad_and_text

PREFIX = "gt_"
DONT_CARE = ("###",)


def recognizes(path: Path) -> bool:
    """Tell whether a folder holds such label files, also in a folder below it."""
    return any(True for _ in path.rglob(f"{PREFIX}*.txt"))


def read(path: Path, pictures: Path | None = None) -> list[LabelledPages]:
    """Read the label files of a folder.

    Args:
        path: The folder with the label files, or one above it.
        pictures: The folder of the pictures, if they are neither beside the labels, nor below
            `path`, nor in a folder beside the labels' own.

    Raises:
        DatasetError: A row is no label, or a picture is missing.
    """
    return label_files.read(path, pictures, dataset="icdar2015", prefix=PREFIX, lines_of=lines_of)


def lines_of(file: Path) -> list[LabelledLine]:
    """Return the labelled words of one file.

    Raises:
        DatasetError: A row is no label.
    """
    found = []
    for number, row in rows(file):
        try:
            line = quad_and_text(row, DONT_CARE)
        except ValueError as error:
            raise DatasetError(file, f"{error}: {row!r:.80}", number) from None
        found.append(replace(line, text=_unquoted(line.text)))
    return found


def _unquoted(text: str) -> str:
    """Return a text without the quotation marks around it, as the official scripts do."""
    if quoted := re.fullmatch(r'"(.*)"', text):
        return quoted[1].replace("\\\\", "\\").replace('\\"', '"')
    return text
