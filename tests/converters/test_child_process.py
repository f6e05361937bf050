"""Processes of their own: how they end, where they run, and what an error says of them."""

import sys
import tempfile
from pathlib import Path

import pytest

from converters import child_process
from converters.child_process import QUOTED_LINES, ProcessResult


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_result_has_the_exit_code_and_all_output():
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)"
    ended = child_process.run(python(code), 60)
    assert (ended.code, ended.output.split()) == (3, ["out", "err"])


def test_process_runs_in_the_folder_with_the_variables(tmp_path: Path):
    code = "import os; print(os.getcwd(), os.environ.get('ONLY'), os.environ.get('HOME'))"
    ended = child_process.run(python(code), None, folder=tmp_path, variables={"ONLY": "this"})
    assert ended.output.split() == [str(tmp_path.resolve()), "this", "None"]


def test_temporary_files_of_a_process_that_is_killed_are_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    code = "import tempfile, time; print(tempfile.mkstemp()); time.sleep(60)"
    assert child_process.run(python(code), 0.5).code is None
    assert list(tmp_path.iterdir()) == []


def test_process_that_takes_too_long_is_killed():
    ended = child_process.run(python("import time; time.sleep(60)"), 0.2)
    assert ended.code is None
    assert str(ended) == "did not finish within 0.2 s"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
def test_signal_that_ended_a_process_is_named():
    ended = child_process.run(python("import os; os.kill(os.getpid(), 9)"), 60)
    assert str(ended) == "ended with signal 9 and printed:\n  (nothing)"


def test_error_quotes_the_last_lines():
    ended = ProcessResult(1, "\n".join(f"row {i}" for i in range(40)), 60)
    how, *rows = str(ended).splitlines()
    assert how == "ended with exit code 1 and printed:"
    assert rows == [f"  row {i}" for i in range(40 - QUOTED_LINES, 40)]
