"""PaddleOCR's `Label.txt`, as PPOCRLabel writes it, and the label files of its training data.

A row is a picture's name, a tab, and the picture's labelled lines as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DatasetError
from .labels import DONT_CARE, LabelledLine
from .places import Polygon

LABELS = "Label.txt"


def read(path: Path, pictures: Path | None = None) -> dict[Path, list[LabelledLine]]:
    """Read labels that pictures can be scored with: all are there, and a line of them counts.

    Args:
        path: The label file, or a folder with a `Label.txt`.
        pictures: The folder that the pictures' names are relative to, if it is not the file's.

    Returns:
        The labelled lines of each picture.

    Raises:
        DatasetError: There is no label file, a row is no label, a picture is missing, or no line
            counts.
    """
    file = path / LABELS if path.is_dir() else path
    if not file.is_file():
        raise DatasetError(file, "there is no such file; it must have labels in PaddleOCR's format")
    found = labels_of(file, pictures)
    check(file, found)
    return found


def labels_of(file: Path, pictures: Path | None = None) -> dict[Path, list[LabelledLine]]:
    """Return every picture of a label file with its labelled lines, whether it is there or not.

    Args:
        file: The label file.
        pictures: The folder that the pictures' names are relative to, if it is not the file's.

    Raises:
        DatasetError: The file can't be read, or a row is no label.
    """
    found = {}
    for number, row in rows(file):
        name, _, regions = row.partition("\t")
        try:
            lines = [_line(region) for region in json.loads(regions)]
        except (ValueError, KeyError, TypeError) as error:
            problem = f"{name:.80}: a JSON list of labelled lines must follow: {error}"
            raise DatasetError(file, problem, number) from None
        found[pictures / name if pictures else listed(file, name)] = lines
    return found


def check(path: Path, pictures: Mapping[Path, Sequence[LabelledLine]]) -> None:
    """Refuse labels of which a picture is missing, or no line counts.

    Args:
        path: The label file or folder, for the error.
        pictures: The labelled lines of each picture.

    Raises:
        DatasetError: A picture is missing, or no line counts.
    """
    missing = [str(picture) for picture in pictures if not picture.is_file()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise DatasetError(path, f"labelled pictures are missing: {missing[0]}{more}")
    if not any(line.care for lines in pictures.values() for line in lines):
        raise DatasetError(path, "no labelled line counts: label one whose text can be read")


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


def outline(points: Any, least: int = 4) -> Polygon:
    """Return an outline's points as an array, float64 [K, 2].

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


def listed(labels: Path, name: str) -> Path:
    """Return the picture that a row of a label file names.

    Names are relative to the label file's folder. PPOCRLabel writes the folder's own name before
    them, and PaddleOCR's examples several folders, as in `train_data/rec/train/word_001.jpg`.

    Args:
        labels: The label file.
        name: The name in its row.
    """
    folder = labels.parent
    if (path := folder / name).is_file():
        return path
    parts, above = Path(name).parts, folder.resolve().parts
    for number in range(1, len(parts)):
        if above[-number:] == parts[:number]:
            return folder.joinpath(*parts[number:])
    return path


def _line(region: Any) -> LabelledLine:
    polygon, text = outline(region["points"]), region["transcription"]
    if not isinstance(text, str):
        raise TypeError(f"a transcription must be a string, not {text!r:.80}")
    return LabelledLine(polygon, text, text not in DONT_CARE)


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
