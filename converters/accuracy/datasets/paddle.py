"""PaddleOCR's `Label.txt`, as PPOCRLabel writes it, and the label files of its training data.

A row is a picture's name, a tab, and the picture's labelled lines as JSON.
"""

from __future__ import annotations

from pathlib import Path

from edgeocr.accuracy.label_file import LABELS, labels_of
from edgeocr.errors import DatasetError

from ..labels import LabelledPages
from .rows import first_row


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


def _label_files(folder: Path) -> list[Path]:
    """Return a folder's `Label.txt`, or the files of another name that have the same format."""
    if (usual := folder / LABELS).is_file():
        return [usual]
    return [file for file in sorted(folder.glob("*.txt")) if _is_label_file(file)]


def _is_label_file(file: Path) -> bool:
    _, tab, regions = first_row(file).partition("\t")
    return bool(tab) and regions.lstrip().startswith("[")
