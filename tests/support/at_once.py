"""Run a piece of Python in several processes that begin at the same moment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.command import environment

# Each process says that it is ready, and goes on when its input is closed.
WAIT = "print('ready', flush=True); sys.stdin.read()\n"


def run(number: int, imports: str, code: str, *arguments: str | Path) -> None:
    """Run code in processes of its own; fail if one of them fails.

    Args:
        number: How many processes.
        imports: Statements that run before the common start, so that slow imports don't part the
            processes.
        code: What runs at once. `sys.argv[1]` is the process's number, from 0 on; the arguments
            follow.
        arguments: Further arguments of each process.
    """
    program = f"import sys\n{imports}\n{WAIT}{code}"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(i), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        for i in range(number)
    ]
    try:
        for process in started:
            assert process.stdout is not None and process.stdin is not None
            process.stdout.readline()
        for process in started:
            assert process.stdin is not None
            process.stdin.close()
            process.stdin = None
        for process in started:
            _, errors = process.communicate(timeout=60)
            assert process.returncode == 0, errors
    finally:
        for process in started:
            process.kill()
            process.wait()
