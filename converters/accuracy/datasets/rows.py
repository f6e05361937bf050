"""Rows of label files: reading them, and the parts that several formats share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from edgeocr.accuracy.label_file import outline
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.errors import DatasetError

# Bytes of a file that are read to recognize its format.
START = 1 << 16


def first_row(path: Path) -> str:
    """Return the first row of a file that is not empty, or "" if it has none or is no text."""
    try:
        with path.open("rb") as file:
            start = file.read(START).decode("utf-8-sig", "replace")
    except OSError:
        return ""
    return next((row.strip("\r") for row in start.split("\n") if row.strip()), "")


def single_folder(files: Iterator[Path], root: Path) -> tuple[Path, list[Path]]:
    """Return the one folder that label files are in, and these files in the order of their names.

    Raises:
        DatasetError: They are in several folders, such as those of training and test.
    """
    found = sorted(files, key=lambda path: (len(path.name), path.name))
    folders = sorted({path.parent for path in found})
    if len(folders) != 1:
        listed = ", ".join(str(path.relative_to(root)) for path in islice(folders, 5))
        raise DatasetError(root, f"labels are in several folders; name one of them: {listed}")
    return folders[0], found


def quad_and_text(row: str, dont_care: Sequence[str]) -> LabelledLine:
    """Read a row `x1,y1,x2,y2,x3,y3,x4,y4,text`, whose text may have commas.

    Args:
        row: The row.
        dont_care: Texts of lines that must not count.

    Raises:
        ValueError: It is no such row.
    """
    fields = row.split(",", 8)
    if len(fields) < 9:
        raise ValueError("a row must have 8 numbers and a text, with commas between them")
    numbers = [float(field) for field in fields[:8]]
    text = fields[8].strip()
    return LabelledLine(outline(np.reshape(numbers, (4, 2)).tolist()), text, text not in dont_care)
