"""Show results of `edgeocr bench` side by side.

Usage: python -m benchmarks compare A.json B.json … [--csv FILE] [--html FILE].
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from edgeocr.bench.cell import Cell, Combination, names_of
from edgeocr.bench.csv_rows import csv_of
from edgeocr.bench.html import report
from edgeocr.bench.markdown import bullets, markdown_table
from edgeocr.bench.metrics import METRICS, Metric
from edgeocr.bench.notes import notes
from edgeocr.bench.result import BenchResult, device_names
from edgeocr.bench.rows import Row, measured_rows, rows_of
from edgeocr.outputs.encoding import encoded
from edgeocr.writers.markdown import inline


class NoResultError(Exception):
    """A file is not what `edgeocr bench --json` writes; the message names it and the reason."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "results",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="file that edgeocr bench --json wrote; ratios are relative to the first file",
    )
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="write a table with a row for each cell to FILE"
    )
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="write a report with charts to FILE"
    )


def run(options: argparse.Namespace) -> None:
    """Print the Markdown tables, and write the files that were asked for."""
    try:
        results = [load(path) for path in options.results]
    except NoResultError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    print(markdown(results))
    if options.csv is not None:
        options.csv.write_bytes(encoded(csv_of(results)))
    if options.html is not None:
        page = report(results, warnings(results))
        options.html.write_text(page, encoding="utf-8", errors="replace")


def load(path: Path) -> BenchResult:
    """Read a result file.

    Raises:
        NoResultError: If the file can't be read, or is not a result.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError as error:
        raise NoResultError(f"{path}: can't be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise NoResultError(f"{path}: is not JSON: {error}") from None
    try:
        return BenchResult.from_dict(record)
    except ValueError as error:
        raise NoResultError(f"{path}: is not a result of edgeocr bench: {error}") from None


def markdown(results: Sequence[BenchResult]) -> str:
    """Return warnings, a table for each cell with a column for each device, and notes.

    Of several results, only the cells that two or more have in common have a table.

    Args:
        results: At least one result; ratios are to the first one.
    """
    devices = device_names(results)
    parts = [bullets(found)] if (found := warnings(results)) else []
    cells = _side_by_side(results)
    remarks = []
    for name, rows in zip(names_of(list(cells)), cells.values(), strict=True):
        if len(rows) < min(2, len(results)):
            (alone,) = rows.values()
            remarks.append(f"{alone.device_name}: {name} was measured on no other device")
            continue
        columns = [rows.get(number) for number in range(len(results))]
        table = [["", *devices]]
        table += [
            [metric.title, *_with_ratios(metric, columns)]
            for metric in METRICS
            if any(row is not None and metric.value(row) is not None for row in columns)
        ]
        table.append(["Verdict", *(row.verdict.kind if row else "–" for row in columns)])
        parts += [f"## {inline(name)}", markdown_table(table)]
    remarks += [
        f"{name}: {note}"
        for name, result in zip(devices, results, strict=True)
        for note in notes(result)
    ]
    if remarks:
        parts += ["## Notes", bullets(remarks)]
    return "\n\n".join(parts)


def _side_by_side(results: Sequence[BenchResult]) -> dict[Combination, dict[int, Row]]:
    """Return the measured rows of each combination, by the number of the result."""
    cells: dict[Combination, dict[int, Row]] = {}
    for row in measured_rows(rows_of(results)):
        cells.setdefault(_combination(row.cell), {})[row.device] = row
    return cells


def warnings(results: Sequence[BenchResult]) -> list[str]:
    """Return why results can't be compared with the first one: graphs, pictures, labels or texts.

    A bundle with other graphs is told apart from one that differs in its settings only.
    """
    found = []
    names = device_names(results)
    first, *others = results
    for name, result in zip(names[1:], others, strict=True):
        for label in result.bundles.keys() & first.bundles.keys():
            one, other = first.bundles[label], result.bundles[label]
            if one.sha256 != other.sha256:
                which = "settings" if one.graphs == other.graphs else "graphs"
                found.append(f"{label} of {name} is a bundle with other {which} than {names[0]}'s")
        if _pictures(result) != _pictures(first):
            found.append(f"{name} read other pictures than {names[0]}")
        if _labels(result) != _labels(first):
            found.append(f"{name} was scored with other labels than {names[0]}")
        cells = _side_by_side([first, result])
        for cell, rows in zip(names_of(list(cells)), cells.values(), strict=True):
            texts = {row.measured.texts_sha256 for row in rows.values()}
            if len(texts) > 1:
                found.append(f"{name} read other texts than {names[0]} with {cell}")
    return found


def _labels(result: BenchResult) -> str | None:
    return None if result.labels is None else result.labels.sha256


def _combination(cell: Cell) -> Combination:
    return Combination(cell.bundle, cell.provider, cell.precision, cell.threads)


def _pictures(result: BenchResult) -> list[str]:
    return [picture.sha256 for picture in result.images]


def _with_ratios(metric: Metric, rows: Sequence[Row | None]) -> list[str]:
    """Write a metric of the same cell of each device; behind it stands the ratio to the first."""
    values = [None if row is None else metric.value(row) for row in rows]
    first = values[0]
    return [
        f"{metric.text(value)} ({value / first:.2f}×)"
        if i and value is not None and first
        else metric.text(value)
        for i, value in enumerate(values)
    ]
