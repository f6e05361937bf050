"""Start the process that tries a bundle, and say how it ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any, Literal

from ..bundle.bundle import Bundle
from ..errors import NO_MEMORY, printable
from ..memory.limit import parse

SECONDS = 120.0
# Beside what Python and the libraries take. `small`, the largest published bundle, needs 0.6 GB.
MEMORY = "2GB"
# How libraries that are loaded by NumPy report that memory ran out.
_ALLOCATION_FAILED = "Memory allocation still failed"
# The most characters of an error that are kept.
_ERROR_CHARACTERS = 600

Outcome = Literal["passed", "failed", "aborted", "out of memory", "too slow"]


@dataclass(frozen=True)
class ProbeResult:
    """How a bundle behaved.

    Attributes:
        outcome: "passed": it opened, and it read a picture. "failed": it ended with an error, as
            every bundle does that can't read. "aborted": ONNX Runtime ended the process. "out of
            memory" and "too slow": it went beyond a limit.
        detail: The error, the signal or the limit; empty if it passed.
        seconds: How long it took, the start of Python included.
    """

    outcome: Outcome
    detail: str
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether the bundle opened and ran within the limits."""
        return self.outcome == "passed"

    def __str__(self) -> str:
        """Say in a line what happened."""
        said = f": {self.detail}" if self.detail else ""
        return f"{self.outcome} after {self.seconds:.1f} s{said}"

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON can hold it."""
        return asdict(self)


def probe(
    bundle: str | os.PathLike[str] | Bundle | None = None,
    *,
    seconds: float = SECONDS,
    memory: int | str = MEMORY,
) -> ProbeResult:
    """Open a bundle, run its networks and read a picture, in a process of its own on the CPU.

    A hostile graph can end that process, but not this one. A bundle that passes may still behave
    otherwise on other pictures, other providers or another version of ONNX Runtime.

    Args:
        bundle: Path of a bundle, an opened `Bundle`, or None for the one in the package.
        seconds: The most seconds that the process may take.
        memory: The most memory that it may take beside Python and the libraries, in bytes or as in
            "2GB". The limit is kept on Linux only; elsewhere there is only the limit of time.

    Raises:
        BundleError: The bundle can't be opened: it is damaged, or one of its graphs is not allowed.
        ValueError: A limit is not positive.
        TypeError: An argument has the wrong type.
    """
    limit = parse(memory)
    if not limit or seconds <= 0:
        raise ValueError(f"the limits must be positive, not {seconds} seconds and {memory}")
    if not isinstance(bundle, Bundle):
        bundle = Bundle.default() if bundle is None else Bundle.open(bundle)
    request = {
        "path": sys.path,
        "bundle": str(bundle.path.absolute()),
        "digest": bundle.digest,
        "seconds": seconds,
        "memory": limit,
    }
    start = perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # The process can't write files, and OpenBLAS would reserve memory for each of its threads.
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"},
    ) as process:
        try:
            output, log = process.communicate(json.dumps(request).encode(), timeout=seconds)
        except subprocess.TimeoutExpired:
            return ProbeResult("too slow", f"the limit is {seconds:g} s", perf_counter() - start)
        finally:
            process.kill()
    outcome, detail = _outcome(process.returncode, output, log.decode(errors="replace"))
    shown = printable(" ".join(detail.split()))[:_ERROR_CHARACTERS]
    return ProbeResult(outcome, shown, perf_counter() - start)


# The new process gets this one's sys.path.
_PROGRAM = """
import json, sys
request = json.load(sys.stdin)
sys.path[:] = request.pop("path")
from edgeocr.probe.child import main
main(**request)
"""


def _outcome(code: int, output: bytes, log: str) -> tuple[Outcome, str]:
    """Tell from how the process ended, and from what it printed, what happened to the bundle."""
    no_memory = NO_MEMORY.search(log) is not None or _ALLOCATION_FAILED in log
    end = log[-_ERROR_CHARACTERS:]
    if code < 0:
        name = signal.Signals(-code).name
        if name == "SIGXCPU":
            return "too slow", "it used up its CPU time"
        if no_memory or name == "SIGKILL":
            return "out of memory", f"the process ended with {name}"
        return "aborted", f"the process ended with {name}: {end}"
    try:
        error = json.loads(output.splitlines()[-1])["error"]
    except (ValueError, IndexError, KeyError, TypeError):
        return "out of memory" if no_memory else "failed", f"it ended with code {code}: {end}"
    if error is None:
        return "passed", ""
    no_memory = NO_MEMORY.search(error) is not None or error.startswith("MemoryError")
    return "out of memory" if no_memory else "failed", error
