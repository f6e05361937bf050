"""Test that freezing gives the same file on another day, another machine and in another place.

For another machine, NumPy and OpenBLAS are told to compute as on a processor of 2008. The trained
STAR-Net contains a matrix inverse whose last digits used to differ there.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from converters.__main__ import main
from converters.bundle.sbom import FILE
from edgeocr import Bundle
from edgeocr.bundle.archive import MANIFEST
from tests.support.paths import ROOT
from tests.support.processors import OLD_PROCESSOR

TRAINED = ROOT / "tests" / "trained" / "exports"
STAGES = [f"--detection={TRAINED / 'db'}", f"--recognition={TRAINED / 'star_net'}"]
HERE = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "2"}
THERE = {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "OMP_NUM_THREADS": "1"}
# Runs `python -m converters` years later, on one core.
LATER = """
import os, runpy, sys, time
now, local, utc = time.time, time.localtime, time.gmtime
time.time = lambda: now() + 1e8
time.time_ns = lambda: int(time.time() * 1e9)
time.localtime = lambda seconds=None: local(time.time() if seconds is None else seconds)
time.gmtime = lambda seconds=None: utc(time.time() if seconds is None else seconds)
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
runpy.run_module("converters", run_name="__main__", alter_sys=True)
"""


def frozen(target: Path, code: list[str], cwd: Path, umask: int, more: dict[str, str]) -> bytes:
    """The file that the command writes."""
    cwd.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, *code, "freeze", *STAGES, "-o", str(target)],
        cwd=cwd,
        umask=umask,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | more,
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert done.returncode == 0, done.stderr
    return target.read_bytes()


def digests(bundle: Bundle) -> dict[str, str]:
    names = bundle.manifest.files
    return {name: hashlib.sha256(bundle.read(name)).hexdigest() for name in names}


@pytest.mark.stress
@pytest.mark.slow
def test_same_bytes_on_another_day_and_machine(tmp_path: Path) -> None:
    here, there = tmp_path / "own.edgeocr", tmp_path / "there" / "own.edgeocr"
    first = frozen(here, ["-m", "converters"], ROOT, 0o022, HERE)
    second = frozen(there, ["-c", LATER], tmp_path / "there", 0o077, THERE | OLD_PROCESSOR)
    assert digests(Bundle.open(here)) == digests(Bundle.open(there))
    assert hashlib.sha256(first).hexdigest() == hashlib.sha256(second).hexdigest()

    assert main(["freeze", *STAGES, "-o", str(tmp_path / "own")]) == 0
    folder = Bundle.open(tmp_path / "own")
    assert folder.digest == Bundle.open(here).digest
    assert digests(folder) == digests(Bundle.open(here))
    for name in (MANIFEST, FILE):
        text = (tmp_path / "own" / name).read_text("utf-8")
        assert str(tmp_path) not in text and str(ROOT) not in text
