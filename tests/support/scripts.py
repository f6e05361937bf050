"""Run a Python script in a process of its own, in which it may fork, hang or abort."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.command import environment
from tests.support.paths import ROOT

# Seconds after which a process counts as hanging. Only a failing test waits so long.
PATIENCE = 120

# The beginning of a script that forks. `forked(code)` runs code in a child that ends as a program
# does, and returns the child's exit code, or "hangs" for a child that had to be killed.
FORKING = """
import os, signal, sys, threading, time
SAMPLE = "tests/images/badge.jpg"
def forked(code, patience=60):
    child = os.fork()
    if child == 0:
        exec(code, globals())
        sys.exit(0)
    limit = time.monotonic() + patience
    while time.monotonic() < limit:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hangs"
"""


def run(script: str | Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script in the folder of the checkout.

    Args:
        script: The path of the script, or its text.
        *arguments: What the script finds in `sys.argv`.

    Raises:
        TimeoutExpired: The script hangs.
    """
    code = [str(script)] if isinstance(script, Path) else ["-c", script]
    return subprocess.run(
        [sys.executable, *code, *arguments],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
