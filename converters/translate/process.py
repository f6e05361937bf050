"""A process of its own, for native libraries that end the process when they don't like a model."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

LAST_LINES = 12


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, minus the signal's number, or None when it was stopped
    for want of time; and all that it said.
    """

    code: int | None
    said: str
    seconds: float

    def __str__(self) -> str:
        if self.code is None:
            return f"was still busy after {self.seconds:g} s"
        how = f"signal {-self.code}" if self.code < 0 else f"exit {self.code}"
        words = "\n  ".join(self.said.strip().splitlines()[-LAST_LINES:]) or "nothing"
        return f"ended with {how} and said:\n  {words}"


def run(command: list[str], seconds: float) -> Ended:
    """Run a command, at most so long; raises `OSError` when it can't be started."""
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return Ended(None, "", seconds)
    return Ended(done.returncode, done.stdout, seconds)
