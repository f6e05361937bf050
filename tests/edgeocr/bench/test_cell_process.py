"""The parent's side of a measuring process."""

from __future__ import annotations

import json
import sys

import pytest

from edgeocr.bench import cell_process
from edgeocr.bench.cell_process import CellError, CellProcess
from edgeocr.bench.matrix import Graphs
from edgeocr.bench.settings import Settings
from edgeocr.bench.worker import Request

REQUEST = Request("cpu", None, Graphs(None, fp16=False), None, Settings(), [], "")
# Echoes the rows that it reads.
ECHO = (
    "import sys, json\nprint('printed by a library')\n"
    "for row in sys.stdin:\n"
    "    print('{\"page\": 7}')\n"
    "    print(json.dumps({'done': json.loads(row)}), flush=True)"
)


def test_commands_and_pages_pass_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell_process, "WORKER", ECHO)
    process = CellProcess(REQUEST)
    assert process.answer == json.loads(REQUEST.to_json())
    assert process.start_ms > 0
    pages: list[int] = []
    answer = process.ask("stream", on_page=pages.append, times=3)
    assert answer == {"command": "stream", "times": 3} and pages == [7]
    process.close()
    assert process._process.returncode == 0


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("print(1); raise SystemExit(3)", "the measuring process ended with exit code 3"),
        ('print(\'{"error": "no driver"}\', flush=True)', "no driver"),
        ("import os; os.kill(os.getpid(), 6)", "the measuring process was killed by signal 6"),
        ("import sys; print('x' * 999, file=sys.stderr)", f"of its log: …{'x' * 600}"),
    ],
)
def test_end_of_a_process_has_a_reason(
    monkeypatch: pytest.MonkeyPatch, code: str, reason: str
) -> None:
    if "kill" in code and sys.platform == "win32":
        pytest.skip("Windows has no signals")
    monkeypatch.setattr(cell_process, "WORKER", code)
    with pytest.raises(CellError) as raised:
        CellProcess(REQUEST)
    assert reason in str(raised.value)


def test_hung_process_is_ended_and_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys, time; print('waiting', file=sys.stderr, flush=True); time.sleep(60)"
    monkeypatch.setattr(cell_process, "WORKER", code)
    monkeypatch.setattr(cell_process, "STARTING_PATIENCE", 1.0)
    with pytest.raises(CellError) as raised:
        CellProcess(REQUEST)
    assert str(raised.value) == (
        "the measuring process has hung: it sent nothing for 1 seconds (starting); "
        "the end of its log: waiting"
    )


def test_busy_process_is_ended_by_force(monkeypatch: pytest.MonkeyPatch) -> None:
    code = ECHO + "\nimport time; time.sleep(60)"
    monkeypatch.setattr(cell_process, "WORKER", code)
    monkeypatch.setattr(cell_process, "ENDING_PATIENCE", 0.2)
    process = CellProcess(REQUEST)
    process.close()
    assert process._process.returncode not in (0, None)
