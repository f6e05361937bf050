"""Read labelled pictures of any format, which is recognized from what a folder holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from edgeocr.accuracy import label_file
from edgeocr.errors import DatasetError

from ..labels import Dataset, LabelledPages
from . import icdar2015, lmdb, paddle, rec_gt, sroie, total_text


class Reader(Protocol):
    """What a module of this package has."""

    def recognizes(self, path: Path) -> bool:
        """Tell whether a folder, or a label file, is of this format."""

    def read(self, path: Path, pictures: Path | None = None) -> Sequence[Dataset]:
        """Return the sets of a folder or label file."""


# In the order in which they are tried. PPOCRLabel writes a rec_gt.txt beside Label.txt, so that
# rec_gt comes after paddle.
KINDS: Mapping[str, Reader] = MappingProxyType(
    {
        "lmdb": lmdb,
        "icdar2015": icdar2015,
        "total_text": total_text,
        "paddle": paddle,
        "rec_gt": rec_gt,
        "sroie": sroie,
    }
)
# Formats that are recognized by a file, and may be named by it.
FILES = ("paddle", "rec_gt")


def read(path: Path, kind: str | None = None, pictures: Path | None = None) -> list[Dataset]:
    """Read the labelled pictures of a folder or label file.

    Args:
        path: The folder, or a label file of PaddleOCR.
        kind: The format, one of `KINDS`; None to recognize it.
        pictures: The folder of the pictures, if they are not where the format has them.

    Returns:
        The sets; several only for a folder with several LMDB databases.

    Raises:
        DatasetError: There are no labels of this format, a row is wrong, or a picture is missing.
        ValueError: `kind` is none of `KINDS`.
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    if not path.exists():
        raise DatasetError(path, "there is no such folder or file")
    if path.is_file() and kind not in (None, *FILES):
        raise DatasetError(path, f"{kind} is read from a folder, not from a file")
    kinds = [kind] if kind else FILES if path.is_file() else list(KINDS)
    chosen = next((name for name in kinds if KINDS[name].recognizes(path)), None)
    if chosen is None:
        known = "the format" if kind else "a known format:"
        raise DatasetError(path, f"there are no labels of {known} {', '.join(kinds)}")
    sets = list(KINDS[chosen].read(path, pictures))
    for each in sets:
        if isinstance(each, LabelledPages):
            label_file.check(path, each.pictures)
        elif not each.words:
            raise DatasetError(path, f"{each.name} has no pictures")
    return sets
