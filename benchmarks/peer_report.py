"""Measurements of several engines → one result, and results → tables. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np

from converters.accuracy.labels import LabelledLine, Polygon
from converters.accuracy.score import Score

from .engines.measure import Line, Measured

OURS = "edgeocr"
HEADER = (
    "Bundle",
    "Engine",
    "Total s",
    "ms per image",
    "Time ÷ edgeocr's",
    "Cold start ms",
    "Peak RSS MiB",
    "Lines",
    "Same lines",
    "Detection Hmean",
    "Hmean",
    "CER",
)


def pair_ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """The peer's time divided by ours, for the runs that were made side by side."""
    return [theirs / ours for ours, theirs in zip(ours, theirs, strict=True)]


def same_lines(ours: Mapping[str, Sequence[Line]], theirs: Mapping[str, Sequence[Line]]) -> float:
    """Share of lines, 0…1, that both engines find (IoU at least 0.5) and read alike.

    Alike is after `score.normalized`; the share is of the mean of both engines' numbers of lines.
    """
    total = Score()
    for name, lines in ours.items():
        expected = [LabelledLine(_polygon(line), line["text"], True) for line in lines]
        total.add(expected, _found(theirs[name]))
    return total.figures()["hmean"] if total.labelled or total.found else 1.0


def accuracy(
    labelled: Mapping[str, Sequence[LabelledLine]], read: Mapping[str, Sequence[Line]]
) -> dict[str, float] | None:
    """`Score.figures` over the labelled pictures, None when there is none."""
    total = Score()
    for name in labelled.keys() & read.keys():
        total.add(labelled[name], _found(read[name]))
    if not total.labelled:
        return None
    return {key: round(value, 4) for key, value in total.figures().items()}


def summarize(
    runs: Mapping[str, Sequence[Measured]], labelled: Mapping[str, Sequence[LabelledLine]]
) -> dict[str, Any]:
    """The figures of a result file.

    runs: for each engine, ours among them, its runs in the order in which they were made.
    labelled: pictures' names with what is in them.
    """
    read = {
        engine: {reading["name"]: reading["lines"] for reading in measured[-1]["readings"]}
        for engine, measured in runs.items()
    }
    comparisons = {}
    for engine in runs:
        if engine != OURS:
            ratios = pair_ratios(
                [run["total_s"] for run in runs[OURS]], [run["total_s"] for run in runs[engine]]
            )
            comparisons[engine] = {
                "time_ratio_of_each_pair": [round(ratio, 3) for ratio in ratios],
                "time_ratio_median": round(median(ratios), 3),
                "same_lines": round(same_lines(read[OURS], read[engine]), 4),
            }
    return {
        "runs": len(runs[OURS]),
        "images": list(read[OURS]),
        "engines": {
            engine: {
                **_engine(measured),
                "lines": sum(map(len, read[engine].values())),
                "accuracy": accuracy(labelled, read[engine]),
            }
            for engine, measured in runs.items()
        },
        "comparisons": comparisons,
    }


def rows(result: Mapping[str, Any]) -> list[list[str]]:
    """Cells of a result's table rows, one row an engine, in the order of `HEADER`."""
    made = []
    for engine, figures in result["engines"].items():
        comparison = result["comparisons"].get(engine)
        rights = figures["accuracy"] or {}
        memory = figures["peak_rss_mib_median"]
        made.append(
            [
                result["bundle"] + (" + classifier" if result["orientation"] else ""),
                f"{engine} {figures['versions'].get(engine, '')}".strip(),
                f"{figures['total_s_median']:.2f}",
                f"{1000 * figures['total_s_median'] / len(result['images']):.0f}",
                f"{comparison['time_ratio_median']:.2f}" if comparison else "1",
                f"{figures['cold_start_ms_median']:.0f}",
                "–" if memory is None else f"{memory:.0f}",
                str(figures["lines"]),
                f"{100 * comparison['same_lines']:.1f} %" if comparison else "–",
                *(
                    f"{rights[key]:.4f}" if key in rights else "–"
                    for key in ("detection_hmean", "hmean", "cer")
                ),
            ]
        )
    return made


def aligned(results: Sequence[Mapping[str, Any]]) -> str:
    """The table for a terminal."""
    table = [list(HEADER), *(row for result in results for row in rows(result))]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    )


def markdown(results: Sequence[Mapping[str, Any]]) -> str:
    """The table with what it means and where each row comes from."""
    lines = [
        "# edgeocr and its peers",
        "",
        "Made by `python -m benchmarks peers`. Within a bundle all engines run the same weights "
        "on the same number of CPUs, RapidOCR on the same ONNX Runtime too, faster-paddle on the "
        "one and with the weights that are built into it, RapidOCRLite on its own interpreter. "
        "Everything else is the engine's own: sizes, normalization, thresholds, batches. Each run "
        "is a process of its own and the engines "
        "take turns. Times, cold start (import, construction and a first image, which is not in "
        "the total) and peak memory are medians over the runs; the ratio is the median over pairs "
        "of neighbouring runs. Same lines: found by both (IoU at least 0.5) and read alike.",
        "",
        "| " + " | ".join(HEADER) + " |",
        "|---|---|" + "---:|" * (len(HEADER) - 2),
        *("| " + " | ".join(row) + " |" for result in results for row in rows(result)),
        "",
        *(f"- {origin(result)}" for result in results),
        *(
            f"- {result['bundle']}: {peer} is left out, {reason}"
            for result in results
            for peer, reason in result.get("left_out", {}).items()
        ),
    ]
    return "\n".join(lines) + "\n"


def origin(result: Mapping[str, Any]) -> str:
    """Where a result comes from, in a sentence."""
    machine, versions = result["machine"], result["engines"][OURS]["versions"]
    runtime = versions.get("onnxruntime") or versions.get("onnxruntime-gpu") or "of unknown version"
    busy = others_cpus(result)
    noise = "" if busy is None else f"others kept up to {busy:.1f} of the CPUs busy, "
    return (
        f"{result['bundle']}, {'with' if result['orientation'] else 'without'} the classifier; "
        f"images: {len(result['images'])}, runs of each engine: {result['runs']}, "
        f"threads: {result['threads']}, {noise}{machine['cpu']} ({machine['cpus']} CPUs), "
        f"{machine['os']}, Python {machine['python']}, ONNX Runtime {runtime}, "
        f"{result['date']}; `{result['command']}`"
    )


def others_cpus(result: Mapping[str, Any]) -> float | None:
    """CPUs that other processes kept busy in the worst of the runs; None where unknown."""
    every = [busy for engine in result["engines"].values() for busy in engine["others_cpus"]]
    return max(every, default=None)


def _engine(runs: Sequence[Measured]) -> dict[str, Any]:
    totals = [run["total_s"] for run in runs]
    starts = [run["cold_start_ms"] for run in runs]
    peaks = [run["peak_rss_mib"] for run in runs if run["peak_rss_mib"] is not None]
    others = [run["others_cpus"] for run in runs if run["others_cpus"] is not None]
    times = zip(*(run["readings"] for run in runs), strict=True)
    return {
        "versions": runs[0]["versions"],
        "total_s": [round(total, 4) for total in totals],
        "total_s_median": round(median(totals), 4),
        "cold_start_ms": [round(start, 1) for start in starts],
        "cold_start_ms_median": round(median(starts), 1),
        "peak_rss_mib": [round(peak, 1) for peak in peaks],
        "peak_rss_mib_median": round(median(peaks), 1) if peaks else None,
        "others_cpus": [round(cpus, 2) for cpus in others],
        "image_ms_median": {
            same[0]["name"]: round(median(reading["milliseconds"] for reading in same), 2)
            for same in times
        },
    }


def _found(lines: Sequence[Line]) -> list[tuple[Polygon, str]]:
    return [(_polygon(line), line["text"]) for line in lines]


def _polygon(line: Line) -> Polygon:
    return np.array(line["polygon"], np.float64)
