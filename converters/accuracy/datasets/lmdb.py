"""The LMDB databases of the DTRB benchmark (deep-text-recognition-benchmark): pictures of words.

A database is a folder with `data.mdb`. Its keys are `num-samples`, and `image-000000001` and
`label-000000001` for the first picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from edgeocr.errors import DatasetError

from ..labels import LabelledWord, LabelledWords

DATA = "data.mdb"
# The order of the benchmark's columns.
SETS = (
    *("IIIT5k_3000", "SVT", "IC03_860", "IC03_867", "IC13_857", "IC13_1015"),
    *("IC15_1811", "IC15_2077", "SVTP", "CUTE80"),
)


def recognizes(path: Path) -> bool:
    """Tell whether a folder is a database, or has one below it."""
    return any(True for _ in path.rglob(DATA))


def read(path: Path, pictures: Path | None = None) -> list[LabelledWords]:
    """Read all databases of a folder, in the order of the columns of the benchmark's table.

    Args:
        path: A database, or a folder with databases below it.
        pictures: Not used: the pictures are in the database.

    Raises:
        DatasetError: A database is damaged, or the package lmdb is missing.
    """
    found = {
        "/".join(file.parent.relative_to(path).parts) or path.resolve().name: file.parent
        for file in path.rglob(DATA)
    }
    order = {name: place for place, name in enumerate(SETS)}
    names = sorted(found, key=lambda name: (order.get(name, len(SETS)), name))
    return [LabelledWords(name, "lmdb", _words(found[name])) for name in names]


def _words(folder: Path) -> list[LabelledWord]:
    with _values(folder) as values:
        number = values("num-samples").decode("ascii", "replace")
        if not number.isdecimal():
            raise DatasetError(folder, f"num-samples must be a number, not {number!r:.80}")
        words = []
        for place in range(1, int(number) + 1):
            label, picture = f"label-{place:09d}", f"image-{place:09d}"
            try:
                text = values(label).decode("utf-8")
            except UnicodeDecodeError as error:
                raise DatasetError(folder, f"{label} must be text in UTF-8: {error}") from None
            words.append(LabelledWord(picture, text, partial(_picture, folder, picture)))
    return words


def _picture(folder: Path, key: str) -> bytes:
    with _values(folder) as values:
        return values(key)


@contextmanager
def _values(folder: Path) -> Iterator[Callable[[str], bytes]]:
    """Open a database; yield a function that returns the value of a key."""
    try:
        import lmdb
    except ImportError as error:
        raise DatasetError(
            folder, 'LMDB databases need the package lmdb: pip install ".[accuracy]"'
        ) from error

    def value(key: str) -> bytes:
        if (found := transaction.get(key.encode())) is None:
            raise DatasetError(folder, f"there is no {key}")
        return bytes(found)

    try:
        # Without a lock, a database can be read that is on a read-only file system.
        with (
            lmdb.open(str(folder), readonly=True, lock=False) as environment,
            environment.begin() as transaction,
        ):
            yield value
    except lmdb.Error as error:
        raise DatasetError(folder, f"the database can't be read: {error}") from error
