"""A result of `edgeocr bench` as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from .metrics import METRICS, columns_of, stages_of, three_digits
from .notes import notes
from .result import BenchResult


def table(result: BenchResult) -> str:
    """Return the summary, the stages and the notes of a result, separated by empty lines."""
    blocks = []
    if result.working:
        blocks += [_aligned(_summary(result)), _aligned(_stages(result))]
    blocks.append("\n".join(notes(result)))
    return "\n\n".join(block for block in blocks if block)


def _summary(result: BenchResult) -> list[list[str]]:
    rows = [["provider", *(metric.heading for metric in METRICS), "÷ cpu"]]
    for name, measured in result.working.items():
        values = [*(metric.value(measured) for metric in METRICS), result.speedup(name)]
        rows.append([name, *map(three_digits, values)])
    return rows


def _stages(result: BenchResult) -> list[list[str]]:
    head = ["ms per page"]
    for name in result.working:
        head += [f"{name} min", "p50", "p90", "p99"]
    rows = [head]
    for stage in stages_of(result.working.values()):
        row = [stage]
        for measured in result.working.values():
            row += map(three_digits, columns_of(measured.stages_ms.get(stage)))
        rows.append(row)
    return rows


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
