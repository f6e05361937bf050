"""Run native libraries in a child process, because they may abort on a model they can't handle."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgeocr.cli.signals import signals_deferred

# How many of the last lines that a process printed an error message quotes.
QUOTED_LINES = 12


@dataclass(frozen=True)
class ProcessResult:
    """How a child process ended; as a string, a phrase for an error message."""

    code: int | None
    """Exit code; minus the signal's number if a signal ended it; None if it ran out of time."""
    output: str
    """Everything that it printed to standard output and standard error."""
    seconds: float | None
    """The time limit that it had; None for no limit."""

    def __str__(self) -> str:
        """Describe the end in words, with the last lines that the process printed."""
        if self.code is None:
            return f"did not finish within {self.seconds:g} s"
        how = f"signal {-self.code}" if self.code < 0 else f"exit code {self.code}"
        lines = "\n  ".join(self.output.strip().splitlines()[-QUOTED_LINES:]) or "(nothing)"
        return f"ended with {how} and printed:\n  {lines}"


def run(
    command: list[str],
    seconds: float | None,
    *,
    folder: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> ProcessResult:
    """Run a command and wait until it ends.

    The process has a folder of its own for temporary files. If this process is interrupted, it
    kills the other one, which then can't remove its files itself; so the folder is removed here.

    Args:
        command: The program and its arguments.
        seconds: How long the process may take before it is killed; None for as long as it takes.
        folder: The working folder; None for this process's own.
        variables: Its environment variables, without those that name the folder for temporary
            files; None for this process's own.

    Returns:
        How the process ended, whether or not it succeeded.

    Raises:
        OSError: If the program can't be started.
    """
    with tempfile.TemporaryDirectory(prefix="edgeocr-", ignore_cleanup_errors=True) as temporary:
        names = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary)
        process = None
        try:
            # A signal that arrived before `process` is assigned would leave the process running.
            with signals_deferred():
                process = subprocess.Popen(
                    command,
                    cwd=folder,
                    env={**(os.environ if variables is None else variables), **names},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    errors="replace",
                )
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return ProcessResult(None, "", seconds)
        finally:
            if process is not None and process.poll() is None:
                process.kill()
                process.communicate()
        return ProcessResult(process.returncode, output, seconds)
