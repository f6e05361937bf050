"""`edgeocr serve` as a process that is measured: its port, and the CPU time of its two halves."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from .inputs import MeasurementError

# Seconds in which the service must be ready, and in which it must have ended.
PATIENCE = 120
CHECKOUT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Service:
    """A service that is ready.

    Attributes:
        port: Where it listens on this machine.
        pid: The process that accepts requests, whose child reads them.
    """

    port: int
    pid: int

    def cpu_seconds(self) -> tuple[float, float] | None:
        """Return the CPU time so far of the front and of the reader; None where it is unknown."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        if not children.is_file():
            return None
        readers = [int(pid) for pid in children.read_text().split()]
        return _cpu_seconds(self.pid), sum(map(_cpu_seconds, readers))


@contextmanager
def running(arguments: Sequence[str]) -> Iterator[Service]:
    """Run `edgeocr serve` with some arguments while the block runs.

    Raises:
        MeasurementError: It doesn't get ready.
    """
    command = [sys.executable, "-m", "edgeocr", "serve", "--port", "0", *arguments]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=errors, text=True
        )
        try:
            yield Service(_ready_port(process, errors.fileno()), process.pid)
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ready_port(process: subprocess.Popen[str], errors: int) -> int:
    """Wait until a service is ready, and return its port, which it prints."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        said = os.pread(errors, 10_000, 0).decode(errors="replace")
        if found := re.search(r"https?://\S+:(\d+)", said):
            port = int(found[1])
            connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            try:
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return port
            except OSError:
                pass  # it listens a little later
            finally:
                connection.close()
        time.sleep(0.1)
    said = os.pread(errors, 10_000, 0).decode(errors="replace").strip()
    raise MeasurementError(f"edgeocr serve doesn't get ready: {said[-500:] or 'it prints nothing'}")


def _cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process of Linux, user's and system's."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
