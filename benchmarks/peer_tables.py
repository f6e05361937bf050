"""Show the results of `benchmarks.peers` as tables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from .engine_process import OURS
from .peer_report import Comparison, Result

HEADER = (
    "Bundle",
    "Pictures",
    "Engine",
    "Best s",
    "Time ÷ edgeocr's",
    "Median s",
    "Its ratio, range",
    "CPU s",
    "Cores busy",
    "Cold start ms",
    "Peak MiB",
    "Lines",
    "Same lines",
    "Detection Hmean",
    "Hmean",
    "CER",
    "Word F1",
)
# Columns with text, which are aligned to the left.
TEXTS = 3
# What stands above the tables of peers.md.
EXPLANATION = (
    "`python -m benchmarks peers` made this page. Within a bundle all engines run the same weights "
    "with the same number of threads, and are pinned to that number of CPUs. RapidOCR also runs on "
    "the same ONNX Runtime; faster-paddle runs the ONNX Runtime and the weights that are built "
    "into it, TurboOCR the ONNX Runtime that is built into it, and RapidOCRLite its own "
    "interpreter. Sizes, normalization, thresholds and batches are each engine's own.",
    "",
    "Each engine is a process that stays open. In each round the engines read each picture in "
    "turn, in an order that rotates, and each begins when the threads of the one before have come "
    "to rest. *Best* sums the best time of each picture over the pictures, "
    "*median* is the median over the rounds, its ratio is the median of the rounds' ratios, with "
    "the smallest and the largest, and CPU seconds and busy cores are medians over the rounds. CPU "
    "seconds include those that an engine's threads spin after a picture: RapidOCR's and "
    "TurboOCR's do so for about 15 ms. The cold start is the time from the start of a process to "
    "the text of the first picture, in processes of their own, in turn. Same lines are found by "
    "both engines (IoU at least 0.5) and read alike.",
)


def rows(result: Result) -> list[list[str]]:
    """Return the cells of a result's rows: a row for each engine, in the order of `HEADER`."""
    bundle = result["bundle"] + (" + classifier" if result["orientation"] else "")
    made = []
    for engine, figures in result["engines"].items():
        comparison = result["comparisons"].get(engine)
        accuracy = figures["accuracy"] or {}
        start, memory = figures["cold_start_ms_median"], figures["peak_rss_mib"]
        made.append(
            [
                bundle,
                result["data"],
                f"{engine} {figures['versions'].get(engine, '')}".strip(),
                f"{figures['wall_s_best']:.2f}",
                f"{comparison['time_ratio_best']:.2f}" if comparison else "1",
                f"{figures['wall_s_median']:.2f}",
                _spread(comparison) if comparison else "1",
                f"{figures['cpu_s_median']:.2f}",
                f"{figures['cores_busy']:.2f}",
                "–" if start is None else f"{start:.0f}",
                "–" if memory is None else f"{memory:.0f}",
                str(figures["lines"]),
                f"{100 * comparison['same_lines']:.1f} %" if comparison else "–",
                *(
                    f"{accuracy[key]:.4f}" if key in accuracy else "–"
                    for key in ("detection_hmean", "hmean", "cer", "word_f1")
                ),
            ]
        )
    for engine in result.get("failed", {}):
        row = [bundle, result["data"], engine, "failed"]
        made.append(row + ["–"] * (len(HEADER) - len(row)))
    return made


def _spread(comparison: Comparison) -> str:
    """Return the median ratio of the rounds, and the smallest and largest one."""
    of_each = comparison["time_ratio_of_each_round"]
    return f"{comparison['time_ratio_median']:.2f} ({min(of_each):.2f}–{max(of_each):.2f})"


def aligned(results: Sequence[Result]) -> str:
    """Format results as a table for a terminal."""
    table = [list(HEADER), *(row for result in results for row in rows(result))]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i < TEXTS else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    )


def markdown(results: Sequence[Result]) -> str:
    """Format results as a page: what the tables mean, and for each machine a table and its origin.

    Args:
        results: The results.
    """
    lines = ["# edgeocr and its peers", "", *EXPLANATION]
    for title, group in groupby(sorted(results, key=_machine), _machine):
        of_machine = list(group)
        lines += [
            "",
            f"## {title}",
            "",
            "| " + " | ".join(HEADER) + " |",
            "|" + "---|" * TEXTS + "---:|" * (len(HEADER) - TEXTS),
            *("| " + " | ".join(row) + " |" for result in of_machine for row in rows(result)),
            "",
            *(f"- {origin(result)}" for result in of_machine),
            *(
                f"- {result['bundle']}, {result['data']}: {peer} is left out because {reason}"
                for result in of_machine
                for peer, reason in result["left_out"].items()
            ),
            *(
                f"- {result['bundle']}, {result['data']}: {' '.join(reason.split())}"
                for result in of_machine
                for reason in result.get("failed", {}).values()
            ),
        ]
    return "\n".join(lines) + "\n"


def _machine(result: Result) -> str:
    return f"{result['machine']['cpu']}, {result['machine']['cpus']} CPUs"


def origin(result: Result) -> str:
    """Describe where a result comes from: pictures, rounds, machine, versions, date and command."""
    machine, versions = result["machine"], result["engines"][OURS]["versions"]
    runtime = versions.get("onnxruntime") or versions.get("onnxruntime-gpu") or "of unknown version"
    busy = others_cpus(result)
    noise = "" if busy is None else f"other processes kept up to {busy:.1f} of the CPUs busy, "
    return (
        f"{result['bundle']}, {result['data']}, "
        f"{'with' if result['orientation'] else 'without'} the classifier; "
        f"images: {len(result['images'])}, rounds: {result['rounds']}, "
        f"threads: {result['threads']}, {noise}{machine['cpu']} ({machine['cpus']} CPUs), "
        f"{machine['os']}, Python {machine['python']}, ONNX Runtime {runtime}, "
        f"commit {result['commit']}, {result['date']}; `{result['command']}`"
    )


def others_cpus(result: Result) -> float | None:
    """Return how many CPUs other processes kept busy in the worst round; None if unknown."""
    return max(result["others_cpus"], default=None)
