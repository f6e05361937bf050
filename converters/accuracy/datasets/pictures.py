"""Find the pictures that label files are of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from edgeocr.errors import DatasetError

SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}


class Pictures:
    """The pictures in and beside the folder of a set, by their names without suffix."""

    def __init__(self, root: Path, labels: Path, pictures: Path | None) -> None:
        """Say where to look for pictures.

        Args:
            root: The folder of the set.
            labels: The folder of its label files, which is `root` or below it.
            pictures: The folder of the pictures, if it is known.
        """
        self._root = root
        # Each place is some folders, and whether their subfolders are searched as well. A picture
        # is taken from the first place that has one of its name.
        self._places: list[tuple[Sequence[Path], bool]]
        if pictures is not None:
            self._places = [([pictures], True)]
        else:
            beside = sorted(path for path in labels.parent.iterdir() if path.is_dir())
            self._places = [([labels], False), ([root], True), (beside, False)]
        self._found: list[dict[str, list[Path]]] = []

    def named(self, stem: str, labels: Path) -> Path:
        """Return the picture of a name.

        Args:
            stem: The picture's name without its suffix.
            labels: The file with its labels, for the error.

        Raises:
            DatasetError: There is no such picture, or there are several.
        """
        for place in self._indexes():
            if paths := place.get(stem):
                if len(paths) == 1:
                    return paths[0]
                both = " or ".join(str(path) for path in paths[:2])
                raise DatasetError(
                    labels,
                    f"its picture may be {both}; name the folder of the pictures (--pictures)",
                )
        raise DatasetError(
            labels,
            f"there is no picture {stem}.jpg or .png beside it or in {self._root}; "
            "name the folder of the pictures (--pictures)",
        )

    def _indexes(self) -> Iterator[dict[str, list[Path]]]:
        """Yield the pictures of each place, which are looked up when they are first needed."""
        for number, (folders, below) in enumerate(self._places):
            if number == len(self._found):
                self._found.append(_index(folders, below=below))
            yield self._found[number]


def is_picture(path: Path) -> bool:
    """Tell from its name whether a file is a picture."""
    return path.suffix.lower() in SUFFIXES


def _index(folders: Sequence[Path], *, below: bool) -> dict[str, list[Path]]:
    """Return the pictures in folders, also in those below them if wanted, by their names."""
    found: dict[str, list[Path]] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*") if below else folder.iterdir()):
            if is_picture(path) and path.is_file():
                found.setdefault(path.stem, []).append(path)
    return found
