"""The part that all workers share: read pictures, measure time and memory, write the result.

A worker is started as `python -m benchmarks.engines.NAME REQUEST RESULT`. It reads the first of
these JSON files and writes the second. It runs in the environment of its engine, so this module
needs the standard library only.
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
    """The work that a worker has to do.

    Attributes:
        name: Name of the bundle.
        images: Paths of pictures. Each is read once, and the first one also for the cold start.
        threads: CPU threads for the engine, and the number of CPUs that the process is pinned to.
        orientation: Whether the classifier turns crops that are upside down.
        bundle: Path of the bundle, for edgeocr.
        models: The same weights for the peers.
        packages: Packages whose versions to report.
    """

    name: str
    images: list[str]
    threads: int
    orientation: bool
    bundle: str
    models: Models
    packages: list[str]


class Line(TypedDict):
    """A line that was read.

    Attributes:
        text: The text.
        polygon: The corners (x, y) in pixels of the picture.
    """

    text: str
    polygon: list[list[float]]


class Reading(TypedDict):
    """What was read in one picture.

    Attributes:
        name: Name of the file.
        milliseconds: Wall time from the path to the engine's result.
        lines: The lines.
    """

    name: str
    milliseconds: float
    lines: list[Line]


class Measured(TypedDict):
    """What a worker measured.

    Attributes:
        versions: Versions of the requested packages that are installed.
        cold_start_ms: Milliseconds of the import, the construction and a first picture, which are
            not part of the other times.
        total_s: Seconds summed over the pictures.
        peak_rss_mib: The process's peak memory; None if unknown.
        others_cpus: How many of the process's CPUs other processes kept busy meanwhile, on average;
            None if unknown. If it is large, the times can't be trusted.
        readings: What was read, picture by picture.
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

    Args:
        start: Imports and constructs the engine. Returns a function that reads the picture at a
            path, which is timed, and one that turns the engine's result into lines, which is not.
    """
    request: Request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    _pin(request["threads"])
    begin = perf_counter()
    read, lines = start(request)
    read(request["images"][0])
    cold_start = perf_counter() - begin
    readings: list[Reading] = []
    busy, own, started = busy_seconds(), process_time(), perf_counter()
    for path in request["images"]:
        begin = perf_counter()
        result = read(path)
        milliseconds = (perf_counter() - begin) * 1000
        readings.append(
            {"name": Path(path).name, "milliseconds": milliseconds, "lines": lines(result)}
        )
    others = None
    if busy is not None and (busy_after := busy_seconds()) is not None:
        others = busy_after - busy - (process_time() - own)
        others = max(0.0, others / (perf_counter() - started))
    measured: Measured = {
        "versions": _versions(request["packages"]),
        "cold_start_ms": cold_start * 1000,
        "total_s": sum(reading["milliseconds"] for reading in readings) / 1000,
        "peak_rss_mib": peak_rss_mib(),
        "others_cpus": others,
        "readings": readings,
    }
    Path(sys.argv[2]).write_text(json.dumps(measured), encoding="utf-8")


def _pin(cpus: int) -> None:
    """Pin the process to its first CPUs, on systems that can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cpus])


def busy_seconds() -> float | None:
    """Return the CPU time of all processes, and of the host, on this process's CPUs since boot.

    Returns:
        Seconds; None on systems other than Linux.
    """
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
    """Return the versions of those packages that are installed."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def peak_rss_mib() -> float | None:
    """Return the peak of the process's resident memory in MiB; None if unknown."""
    # On Linux ru_maxrss includes the parent's memory, because the peak survives exec; VmHWM does
    # not.
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
