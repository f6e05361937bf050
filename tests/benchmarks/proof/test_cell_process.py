"""A cell's process: what it answers, and what is said when it doesn't."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from benchmarks.proof.cell_process import (
    LAST_WORDS,
    CellFailedError,
    CellProcess,
    CellUnavailableError,
    OutOfTimeError,
    brief,
)

OPENING: dict[str, Any] = {
    "bundle": None,
    "provider": "cpu",
    "options": {},
    "fp16": False,
    "variant": None,
    "fixed_shapes": None,
    "engines": None,
    "threads": 1,
}


def test_errors_of_edgeocr_leave_the_process_open(tmp_path: Path) -> None:
    with CellProcess("x") as process:
        with pytest.raises(CellUnavailableError, match="provider 'qnn' is not in the installed"):
            process.ask("open", **{**OPENING, "provider": "qnn"})
        with pytest.raises(CellFailedError, match=r"missing\.jpg") as error:
            process.ask("open", **OPENING)
            process.ask("read", path=str(tmp_path / "missing.jpg"))
        assert str(tmp_path) not in str(error.value)
        assert "onnxruntime" in process.ask("versions")


def test_a_crash_is_told_with_its_last_words() -> None:
    with CellProcess("x") as process:
        with pytest.raises(CellFailedError, match=r"ended with exit code 1 .*no_such_action"):
            process.ask("no_such_action")
        with pytest.raises(CellFailedError):
            process.ask("versions")


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs signals of POSIX")
def test_a_process_that_hangs_is_killed() -> None:
    for kind, ask in ((CellFailedError, "ask"), (OutOfTimeError, "ask_within")):
        with CellProcess("x") as process:
            process.ask("versions")
            os.kill(process.pid, signal.SIGSTOP)
            with pytest.raises(kind, match=r"0\.2 s|0 s left"):
                getattr(process, ask)("versions", 0.2)


def test_messages_are_brief_and_name_no_folder() -> None:
    assert brief("can't open /home/someone/a.jpg:\n  no \x1b[31msuch file") == (
        "can't open a.jpg: no \N{REPLACEMENT CHARACTER}[31msuch file"
    )
    assert len(brief("x" * 10_000)) <= LAST_WORDS + 3
