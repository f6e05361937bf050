"""Write small sets of labelled pictures in the formats in which they are published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np

ROW = "10,10,60,10,60,30,10,30,{}"


def picture(path: Path) -> Path:
    """Write a blank picture; its folder is made if necessary."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((40, 80, 3), 255, np.uint8))
    return path


def text(path: Path, *rows: str, encoding: str = "utf-8") -> Path:
    """Write a label file with Windows' line ends, as ICDAR's are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(f"{row}\r\n" for row in rows).encode(encoding))
    return path


def lmdb_database(folder: Path, words: Iterable[tuple[bytes, str]]) -> Path:
    """Write a database of the DTRB benchmark: encoded pictures and their texts."""
    values = {}
    number = 0
    for number, (content, label) in enumerate(words, 1):
        values[f"image-{number:09d}"] = content
        values[f"label-{number:09d}"] = label.encode()
    return lmdb_values(folder, values | {"num-samples": str(number).encode()})


def lmdb_values(folder: Path, values: Mapping[str, bytes]) -> Path:
    """Write any values to an LMDB database."""
    import lmdb

    folder.mkdir(parents=True, exist_ok=True)
    with (
        lmdb.open(str(folder), map_size=1 << 24) as environment,
        environment.begin(write=True) as transaction,
    ):
        for key, value in values.items():
            transaction.put(key.encode(), value)
    return folder
