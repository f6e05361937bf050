"""PaddleOCR's `Label.txt`, as PPOCRLabel writes it, and the label files of its training data.

A row is a picture's name, a tab, and the picture's labelled lines as JSON.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ...errors import DatasetError
from ..labels import DONT_CARE, LabelledLine, LabelledPages
from .pictures import listed
from .rows import first_row, outline, rows

LABELS = "Label.txt"


def recognizes(path: Path) -> bool:
    """Tell whether a file is such a label file, or a folder has one."""
    return _is_label_file(path) if path.is_file() else bool(_label_files(path))


def read(path: Path, pictures: Path | None = None) -> list[LabelledPages]:
    """Read a label file.

    Args:
        path: The file, or a folder with `Label.txt` or with a single label file of another name.
        pictures: The folder that the names are relative to, if it is not the label file's.

    Raises:
        DatasetError: There is no label file or no single one, or a row is no label.
    """
    files = [path] if path.is_file() else _label_files(path)
    if len(files) != 1:
        several = f"several label files; name one: {', '.join(file.name for file in files)}"
        raise DatasetError(path, several if files else f"there is no {LABELS}")
    named = path if path.is_dir() else path.with_suffix("")
    return [LabelledPages(named.resolve().name, "paddle", labels_of(files[0], pictures))]


def labels_of(file: Path, pictures: Path | None = None) -> dict[Path, list[LabelledLine]]:
    """Return every picture of a label file with its labelled lines.

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


def _label_files(folder: Path) -> list[Path]:
    """Return a folder's `Label.txt`, or the files of another name that have the same format."""
    if (usual := folder / LABELS).is_file():
        return [usual]
    return [file for file in sorted(folder.glob("*.txt")) if _is_label_file(file)]


def _is_label_file(file: Path) -> bool:
    _, tab, regions = first_row(file).partition("\t")
    return bool(tab) and regions.lstrip().startswith("[")


def _line(region: Any) -> LabelledLine:
    polygon, text = outline(region["points"]), region["transcription"]
    if not isinstance(text, str):
        raise TypeError(f"a transcription must be a string, not {text!r:.80}")
    return LabelledLine(polygon, text, text not in DONT_CARE)
