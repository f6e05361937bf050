"""What is in a result of `edgeocr bench`, and the result for a terminal. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

SCHEMA = 1
MIB = 1 << 20
# In the order of a picture's way; a spotting network is detection and recognition in one.
STAGES = (
    *("load", "resize", "detection", "spotting", "postprocess", "crops", "orientation"),
    *("recognition", "decoding", "rest"),
)

SPREAD = ("min", "p50", "p90", "p99")

Figures = Mapping[str, Any]


class Metric(NamedTuple):
    """A figure of a provider: what it is called, at length and in a table's head, and its value."""

    title: str
    head: str
    value: Callable[[Figures], float | None]


METRICS = (
    Metric("Cold start, ms", "cold ms", lambda f: f["cold_start_ms"]["total"]),
    Metric("Warm-up, ms", "warm ms", lambda f: f["warm_up_ms"]),
    Metric("Page min, ms", "min", lambda f: f["page_ms"]["min"]),
    Metric("Page p50, ms", "p50", lambda f: f["page_ms"]["p50"]),
    Metric("Page p90, ms", "p90", lambda f: f["page_ms"]["p90"]),
    Metric("Page p99, ms", "p99", lambda f: f["page_ms"]["p99"]),
    Metric("Pages per second, one by one", "pages/s", lambda f: f["pages_per_second"]),
    Metric("Pages per second, stream", "stream", lambda f: f["stream_pages_per_second"]),
    Metric("Peak RSS, MiB", "RSS MiB", lambda f: _mib(f["peak_rss_bytes"])),
    Metric("GPU memory, MiB", "GPU MiB", lambda f: _mib(f["gpu_bytes"])),
    Metric("Energy per page, J", "J/page", lambda f: f["joules_per_page"]),
)


def working(result: Figures) -> dict[str, Figures]:
    """The providers of a result that could be measured."""
    return {
        name: figures for name, figures in result["providers"].items() if "error" not in figures
    }


def device_name(result: Figures) -> str:
    """What a result's device is called: the board, else the models of its CPU and GPUs."""
    name = str(result["device"].get("cpu") or "unknown device")
    if result["device"].get("board"):
        return name
    return " + ".join([name, *(gpu["name"] for gpu in result["nvidia"].get("gpus", ()))])


def stages_of(measured: Iterable[Figures]) -> list[str]:
    """The stages that some provider ran, in the order of a picture's way."""
    ran = dict.fromkeys(stage for figures in measured for stage in figures["stages_ms"])
    return sorted(ran, key=lambda stage: STAGES.index(stage) if stage in STAGES else len(STAGES))


def spread_of(figures: Figures, stage: str) -> list[float | None]:
    """The `SPREAD` of a stage's ms per page."""
    return [figures["stages_ms"].get(stage, {}).get(name) for name in SPREAD]


def speedup(result: Figures, provider: str) -> float | None:
    """How many times the CPU's pages per second a provider reads one by one."""
    measured = working(result)
    if "cpu" not in measured or provider not in measured:
        return None
    own: float = measured[provider]["pages_per_second"]
    return own / float(measured["cpu"]["pages_per_second"])


def number(value: float | None) -> str:
    """Three digits that count, a dash for what is unknown."""
    if value is None:
        return "–"
    return f"{value:.{0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2}f}"


def table(result: Figures) -> str:
    """The result for a terminal."""
    measured = working(result)
    blocks = []
    if measured:
        head = ["provider", *(metric.head for metric in METRICS), "÷ cpu"]
        rows = [
            [
                name,
                *(number(metric.value(figures)) for metric in METRICS),
                number(speedup(result, name)),
            ]
            for name, figures in measured.items()
        ]
        blocks.append(_aligned([head, *rows]))
        head = ["ms per page"]
        for name in measured:
            head += [f"{name} {SPREAD[0]}", *SPREAD[1:]]
        spreads = [
            [stage, *(number(each) for f in measured.values() for each in spread_of(f, stage))]
            for stage in stages_of(measured.values())
        ]
        blocks.append(_aligned([head, *spreads]))
    blocks.append("\n".join(notes(result)))
    return "\n\n".join(block for block in blocks if block)


def notes(result: Figures) -> list[str]:
    """What to know beside the numbers: what doesn't work, failed, or makes times doubtful."""
    rows = []
    measured = working(result)
    for name, figures in result["providers"].items():
        if "error" in figures:
            rows.append(f"{name} doesn't work here: {figures['error']}")
            continue
        rows += [f"{name}: {each['image']} failed: {each['error']}" for each in figures["failed"]]
        if not figures["same_each_time"]:
            rows.append(f"{name}: the same picture was not read alike each time")
        if moved := [f"{k} on {v}" for k, v in figures["providers"].items() if v != name]:
            rows.append(f"{name}: {', '.join(moved)}")
        if throttled := _throttled(**figures["throttling"]):
            rows.append(f"{name}: the device slowed itself down ({throttled})")
    if len({figures["texts_sha256"] for figures in measured.values()}) > 1:
        rows.append("the providers didn't read the same texts")
    rows += [f"{each['name']} failed: {each['error']}" for each in result["failed"]]
    return rows


def _throttled(before: Figures | None, after: Figures | None) -> str:
    """What slowed the device down while it read, not only at some time since boot."""
    if before is None or after is None:
        return ""
    new = [each for each in after["since_boot"] if each not in before["since_boot"]]
    return ", ".join(dict.fromkeys([*after["now"], *new]))


def _mib(size: int | None) -> float | None:
    return None if size is None else size / MIB


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
