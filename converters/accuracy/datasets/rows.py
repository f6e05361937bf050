"""Rows of label files: reading them, and the parts that several formats share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DatasetError
from ..labels import LabelledLine, Polygon

# Bytes of a file that are read to recognize its format.
START = 1 << 16


def rows(path: Path, *more_encodings: str) -> Iterator[tuple[int, str]]:
    """Yield the rows of a text file that are not empty, with their numbers from 1.

    Only a line feed ends a row: texts may contain other characters that Unicode calls line ends.

    Args:
        path: The file, in UTF-8, with or without a byte order mark.
        more_encodings: Encodings to try where it is not UTF-8.

    Raises:
        DatasetError: The file can't be read, or has none of these encodings.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DatasetError(path, f"can't be read: {error.strerror}") from error
    for number, row in enumerate(_decoded(path, content, more_encodings).split("\n"), 1):
        if row.strip():
            yield number, row.removesuffix("\r")


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


def outline(points: Any, least: int = 4) -> Polygon:
    """Return an outline's points as an array.

    Args:
        points: Pairs [x, y], in pixels.
        least: The smallest number of points.

    Raises:
        ValueError: There are fewer points, or they are no pairs of finite numbers.
    """
    polygon = np.array(points, np.float64)
    if polygon.ndim != 2 or polygon.shape[1] != 2 or len(polygon) < least:
        raise ValueError(f"points must be {least} or more pairs [x, y], not {points!r:.80}")
    if not np.isfinite(polygon).all():
        raise ValueError("points must be finite")
    return polygon


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


def _decoded(path: Path, content: bytes, more_encodings: Sequence[str]) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        for encoding in more_encodings:
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                continue
        raise DatasetError(path, f"must be text in UTF-8: {error}") from None
