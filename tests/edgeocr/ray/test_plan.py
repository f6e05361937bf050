"""Test the plan of a job and its rows, which need neither Ray nor pyarrow."""

from __future__ import annotations

import importlib
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edgeocr import OCR, JobError, MissingLibraryError
from edgeocr.ray import EdgeOCR, plan
from edgeocr.ray.attempts import MOST_DEATHS, Attempts, key_of
from edgeocr.ray.plan import Shard
from edgeocr.ray.storage import StoredFile


class Folder:
    """A folder in the place of a `Storage`, whose file systems need pyarrow."""

    def __init__(self, path: Path) -> None:
        self.path, self.address = path, str(path)

    def exists(self, path: str = "") -> bool:
        return (self.path / path).exists()

    def is_file(self) -> bool:
        return self.path.is_file()

    def files(self) -> Any:
        for path in sorted(path for path in self.path.rglob("*") if path.is_file()):
            found = path.stat()
            yield StoredFile(str(path.relative_to(self.path)), found.st_size, found.st_mtime_ns)

    def read(self, path: str) -> bytes:
        return (self.path / path).read_bytes()

    def write(self, path: str, content: bytes) -> None:
        (self.path / path).parent.mkdir(parents=True, exist_ok=True)
        (self.path / path).write_bytes(content)


@pytest.fixture
def source(tmp_path: Path) -> Any:
    folder = tmp_path / "source"
    (folder / "deep").mkdir(parents=True)
    for i in range(20):
        (folder / f"{i:02}.jpg").write_bytes(bytes(100))
    (folder / "deep" / "scan.PDF").write_bytes(bytes(100))
    (folder / "notes.txt").write_bytes(bytes(100))
    return Folder(folder)


@pytest.fixture
def target(tmp_path: Path) -> Any:
    return Folder(tmp_path / "target")


def made(source: Any, target: Any, actors: int = 2) -> plan.Plan:
    return plan.make(source, target, "parquet", actors, rows=False)


def died(attempts: Attempts, key: str) -> Any:
    """Enter the block of a process that dies, and return it, since it must never be left."""
    block = attempts.reading([key])
    block.__enter__()
    return block


def paths(found: plan.Plan) -> list[str]:
    return [file.path for shard in found.shards for file in shard.files]


def test_every_picture_is_in_one_shard(source: Any, target: Any) -> None:
    found = made(source, target)
    assert sorted(paths(found)) == sorted([f"{i:02}.jpg" for i in range(20)] + ["deep/scan.PDF"])
    assert [shard.number for shard in found.shards] == list(range(7))
    assert found.left == list(found.shards)


def test_large_files_make_small_shards(
    source: Any, target: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "MOST_BYTES", 250)
    assert {len(shard.files) for shard in made(source, target, 1).shards} == {1, 2}


def test_second_start_reads_what_is_left_and_what_is_new(source: Any, target: Any) -> None:
    first = made(source, target)
    target.write(first.shards[2].name("parquet"), b"")
    source.write("00.jpg", bytes(101))
    source.write("new.png", bytes(100))
    second = made(source, target)
    assert second.done == {2}
    assert list(second.shards[:7]) == list(first.shards)
    assert [file.path for file in second.shards[7].files] == ["new.png"]
    assert second.changed == 1
    assert made(source, target).shards == second.shards


def test_vanished_source_stays_planned(source: Any, target: Any) -> None:
    first = made(source, target)
    (source.path / "05.jpg").unlink()
    assert made(source, target).shards == first.shards


def test_source_without_pictures_is_refused(tmp_path: Path, target: Any) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(JobError, match="there are no pictures"):
        made(Folder(tmp_path / "empty"), target)


def test_folder_of_another_job_is_refused(target: Any) -> None:
    plan.begin(target, {"bundle": "a", "options": {"words": True}})
    plan.begin(target, {"bundle": "a", "options": {"words": True}})
    with pytest.raises(JobError, match="bundle was 'a' and is 'b'"):
        plan.begin(target, {"bundle": "b", "options": {"words": True}})


def test_folder_with_other_files_is_refused(source: Any) -> None:
    with pytest.raises(JobError, match="has other files"):
        plan.begin(source, {})


def test_parquet_files_beside_pictures_are_no_source(source: Any, tmp_path: Path) -> None:
    assert not plan.has_rows(source)
    source.write("table.parquet", b"")
    assert not plan.has_rows(source)
    tables: Any = Folder(tmp_path / "tables")
    tables.write("table.parquet", b"")
    assert plan.has_rows(tables)


def test_shard_survives_its_json() -> None:
    shard = Shard(3, (StoredFile("ä/b.jpg", 5, 7),), 2)
    assert Shard.from_json(shard.to_json()) == shard


def test_deaths_are_counted_per_picture_and_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    one, other = key_of("a.jpg", b"a"), key_of("b.jpg", b"a")
    assert one != other
    dead = [died(Attempts("job"), one) for _ in range(MOST_DEATHS)]
    with pytest.raises(KeyError), Attempts("job").reading([other]):
        raise KeyError
    assert Attempts("job").deaths(one) == MOST_DEATHS
    assert Attempts("job").deaths(other) == 0
    assert Attempts("another").deaths(one) == 0
    assert len(dead) == MOST_DEATHS


def test_import_needs_no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "ray", None)
    importlib.reload(importlib.import_module("edgeocr.ray"))
    with pytest.raises(MissingLibraryError, match=r"edgeocr\[ray\]"):
        EdgeOCR()


def test_rows_of_a_batch_are_those_of_its_pictures(
    ocr: OCR, pictures: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without Ray: a broken picture, one with which two processes have died, and whole ones."""
    from edgeocr.ray.stage import Picture

    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    stage = object.__new__(EdgeOCR)
    stage._ocr, stage._attempts = ocr, Attempts("job")
    stage._read, stage._frame_options = partial(ocr.read_many), {}
    sign = (pictures / "badge.jpg").read_bytes()
    given = [Picture(name, sign) for name in ("a.jpg", "suspect.jpg", "killer.jpg")]
    given.insert(1, Picture("broken.jpg", b"no picture"))
    keys = [key_of(picture.name, picture.content) for picture in given]
    dead = [died(stage._attempts, keys[i]) for i in (2, 2, *MOST_DEATHS * [3])]
    rows = stage.rows_of(given)
    assert [len(each) for each in rows] == [1, 1, 1, 1]
    assert [each[0]["source"] for each in rows] == [picture.name for picture in given]
    expected = ocr.read(sign).to_text()
    assert [each[0]["text"] for each in rows] == [expected, None, expected, None]
    assert [each[0]["error_type"] for each in rows] == [
        *(None, "ImageError"),
        *(None, "ProcessDiedError"),
    ]
    assert stage._attempts.deaths(keys[2]) == 0
    assert len(dead) == 5
