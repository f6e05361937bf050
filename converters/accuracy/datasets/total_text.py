"""Total-Text: `poly_gt_img1.txt` for the picture `img1.jpg`.

A row is `x: [[1 2 3 4]], y: [[5 6 7 8]], ornt: [u'c'], transcriptions: [u'text']` for each word. A
word whose orientation or text is `#` must not count. Long rows are broken into several lines.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgeocr.accuracy.label_file import outline, rows
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.errors import DatasetError

from ..labels import LabelledPages
from . import label_files

PREFIX = "poly_gt_"
DONT_CARE = "#"
ROW = re.compile(
    r"x: *\[\[(?P<x>[^\]]*)\]\], *y: *\[\[(?P<y>[^\]]*)\]\],"
    r" *ornt: *(?P<ornt>\[.*?\]), *transcriptions: *(?P<texts>\[.*\])"
)


def recognizes(path: Path) -> bool:
    """Tell whether a folder holds such label files, also in a folder below it."""
    return any(True for _ in path.rglob(f"{PREFIX}*"))


def read(path: Path, pictures: Path | None = None) -> list[LabelledPages]:
    """Read the label files of a folder.

    Args:
        path: The folder with the label files, or one above it.
        pictures: The folder of the pictures, if they are neither beside the labels, nor below
            `path`, nor in a folder beside the labels' own.

    Raises:
        DatasetError: A row is no label, a picture is missing, or the labels are MATLAB's.
    """
    if not any(True for _ in path.rglob(f"{PREFIX}*.txt")):
        raise DatasetError(
            path, f"there is no {PREFIX}*.txt; of the two published forms, .txt is read, not .mat"
        )
    return label_files.read(
        path,
        pictures,
        dataset="total_text",
        prefix=PREFIX,
        lines_of=lambda file: list(_lines(file)),
    )


def _lines(file: Path) -> Iterator[LabelledLine]:
    for number, row in _whole_rows(file):
        try:
            yield _line(row)
        except (ValueError, SyntaxError) as error:
            raise DatasetError(file, f"{error}: {row!r:.80}", number) from None


def _whole_rows(file: Path) -> Iterator[tuple[int, str]]:
    """Yield rows as they were before they were broken, each with its first line's number."""
    first, whole = 0, ""
    for number, row in rows(file):
        if row.startswith("x:") and whole:
            yield first, whole
            whole = ""
        if not whole:
            first = number
        whole = f"{whole} {row.strip()}".strip()
    if whole:
        yield first, whole


def _line(row: str) -> LabelledLine:
    match = ROW.fullmatch(row)
    if match is None:
        raise ValueError("a row must have x, y, ornt and transcriptions")
    xs, ys = ([float(number) for number in match[name].split()] for name in ("x", "y"))
    if len(xs) != len(ys):
        raise ValueError(f"there are {len(xs)} numbers for x and {len(ys)} for y")
    texts = [str(text) for text in ast.literal_eval(match["texts"])]
    text = ",".join(texts) or DONT_CARE
    care = text != DONT_CARE and "#" not in match["ornt"]
    return LabelledLine(outline(np.column_stack([xs, ys]).tolist(), least=3), text, care)
