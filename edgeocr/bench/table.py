"""A result of `edgeocr bench` as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import printable
from .metrics import columns_of, known_metrics, stages_of, three_digits
from .notes import notes
from .result import BenchResult
from .rows import DETAILED, LEGEND, Row, detailed, measured_rows, rows_of
from .sustained import Sustained


def table(result: BenchResult) -> str:
    """Return the matrix, the stages and the notes of a result, separated by empty lines."""
    rows = rows_of([result])
    blocks = []
    if measured := measured_rows(rows):
        blocks.append(_aligned(matrix(measured), left=5))
        if len(measured) > 1:
            blocks[-1] += f"\n{LEGEND}"
        if any(row.measured.sustained is not None for row in measured):
            blocks.append(_aligned(sustained_loads(measured)))
        shown = detailed(rows)
        blocks += [
            _aligned(_stages(shown[i : i + DETAILED])) for i in range(0, len(shown), DETAILED)
        ]
    blocks.append("\n".join(map(_one_line, notes(result))))
    return "\n\n".join(block for block in blocks if block)


def matrix(rows: Sequence[Row]) -> list[list[str]]:
    """Return a table with one row for each cell, and a column for each known figure.

    Args:
        rows: Measured rows.

    Returns:
        The head and the rows. The first column is the mark, then follow bundle, provider, precision
        and threads.
    """
    metrics = known_metrics(rows)
    head = ["", "bundle", "provider", "precision", "threads"]
    return [
        [*head, *(metric.heading for metric in metrics), "÷ best"],
        *(
            [
                row.mark,
                *row.settings,
                *(metric.of(row) for metric in metrics),
                three_digits(row.verdict.ratio),
            ]
            for row in rows
        ),
    ]


def sustained_loads(rows: Sequence[Row]) -> list[list[str]]:
    """Return a table of the sustained loads: how pages, clock and temperature changed.

    Figures that no load has are left out.

    Args:
        rows: Measured rows; those without a sustained load are left out.
    """
    head = ["sustained load", "min", "first ms", "hot ms", "change", "pages/s", "MHz", "°C", "W"]
    found = [head]
    for row in rows:
        if (load := row.measured.sustained) is not None:
            first, last = load.samples[0], load.samples[-1]
            found.append(
                [
                    row.name,
                    f"{load.minutes:g}",
                    three_digits(first.page_ms),
                    three_digits(load.page_ms),
                    change(load),
                    three_digits(load.pages_per_second),
                    _from_to(first.clock_mhz, last.clock_mhz),
                    _from_to(first.temperature_c, last.temperature_c),
                    three_digits(last.watts),
                ]
            )
    unknown = [set(column[1:]) == {"–"} for column in zip(*found, strict=True)]
    return [[cell for cell, no in zip(row, unknown, strict=True) if not no] for row in found]


def change(load: Sustained) -> str:
    """Return by how much a page after the heat-up takes longer than at first, in percent."""
    ratio = load.page_ms / max(load.samples[0].page_ms, 1e-3)
    return f"{100 * (ratio - 1):+.0f} %"


def _stages(rows: Sequence[Row]) -> list[list[str]]:
    head = ["ms per page"]
    for row in rows:
        head += [f"{row.name} min", "p50", "p90", "p99"]
    found = [head]
    for stage in stages_of(row.measured for row in rows):
        cells = [stage]
        for row in rows:
            cells += map(three_digits, columns_of(row.measured.stages_ms.get(stage)))
        found.append(cells)
    return found


def _from_to(first: float | None, last: float | None) -> str:
    if first is None or last is None:
        return "–"
    return f"{first:.0f} → {last:.0f}"


def _one_line(text: str) -> str:
    return printable(" ".join(text.split()))


def _aligned(rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return rows with aligned columns, of which the first ones are flush left.

    Args:
        rows: The rows.
        left: The number of columns that are flush left.
    """
    safe = [[_one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*safe, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in safe
    )
