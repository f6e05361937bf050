"""Files that are replaced as a whole."""

import os
import threading
from pathlib import Path

import pytest

from converters.atomic import locked, replacing


@pytest.mark.parametrize("before", [None, "old"])
def test_file_appears_once_it_is_complete(before: str | None, tmp_path: Path):
    path = tmp_path / "file.txt"
    if before is not None:
        path.write_text(before)
    with replacing(path) as partial:
        partial.write_text("new")
        assert (path.read_text() if path.exists() else None) == before
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_file_stays_as_it_was_if_writing_fails(tmp_path: Path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(OSError, match="disk full"), replacing(path) as partial:
        partial.write_text("half")
        raise OSError("disk full")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_threads_exclude_each_other_and_the_lock_file_is_removed(tmp_path: Path):
    path = tmp_path / "count.txt"
    path.write_text("0")

    def count() -> None:
        for _ in range(25):
            with locked(path):
                number = int(path.read_text())
                with replacing(path) as partial:
                    partial.write_text(str(number + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_text() == "100" and list(tmp_path.iterdir()) == [path]


def test_lock_file_of_a_process_that_was_killed_is_no_obstacle(tmp_path: Path):
    (tmp_path / ".file.txt.lock").touch()
    with locked(tmp_path / "file.txt"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_writers_at_once_write_to_different_files(tmp_path: Path):
    with replacing(tmp_path / "a") as one, replacing(tmp_path / "a") as other:
        assert one != other
        one.touch()
        other.touch()


def test_folder_without_write_access_is_not_locked(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with locked(tmp_path / "file.txt"):
        assert list(tmp_path.iterdir()) == []
