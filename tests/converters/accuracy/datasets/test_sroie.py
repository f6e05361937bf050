"""Test reading SROIE's receipts in both published forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters.accuracy.datasets import folder
from converters.accuracy.labels import LabelledPages
from converters.errors import DatasetError
from tests.support.datasets import ROW, picture, text

ROWS = (
    "72,25,326,25,326,64,72,64,TAN WOON YANN",
    "50,342,470,342,470,380,50,380,NO.53 55,57 & 59, JALAN SAGU 18",
    '1,1,9,1,9,9,1,9,"SIZE 5""',
)


@pytest.mark.parametrize(
    ("labels", "image"), [("box/000.csv", "img/000.jpg"), ("X510.txt", "X510.jpg")]
)
def test_receipts_are_read(labels: str, image: str, tmp_path: Path) -> None:
    path = picture(tmp_path / image)
    text(tmp_path / labels, *ROWS)
    (found,) = folder.read(tmp_path)
    assert isinstance(found, LabelledPages) and found.kind == "sroie"
    lines = found.pictures[path]
    assert [line.text for line in lines] == [
        *("TAN WOON YANN", "NO.53 55,57 & 59, JALAN SAGU 18", '"SIZE 5""')
    ]
    assert lines[0].polygon.tolist() == [[72, 25], [326, 25], [326, 64], [72, 64]]
    assert all(line.care for line in lines)


def test_file_in_windows_encoding_is_read(tmp_path: Path) -> None:
    picture(tmp_path / "img" / "1.jpg")
    text(tmp_path / "box" / "1.csv", ROW.format("CAFÉ €5"), encoding="cp1252")
    (found,) = folder.read(tmp_path)
    assert isinstance(found, LabelledPages)
    assert [line.text for lines in found.pictures.values() for line in lines] == ["CAFÉ €5"]


def test_wrong_row_is_named(tmp_path: Path) -> None:
    picture(tmp_path / "img" / "1.jpg")
    text(tmp_path / "box" / "1.csv", ROW.format("a"), "1,2,3,TOTAL")
    with pytest.raises(DatasetError, match=r"1\.csv, row 2: 8 numbers and a text"):
        folder.read(tmp_path)
