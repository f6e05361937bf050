"""A source that can't be read fails alone: the command reads the others and exits with 1."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from edgeocr.cli.main import main
from edgeocr.cli.sources import expand
from edgeocr.errors import escaped
from tests.support.paths import IMAGES

BADGE = str(IMAGES / "badge.jpg")


def detected(
    capsys: pytest.CaptureFixture[str], *sources: str | Path
) -> tuple[list[dict[str, Any]], list[str]]:
    """Run `edgeocr detect` on sources of which some fail; return the records and the errors."""
    assert main(["detect", *map(str, sources), "--format", "jsonl"]) == 1
    captured = capsys.readouterr()
    records = [json.loads(row) for row in captured.out.splitlines()]
    rows = captured.err.splitlines()
    # The names of those that failed come once more at the end.
    failed = [escaped(record["source"]) for record in records if "error" in record]
    listed = [f"edgeocr: {len(failed)} of {len(records)} failed:", *(f"  {x}" for x in failed)]
    assert rows[-len(listed) :] == listed
    return records, rows[: -len(listed)]


def test_impossible_names_and_links_fail_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    loop, dangling = tmp_path / "loop.png", tmp_path / "dangling.png"
    loop.symlink_to(loop)
    dangling.symlink_to(tmp_path / "nothing")
    bad = {
        "x" * 300: "File name too long",
        str(loop): "Too many levels of symbolic links",
        str(dangling): "No such file",
        "a\0b.png": "null byte",
        "": "the name of a source is empty",
        "odd\udcff\x1b[2J\n.png": "No such file",
        f"{BADGE}/a.png": "Not a directory",
        "http://example.org/a.png": "does not download",
    }
    records, errors = detected(capsys, BADGE, *bad, BADGE)
    assert [record["source"] for record in records] == [BADGE, *bad, BADGE]
    assert "regions" in records[0] and "regions" in records[-1]
    for record, reason in zip(records[1:-1], bad.values(), strict=True):
        assert reason in record["error"]
    # One line each, whatever the names hold, and nothing that a terminal obeys.
    assert len(errors) == len(bad)
    assert all(each.startswith("edgeocr: error: ") and each.isprintable() for each in errors)
    assert any(r"odd\udcff\x1b[2J\n.png" in each for each in errors)


def test_file_that_vanishes_after_it_was_listed_fails_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(Path(BADGE).read_bytes())
    sources = list(expand([str(tmp_path)]))
    (tmp_path / "b.jpg").unlink()
    monkeypatch.setattr("edgeocr.cli.read.expand", lambda *_, **__: sources)
    records, errors = detected(capsys, tmp_path)
    assert "regions" in records[0] and "No such file" in records[1]["error"] and len(errors) == 1


def test_folder_that_can_t_be_read_fails_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def refused(path: str) -> Any:
        if path == str(tmp_path):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    records, errors = detected(capsys, tmp_path, BADGE)
    reason = f"{tmp_path}: the folder can't be read: Permission denied"
    assert records[0] == {"source": str(tmp_path), "error": reason}
    assert "regions" in records[1] and errors == [f"edgeocr: error: {reason}"]


def test_folders_broken_links_are_reported_and_its_pipes_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "link.png").symlink_to(BADGE)
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    names = [Path(source.name).name for source in expand([str(tmp_path)])]
    assert names == ["link.png", "loop.png"]


def test_folder_that_may_be_listed_and_not_entered_has_its_pictures_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Entry:
        name = "a.png"

        def is_file(self) -> bool:
            raise PermissionError(13, "Permission denied")

    class Entries(list[Any]):
        def __enter__(self) -> Entries:
            return self

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(os, "scandir", lambda _: Entries([Entry()]))
    assert [source.name for source in expand([str(tmp_path)])] == [str(tmp_path / "a.png")]


def test_bench_goes_on_after_a_bad_source(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert main(["bench", "--images", "x" * 300, str(loop)]) == 1
    assert "File name too long" in capsys.readouterr().err
