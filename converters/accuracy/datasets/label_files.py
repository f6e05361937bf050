"""Read sets that have a label file for each picture, named after it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgeocr.accuracy.labels import LabelledLine

from ..labels import LabelledPages
from .pictures import Pictures
from .rows import single_folder


def read(
    path: Path,
    pictures: Path | None,
    *,
    dataset: str,
    prefix: str,
    lines_of: Callable[[Path], list[LabelledLine]],
) -> list[LabelledPages]:
    """Read the label files of a folder.

    Args:
        path: The folder with the label files, or one above it.
        pictures: The folder of the pictures, if they are neither beside the labels, nor below
            `path`, nor in a folder beside the labels' own.
        dataset: The name of the format.
        prefix: What the name of a label file has before the name of its picture.
        lines_of: Reads the labelled lines of one file.

    Raises:
        DatasetError: A row is no label, or a picture is missing.
    """
    folder, files = single_folder(path.rglob(f"{prefix}*.txt"), path)
    there = Pictures(path, folder, pictures)
    found = {there.named(file.stem.removeprefix(prefix), file): lines_of(file) for file in files}
    return [LabelledPages(path.resolve().name, dataset, found)]
