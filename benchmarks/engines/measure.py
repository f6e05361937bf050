"""The part that all workers share: read pictures on request, and measure each of them.

A worker is a process that stays open, started as `python -m benchmarks.engines.NAME` by
`benchmarks.engine_process`. The first line of its standard input is a `Request`; each further line
is the path of a picture, and is answered by an `Answer`; the end of the input is answered by an
`Ending`. All of them are JSON, one to a line. A worker runs in the environment of its engine, so
this module needs the standard library only.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time, sleep
from typing import IO, Any, TypeAlias, TypedDict

# Some engines' threads go on spinning for 30 ms after a picture, which slows the next engine down.
# They are at rest if they use less than a tenth of a CPU for 10 ms.
REST_S = 0.01
REST_CPU_S = 0.001
# How long to wait for that at most.
REST_AT_MOST_S = 0.3


class Models(TypedDict):
    """Paths of the weights for the peers.

    Attributes:
        detection: Plain ONNX graph.
        recognition: Plain ONNX graph.
        charset: Text file with a character per line, without the blank and the space.
        orientation: Plain ONNX graph; None if the bundle has no classifier.
    """

    detection: str
    recognition: str
    charset: str
    orientation: str | None


class Request(TypedDict):
    """How a worker has to set its engine up.

    Attributes:
        name: Name of the bundle.
        threads: CPU threads for the engine, and the number of CPUs that the process is pinned to.
        orientation: Whether the classifier turns crops that are upside down.
        bundle: Path of the bundle, for edgeocr.
        models: The same weights for the peers.
        packages: Packages whose versions to report.
        rest: Whether to answer when the engine's threads have come to rest, so that they don't
            disturb whoever is next, and what they used until then is counted. Otherwise the answer
            comes at once.
    """

    name: str
    threads: int
    orientation: bool
    bundle: str
    models: Models
    packages: list[str]
    rest: bool


class Line(TypedDict):
    """A line that was read.

    Attributes:
        text: The text.
        polygon: The corners (x, y) in pixels of the picture.
    """

    text: str
    polygon: list[list[float]]


class Answer(TypedDict):
    """What was read in one picture, and what that took.

    Attributes:
        wall_s: Seconds from the path to the engine's result.
        cpu_s: CPU seconds of all threads of the process meanwhile.
        rest_cpu_s: CPU seconds of all threads from then on until they came to rest; 0 if the
            request doesn't ask for that.
        lines: The lines.
    """

    wall_s: float
    cpu_s: float
    rest_cpu_s: float
    lines: list[Line]


class Ending(TypedDict):
    """What a worker knows when it ends.

    Attributes:
        versions: Versions of the requested packages that are installed.
        peak_rss_mib: Peak memory of the process and its children in MiB; None if unknown.
    """

    versions: dict[str, str]
    peak_rss_mib: float | None


Read: TypeAlias = Callable[[str], Any]
Lines: TypeAlias = Callable[[Any], list[Line]]


def main(start: Callable[[Request], tuple[Read, Lines]]) -> None:
    """Answer the requests of the standard input.

    Args:
        start: Imports and constructs the engine. Returns a function that reads the picture at a
            path, which is timed, and one that turns the engine's result into lines, which is not.
    """
    replies = _take_standard_output()
    request: Request = json.loads(sys.stdin.readline())
    _pin(request["threads"])
    read, lines = start(request)
    for row in sys.stdin:
        path = json.loads(row)
        begin, worked = perf_counter(), process_time()
        result = read(path)
        wall, cpu = perf_counter() - begin, process_time() - worked
        rest = _come_to_rest() if request["rest"] else 0.0
        _send(replies, Answer(wall_s=wall, cpu_s=cpu, rest_cpu_s=rest, lines=lines(result)))
    _send(replies, Ending(versions=_versions(request["packages"]), peak_rss_mib=peak_rss_mib()))


def _take_standard_output() -> IO[str]:
    """Return the standard output, and let everything that engines print go to standard error."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return replies


def _send(replies: IO[str], message: Answer | Ending) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()


def _pin(cpus: int) -> None:
    """Pin the process to its first CPUs, on systems that can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cpus])


def _come_to_rest() -> float:
    """Wait until the threads of this process use no CPU time; return what they used until then."""
    until = perf_counter() + REST_AT_MOST_S
    started = before = process_time()
    while perf_counter() < until:
        sleep(REST_S)
        now = process_time()
        if now - before < REST_CPU_S:
            break
        before = now
    return before - started


def _versions(packages: list[str]) -> dict[str, str]:
    """Return the versions of those packages that are installed."""
    # This import takes 20 ms, which a cold start must not contain.
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def peak_rss_mib() -> float | None:
    """Return the peak resident memory of this process and its living children in MiB.

    Returns:
        The sum of the processes' peaks, which is more than the peak of the sum if they differ in
        time; without the children on systems other than Linux; None if unknown.
    """
    if Path("/proc/self/status").is_file():
        return sum(map(_peak_of, [os.getpid(), *_descendants(os.getpid())]))
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _peak_of(process: int) -> float:
    """Return the peak memory of a process in MiB; 0 if it has ended."""
    # ru_maxrss includes the parent's memory, because the peak survives exec; VmHWM does not.
    try:
        rows = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(row.split()[1]) / 1024 for row in rows if row.startswith("VmHWM:")), 0.0)


def _descendants(process: int) -> list[int]:
    """Return the living children of a process, and theirs."""
    found = []
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = [int(word) for word in file.read_text().split()]
        except OSError:  # the thread has ended
            continue
        for child in children:
            found += [child, *_descendants(child)]
    return found
