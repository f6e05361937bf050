"""PaddleOCR's `rec_gt.txt`: pictures of single lines.

A row is a picture's name, a tab, and its text.
"""

from __future__ import annotations

from pathlib import Path

from edgeocr.accuracy.label_file import listed, rows
from edgeocr.errors import DatasetError

from ..labels import LabelledWord, LabelledWords
from . import paddle
from .pictures import is_picture
from .rows import first_row


def recognizes(path: Path) -> bool:
    """Tell whether a file is such a label file, or a folder has one."""
    return _is_label_file(path) if path.is_file() else bool(_label_files(path))


def read(path: Path, pictures: Path | None = None) -> list[LabelledWords]:
    """Read a label file.

    Args:
        path: The file, or a folder with a single one.
        pictures: The folder that the names are relative to, if it is not the label file's.

    Raises:
        DatasetError: There is no single label file, a row is no label, or a picture is missing.
    """
    files = [path] if path.is_file() else _label_files(path)
    if len(files) != 1:
        several = f"several label files; name one: {', '.join(file.name for file in files)}"
        raise DatasetError(path, several if files else "there is no rec_gt.txt")
    (file,) = files
    words = []
    for number, row in rows(file):
        name, tab, text = row.partition("\t")
        if not tab:
            problem = f"a row must have a name, a tab and a text: {row!r:.80}"
            raise DatasetError(file, problem, number)
        picture = pictures / name if pictures else listed(file, name)
        if not picture.is_file():
            raise DatasetError(file, f"the picture {picture} is missing", number)
        words.append(LabelledWord(name, text, picture.read_bytes))
    named = path if path.is_dir() else path.with_suffix("")
    return [LabelledWords(named.resolve().name, "rec_gt", words)]


def _label_files(folder: Path) -> list[Path]:
    if (usual := folder / "rec_gt.txt").is_file():
        return [usual]
    return [file for file in sorted(folder.glob("*.txt")) if _is_label_file(file)]


def _is_label_file(file: Path) -> bool:
    name, tab, _ = first_row(file).partition("\t")
    return bool(tab) and is_picture(Path(name)) and not paddle.recognizes(file)
