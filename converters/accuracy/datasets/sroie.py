"""SROIE, the receipts of ICDAR 2019: `box/000.csv` and `img/000.jpg`, or `X000.txt` and `X000.jpg`.

The first form is that of the repository ICDAR-2019-SROIE, the second the competition's own. A row
is `x1,y1,x2,y2,x3,y3,x4,y4,text` for each line, clockwise, without quotes around texts with commas.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from edgeocr.accuracy.label_file import rows
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.errors import DatasetError

from ..labels import LabelledPages
from .pictures import Pictures, is_picture
from .rows import first_row, quad_and_text

SUFFIXES = (".csv", ".txt")
# After this many pictures without a label file, a folder is not taken for one of SROIE's.
TRIED = 5


def recognizes(path: Path) -> bool:
    """Tell whether a folder has label files in `box`, or beside pictures of the same names."""
    if any(map(_is_label, _candidates(path / "box"))):
        return True
    pictures = islice((file for file in sorted(path.iterdir()) if is_picture(file)), TRIED)
    return any(_is_label(file.with_suffix(".txt")) for file in pictures)


def read(path: Path, pictures: Path | None = None) -> list[LabelledPages]:
    """Read the label files of a folder.

    Args:
        path: The folder with `box` and `img`, or with pictures and label files.
        pictures: The folder of the pictures, if they are elsewhere.

    Raises:
        DatasetError: A row is no label, or a picture is missing.
    """
    folder = path / "box"
    files = _candidates(folder)
    if not files:
        # Other text files may stand beside the pictures, such as a description of the set.
        folder = path
        stems = {file.stem for file in path.iterdir() if is_picture(file)}
        files = [file for file in _candidates(path) if file.stem in stems or _is_label(file)]
    there = Pictures(path, folder, pictures)
    found = {there.named(file.stem, file): _lines(file) for file in files}
    return [LabelledPages(path.resolve().name, "sroie", found)]


def _candidates(folder: Path) -> list[Path]:
    """Return the files in a folder that have the suffix of label files."""
    if not folder.is_dir():
        return []
    return [file for file in sorted(folder.iterdir()) if file.suffix.lower() in SUFFIXES]


def _is_label(file: Path) -> bool:
    """Tell from its first row whether a file holds labels."""
    try:
        quad_and_text(first_row(file), ())
    except ValueError:
        return False
    return True


def _lines(file: Path) -> list[LabelledLine]:
    found = []
    # A few of the published files are in Windows' encoding of Western European languages.
    for number, row in rows(file, "cp1252", "latin-1"):
        try:
            found.append(quad_and_text(row, ()))
        except ValueError as error:
            raise DatasetError(file, f"{error}: {row!r:.80}", number) from None
    return found
