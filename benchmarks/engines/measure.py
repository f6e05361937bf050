"""What all workers do alike. Runs in the peers' environments, so it needs nothing but Python.

A worker is started as `python -m benchmarks.engines.NAME REQUEST RESULT`: two JSON files, of
which it reads the first and writes the second.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, TypeAlias, TypedDict


class Models(TypedDict):
    """Paths of plain ONNX graphs and of the characters, one a line, without blank and space."""

    detection: str
    recognition: str
    charset: str
    orientation: str | None


class Request(TypedDict):
    """What a worker is to do.

    name: the bundle's name.
    images: paths, read once each, the first one also for warming up.
    threads: CPU threads for the engine, and the number of CPUs that the process is pinned to.
    orientation: whether the classifier turns crops that are upside down.
    bundle, models: the same weights as a bundle of ours and for everybody else.
    packages: whose versions to report.
    """

    name: str
    images: list[str]
    threads: int
    orientation: bool
    bundle: str
    models: Models
    packages: list[str]


class Line(TypedDict):
    """A line that was read. polygon: corners in image pixels (x, y)."""

    text: str
    polygon: list[list[float]]


class Reading(TypedDict):
    """One picture: its file's name, wall time from path to lines in ms, and the lines."""

    name: str
    milliseconds: float
    lines: list[Line]


class Measured(TypedDict):
    """What a worker found.

    cold_start_ms: import, construction and the first picture, which doesn't count elsewhere.
    total_s: sum over the pictures.
    peak_rss_mib: the most memory that the process held at a time; None where unknown.
    others_cpus: how many of the CPUs that the process was pinned to others kept busy while it
        read, on average; None where unknown. More than a little and the times are not worth much.
    """

    versions: dict[str, str]
    cold_start_ms: float
    total_s: float
    peak_rss_mib: float | None
    others_cpus: float | None
    readings: list[Reading]


Read: TypeAlias = Callable[[str], Any]
Lines: TypeAlias = Callable[[Any], list[Line]]


def main(start: Callable[[Request], tuple[Read, Lines]]) -> None:
    """Do what the request file says and write the result file.

    start: imports and constructs the engine; returns a function from a picture's path to the
        engine's own result, which is timed, and one that makes lines of it, which is not.
    """
    request: Request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    _pin(request["threads"])
    begin = perf_counter()
    read, lines = start(request)
    read(request["images"][0])
    cold_start = perf_counter() - begin
    readings: list[Reading] = []
    busy, own, started = _busy_seconds(), process_time(), perf_counter()
    for path in request["images"]:
        begin = perf_counter()
        result = read(path)
        milliseconds = (perf_counter() - begin) * 1000
        readings.append(
            {"name": Path(path).name, "milliseconds": milliseconds, "lines": lines(result)}
        )
    others = None
    if busy is not None and (busy_after := _busy_seconds()) is not None:
        others = busy_after - busy - (process_time() - own)
        others = max(0.0, others / (perf_counter() - started))
    measured: Measured = {
        "versions": _versions(request["packages"]),
        "cold_start_ms": cold_start * 1000,
        "total_s": sum(reading["milliseconds"] for reading in readings) / 1000,
        "peak_rss_mib": _peak_rss_mib(),
        "others_cpus": others,
        "readings": readings,
    }
    Path(sys.argv[2]).write_text(json.dumps(measured), encoding="utf-8")


def _pin(cpus: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cpus])


def _busy_seconds() -> float | None:
    """CPU time of all processes on this process's CPUs, with what the host took; Linux only."""
    statistics = Path("/proc/stat")
    if not statistics.is_file() or not hasattr(os, "sched_getaffinity"):
        return None
    mine = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    ticks = 0
    for row in statistics.read_text().splitlines():
        name, *fields = row.split()
        if name in mine:
            user, nice, system, _, _, irq, softirq, steal = map(int, fields[:8])
            ticks += user + nice + system + irq + softirq + steal
    return ticks / os.sysconf("SC_CLK_TCK")


def _versions(packages: list[str]) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _peak_rss_mib() -> float | None:
    # Linux counts the parent's memory into a child's ru_maxrss (the peak survives exec), but
    # not into VmHWM.
    status = Path("/proc/self/status")
    if status.is_file():
        for row in status.read_text().splitlines():
            if row.startswith("VmHWM:"):
                return int(row.split()[1]) / 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
