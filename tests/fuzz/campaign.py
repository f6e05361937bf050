"""Fuzz a target: start workers until all inputs are read or the time is over."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tests.fuzz import worker
from tests.fuzz.worker import Job

MEMORY = 4 << 30
SECONDS = 10


def engine() -> str:
    """Return "atheris" if it is installed, or else "mutation"."""
    return "atheris" if importlib.util.find_spec("atheris") else "mutation"


def run(target: str, inputs: int, seconds: float, findings: Path, seed: int, made_by: str) -> int:
    """Fuzz a target.

    Args:
        target: The target's name.
        inputs: How many inputs are read.
        seconds: When to end, whether or not that many were read.
        findings: The folder for findings: NAME.bin is an input, NAME.txt says what happened.
        seed: The same seed gives the same inputs, if they are mutated blindly.
        made_by: What makes the inputs, as `engine` returns it.

    Returns:
        The number of inputs that were read.
    """
    findings.mkdir(parents=True, exist_ok=True)
    until = time.time() + seconds
    done = 0
    with tempfile.TemporaryDirectory(prefix="edgeocr-fuzz-") as folder:
        variables = {**os.environ, "TMPDIR": folder, "OPENBLAS_NUM_THREADS": "1"}
        while done < inputs and time.time() < until:
            job = Job(
                target, done, inputs, until, seed, made_by, MEMORY, SECONDS, folder, str(findings)
            )
            (Path(folder) / "count").write_text(str(done - 1))
            # The alarm of an input ends a worker that hangs; this limit is for a worker that can't
            # even set it.
            with (Path(folder) / "output").open("wb+") as output:
                try:
                    code = subprocess.run(
                        worker.command(job),
                        stdout=output,
                        stderr=subprocess.STDOUT,
                        env=variables,
                        timeout=max(1.0, until - time.time()) + 3 * SECONDS,
                    ).returncode
                except subprocess.TimeoutExpired:
                    code = -signal.SIGKILL
                output.seek(0)
                printed = output.read()[-3000:].decode(errors="replace")
            before, done = done, int((Path(folder) / "count").read_text()) + 1
            if code:
                content = Path(folder) / "input"
                if done == before or not content.exists():
                    raise RuntimeError(f"the worker for {target} doesn't start:\n{printed}")
                worker.keep(job, content.read_bytes(), _in_words(code), printed)
            elif time.time() < until and done < inputs:
                break  # the worker stopped early for a reason of its own
    return done


def _in_words(code: int) -> str:
    if code == -signal.SIGALRM:
        return f"takes more than {SECONDS} s"
    if code < 0:
        return f"ends the process with {signal.Signals(-code).name}"
    return f"ends the process with exit code {code}"
