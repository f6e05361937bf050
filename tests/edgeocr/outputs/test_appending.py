"""Files that are continued."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeocr.errors import OutputError
from edgeocr.outputs import appending, devices
from edgeocr.outputs.appending import AppendedFile


def test_lines_are_added_and_seen_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    file = AppendedFile(path)
    file.write(b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"
    os.truncate(path, 0)  # as `logrotate` does with `copytruncate`
    file.write(b"three\n")
    file.commit()
    assert path.read_bytes() == b"three\n"
    new = AppendedFile(tmp_path / "new")
    new.discard()
    new.commit()
    assert (tmp_path / "new").read_bytes() == b""


def test_a_line_that_was_cut_off_does_not_spoil_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntw")
    file = AppendedFile(path)
    assert path.read_bytes() == b"one\ntw"
    file.write(b"three\n")
    file.write(b"four\n")
    file.discard()
    assert path.read_bytes() == b"one\ntw\nthree\nfour\n"


@pytest.mark.parametrize(
    "interruption", [OSError(28, "No space left on device"), KeyboardInterrupt]
)
def test_half_a_line_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interruption: BaseException
) -> None:
    path = tmp_path / "log"
    file = AppendedFile(path)
    file.write(b"one\n")
    whole = devices.write_all

    def half(descriptor: int, content: bytes) -> None:
        whole(descriptor, content[:2])
        raise interruption

    with monkeypatch.context() as patch:
        patch.setattr(appending, "write_all", half)
        with pytest.raises((OutputError, KeyboardInterrupt)):
            file.write(b"two\n")
    assert path.read_bytes() == b"one\n"
    file.write(b"three\n")
    file.commit()
    assert path.read_bytes() == b"one\nthree\n"


def test_a_missing_folder_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="missing/log: can't be written: No such file"):
        AppendedFile(tmp_path / "missing" / "log")
