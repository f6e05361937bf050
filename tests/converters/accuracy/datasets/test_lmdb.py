"""Test reading the LMDB databases of the DTRB benchmark, written by the real library."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from converters.accuracy.datasets import folder
from converters.accuracy.labels import LabelledWords
from edgeocr import DatasetError
from tests.support.datasets import lmdb_database, lmdb_values


def sets(path: Path) -> list[LabelledWords]:
    found = folder.read(path)
    assert all(isinstance(each, LabelledWords) and each.kind == "lmdb" for each in found)
    return [each for each in found if isinstance(each, LabelledWords)]


def test_databases_are_read_in_the_order_of_the_benchmark(tmp_path: Path) -> None:
    words = [(b"picture 1", "Private"), (b"picture 2", "it's")]
    for name in ("more/own", "CUTE80", "SVT", "IIIT5k_3000"):
        lmdb_database(tmp_path / name, words)
    found = sets(tmp_path)
    assert [each.name for each in found] == ["IIIT5k_3000", "SVT", "CUTE80", "more/own"]
    for each in found:
        assert [word.text for word in each.words] == ["Private", "it's"]
        assert [word.content() for word in each.words] == [b"picture 1", b"picture 2"]
    assert [each.name for each in sets(tmp_path / "SVT")] == ["SVT"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "there is no num-samples"),
        ({"num-samples": b"many"}, "num-samples must be a number, not 'many'"),
        ({"num-samples": b"1", "image-000000001": b""}, "there is no label-000000001"),
        ({"num-samples": b"1", "label-000000001": b"\xff"}, "label-000000001 must be text"),
        ({"num-samples": b"0"}, "SVT has no pictures"),
    ],
)
def test_damaged_database_is_named(values: dict[str, bytes], message: str, tmp_path: Path) -> None:
    lmdb_values(tmp_path / "SVT", values)
    with pytest.raises(DatasetError, match=f"SVT.*{message}"):
        folder.read(tmp_path / "SVT")


def test_picture_that_is_missing_is_named_when_it_is_read(tmp_path: Path) -> None:
    lmdb_values(tmp_path / "SVT", {"num-samples": b"1", "label-000000001": b"a"})
    (word,) = sets(tmp_path)[0].words
    with pytest.raises(DatasetError, match=r"SVT: there is no image-000000001"):
        word.content()


def test_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"no database" * 1000)
    with pytest.raises(DatasetError, match=r"the database can't be read: .*MDB_INVALID"):
        folder.read(tmp_path)


def test_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lmdb_database(tmp_path, [(b"picture", "a")])
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(DatasetError, match=r'need the package lmdb: pip install "\.\[accuracy\]"'):
        folder.read(tmp_path)
