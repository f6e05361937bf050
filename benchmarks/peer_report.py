"""Summarize the measurements of several engines as a result, and show results as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TypedDict

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
# What stands above the table of peers.md.
EXPLANATION = (
    "`python -m benchmarks peers` made this table. Within a bundle all engines run the same "
    "weights on the same number of CPUs. RapidOCR also runs on the same ONNX Runtime; "
    "faster-paddle runs the ONNX Runtime and the weights that are built into it, and RapidOCRLite "
    "its own interpreter. Sizes, normalization, thresholds and batches are each engine's own.",
    "",
    "Each run is a process of its own, and the engines take turns. Times, cold start and peak "
    "memory are medians over the runs. The cold start is import, construction and a first image, "
    "and is not part of the total. The ratio is the median over pairs of neighbouring runs. Same "
    "lines are found by both engines (IoU at least 0.5) and read alike.",
)


class EngineFigures(TypedDict):
    """What was measured of an engine: the figure of each run, or the median over the runs.

    Attributes:
        versions: Versions of the libraries that it ran with, and its own.
        total_s: Seconds of each run, summed over the pictures.
        total_s_median: The median of `total_s`.
        cold_start_ms: Milliseconds of each run's cold start.
        cold_start_ms_median: The median of `cold_start_ms`.
        peak_rss_mib: Peak memory of each run for which it is known.
        peak_rss_mib_median: The median of `peak_rss_mib`; None if all are unknown.
        others_cpus: How many CPUs other processes kept busy in each run for which it is known.
        image_ms_median: Median milliseconds by the name of the picture.
        lines: Number of lines that the engine found in all pictures.
        accuracy: `Score.figures`; None without labelled pictures.
    """

    versions: dict[str, str]
    total_s: list[float]
    total_s_median: float
    cold_start_ms: list[float]
    cold_start_ms_median: float
    peak_rss_mib: list[float]
    peak_rss_mib_median: float | None
    others_cpus: list[float]
    image_ms_median: dict[str, float]
    lines: int
    accuracy: dict[str, float] | None


class Comparison(TypedDict):
    """A peer beside edgeocr.

    Attributes:
        time_ratio_of_each_pair: The peer's time divided by edgeocr's, for each pair of runs.
        time_ratio_median: The median of these ratios.
        same_lines: The share of lines that both find and read alike, from 0 to 1.
    """

    time_ratio_of_each_pair: list[float]
    time_ratio_median: float
    same_lines: float


class Summary(TypedDict):
    """The figures of a result file.

    Attributes:
        runs: Number of runs of each engine.
        images: Names of the pictures.
        engines: Engine → its figures, edgeocr's among them.
        comparisons: Peer → its comparison with edgeocr.
    """

    runs: int
    images: list[str]
    engines: dict[str, EngineFigures]
    comparisons: dict[str, Comparison]


class Result(Summary):
    """A result file: a summary, and what was measured under which conditions.

    Attributes:
        bundle: Name of the bundle.
        models: Stage → the model that all engines ran.
        orientation: Whether the classifier of upside-down lines ran.
        threads: Number of CPUs for each run.
        date: Date and time of the measurement.
        command: The command that repeats it.
        commit: The checkout's commit; None without git.
        machine: What `machine.describe` returns.
        left_out: Peer → the reason why it was not measured.
    """

    bundle: str
    models: dict[str, str | None]
    orientation: bool
    threads: int
    date: str
    command: str
    commit: str | None
    machine: dict[str, str | int]
    left_out: dict[str, str]


def pair_ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Divide a peer's time by edgeocr's, for each pair of neighbouring runs.

    Args:
        ours: Times of edgeocr's runs.
        theirs: Times of the peer's runs, in the same order and number.
    """
    return [theirs / ours for ours, theirs in zip(ours, theirs, strict=True)]


def same_lines(ours: Mapping[str, Sequence[Line]], theirs: Mapping[str, Sequence[Line]]) -> float:
    """Return the share of lines that both engines find and read alike, from 0 to 1.

    Both find a line if the IoU is at least 0.5, and read it alike if the texts are equal after
    `score.normalized`. The whole is the mean of both engines' numbers of lines.

    Args:
        ours: edgeocr's lines by the name of the picture.
        theirs: The peer's lines, likewise.
    """
    total = Score()
    for name, lines in ours.items():
        expected = [LabelledLine(_polygon(line), line["text"], True) for line in lines]
        total.add(expected, _found(theirs[name]))
    return total.figures()["hmean"] if total.labelled or total.found else 1.0


def accuracy(
    labelled: Mapping[str, Sequence[LabelledLine]], read: Mapping[str, Sequence[Line]]
) -> dict[str, float] | None:
    """Return `Score.figures` over the labelled pictures; None if no picture has labelled lines.

    Args:
        labelled: Labelled lines by the name of the picture.
        read: Lines that were read, likewise.
    """
    total = Score.total(score(labelled[name], read[name]) for name in labelled.keys() & read.keys())
    if not total.labelled:
        return None
    return {key: round(value, 4) for key, value in total.figures().items()}


def score(labelled: Sequence[LabelledLine], read: Sequence[Line]) -> Score:
    """Return the score of one picture.

    Args:
        labelled: Its labelled lines.
        read: The lines that were read.
    """
    made = Score()
    made.add(labelled, _found(read))
    return made


def summarize(
    runs: Mapping[str, Sequence[Measured]], labelled: Mapping[str, Sequence[LabelledLine]]
) -> Summary:
    """Return the figures of a result file.

    Args:
        runs: The runs of each engine, edgeocr among them, in the order in which they were made.
        labelled: Labelled lines by the name of the picture.
    """
    read = {
        engine: {reading["name"]: reading["lines"] for reading in measured[-1]["readings"]}
        for engine, measured in runs.items()
    }
    comparisons: dict[str, Comparison] = {}
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
            engine: _engine(measured, read[engine], labelled) for engine, measured in runs.items()
        },
        "comparisons": comparisons,
    }


def rows(result: Result) -> list[list[str]]:
    """Return the cells of a result's rows: a row for each engine, in the order of `HEADER`."""
    made = []
    for engine, figures in result["engines"].items():
        comparison = result["comparisons"].get(engine)
        accuracy_figures = figures["accuracy"] or {}
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
                    f"{accuracy_figures[key]:.4f}" if key in accuracy_figures else "–"
                    for key in ("detection_hmean", "hmean", "cer")
                ),
            ]
        )
    return made


def aligned(results: Sequence[Result]) -> str:
    """Format results as a table for a terminal."""
    table = [list(HEADER), *(row for result in results for row in rows(result))]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    )


def markdown(results: Sequence[Result]) -> str:
    """Format results as a page: what the table means, the table, and where each row comes from."""
    lines = [
        "# edgeocr and its peers",
        "",
        *EXPLANATION,
        "",
        "| " + " | ".join(HEADER) + " |",
        "|---|---|" + "---:|" * (len(HEADER) - 2),
        *("| " + " | ".join(row) + " |" for result in results for row in rows(result)),
        "",
        *(f"- {origin(result)}" for result in results),
        *(
            f"- {result['bundle']}: {peer} is left out because {reason}"
            for result in results
            for peer, reason in result["left_out"].items()
        ),
    ]
    return "\n".join(lines) + "\n"


def origin(result: Result) -> str:
    """Describe where a result comes from: pictures, runs, machine, versions, date and command."""
    machine, versions = result["machine"], result["engines"][OURS]["versions"]
    runtime = versions.get("onnxruntime") or versions.get("onnxruntime-gpu") or "of unknown version"
    busy = others_cpus(result)
    noise = "" if busy is None else f"other processes kept up to {busy:.1f} of the CPUs busy, "
    return (
        f"{result['bundle']}, {'with' if result['orientation'] else 'without'} the classifier; "
        f"images: {len(result['images'])}, runs of each engine: {result['runs']}, "
        f"threads: {result['threads']}, {noise}{machine['cpu']} ({machine['cpus']} CPUs), "
        f"{machine['os']}, Python {machine['python']}, ONNX Runtime {runtime}, "
        f"{result['date']}; `{result['command']}`"
    )


def others_cpus(result: Summary) -> float | None:
    """Return how many CPUs other processes kept busy in the worst run; None if unknown."""
    every = [busy for engine in result["engines"].values() for busy in engine["others_cpus"]]
    return max(every, default=None)


def _engine(
    runs: Sequence[Measured],
    read: Mapping[str, Sequence[Line]],
    labelled: Mapping[str, Sequence[LabelledLine]],
) -> EngineFigures:
    """Return the figures of one engine.

    Args:
        runs: Its runs.
        read: The lines that it read, by the name of the picture.
        labelled: Labelled lines, likewise.
    """
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
        "lines": sum(map(len, read.values())),
        "accuracy": accuracy(labelled, read),
    }


def _found(lines: Sequence[Line]) -> list[tuple[Polygon, str]]:
    return [(_polygon(line), line["text"]) for line in lines]


def _polygon(line: Line) -> Polygon:
    return np.array(line["polygon"], np.float64)
