"""What the cells have read: compared with their bundle's reference, and with labels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ..accuracy import label_file
from ..accuracy.agreement import Agreement, agreement
from ..accuracy.labels import LabelledLine
from ..accuracy.score import Score, edit_distance
from ..errors import DatasetError
from ..results.lines import Line
from .cell import Accuracy
from .result import Labels

# The lines of each picture, in the order of the pictures; None for one that failed.
Reading: TypeAlias = "Sequence[Sequence[Line] | None]"


@dataclass(frozen=True)
class LabelledPictures:
    """The labels of the pictures that are read.

    Attributes:
        record: What the result tells about them.
        lines: The labelled lines of each picture, by its index; only of pictures with labels.
    """

    record: Labels
    lines: Mapping[int, Sequence[LabelledLine]]


def compared(reference: Reading, other: Reading) -> Agreement:
    """Compare two readings of the same pictures, over the pictures that both have read."""
    total = Agreement()
    for one, another in zip(reference, other, strict=True):
        if one is not None and another is not None:
            total += agreement(one, another)
    return Agreement(
        total.lines, total.found, total.same, round(min(total.score_difference, total.same), 6)
    )


def scored(labelled: LabelledPictures, reading: Reading) -> Accuracy:
    """Compare a reading with the labels, over the labelled pictures that were read."""
    score = Score()
    pictures = 0
    for index, labels in labelled.lines.items():
        lines = reading[index]
        if lines is not None:
            pictures += 1
            found = [
                (line.quad if line.polygon is None else line.polygon, line.text) for line in lines
            ]
            score.add(labels, found)
    figures = score.figures()
    return Accuracy(
        pictures=pictures,
        lines=score.labelled,
        detection_hmean=round(figures["detection_hmean"], 4),
        hmean=round(figures["hmean"], 4),
        cer=round(figures["cer"], 4),
    )


def labels_of(paths: Sequence[str], file: Path | None = None) -> LabelledPictures | None:
    """Find the labels of pictures.

    Args:
        paths: Paths of the pictures.
        file: The label file; by default each `Label.txt` in a folder of the pictures.

    Returns:
        The labels; None if no picture has any.

    Raises:
        DatasetError: A label file can't be read, or the one that is named has no labels of these
            pictures.
        MissingLibraryError: There are labels, and rapidfuzz is not installed.
    """
    files = [file] if file is not None else _beside(paths)
    if not files:
        return None
    known = {
        picture.resolve(): lines
        for each in files
        for picture, lines in label_file.labels_of(each).items()
    }
    found = {
        index: known[resolved]
        for index, path in enumerate(paths)
        if (resolved := Path(path).resolve()) in known
    }
    if not found:
        if file is not None:
            raise DatasetError(file, "it has no labels of the pictures that are read")
        return None
    edit_distance()
    digest = hashlib.sha256()
    for each in files:
        digest.update(each.read_bytes())
    lines = sum(line.care for labels in found.values() for line in labels)
    return LabelledPictures(Labels(files[0].name, digest.hexdigest(), len(found), lines), found)


def _beside(paths: Sequence[str]) -> list[Path]:
    """Return the label files in the folders of the pictures."""
    folders = dict.fromkeys(Path(path).parent for path in paths)
    return [file for folder in folders if (file := folder / label_file.LABELS).is_file()]
