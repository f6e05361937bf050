"""Show results of `edgeocr bench` side by side.

Usage: python -m benchmarks compare A.json B.json … [--html FILE].
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from edgeocr.bench.html import report
from edgeocr.bench.metrics import METRICS, three_digits
from edgeocr.bench.notes import notes
from edgeocr.bench.result import BenchResult, device_names


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
        "--html", type=Path, metavar="FILE", help="write a report with charts to FILE"
    )


def run(options: argparse.Namespace) -> None:
    """Print the Markdown table, and write the report if it was asked for."""
    try:
        results = [load(path) for path in options.results]
    except NoResultError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    print(markdown(results))
    if options.html is not None:
        options.html.write_text(report(results), encoding="utf-8", errors="replace")


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
    """Return a table with a column for each device; below it warnings and what does not work."""
    names = device_names(results)
    measured = [result.working for result in results]
    rows = []
    for provider in dict.fromkeys(name for each in measured for name in each):
        for metric in METRICS:
            values = [
                metric.value(each[provider]) if provider in each else None for each in measured
            ]
            if any(value is not None for value in values):
                rows.append([f"{provider}: {metric.title}", *_with_ratios(values)])
    remarks = [f"**{warning}**" for warning in warnings(results)]
    remarks += [
        f"{name}: {note}"
        for name, result in zip(names, results, strict=True)
        for note in notes(result)
    ]
    return "\n".join(
        [
            _row(["", *names]),
            "|---|" + "---:|" * len(names),
            *map(_row, rows),
            *([""] if remarks else []),
            *("- " + " ".join(remark.split()) for remark in remarks),
        ]
    )


def warnings(results: Sequence[BenchResult]) -> list[str]:
    """Return why results can't be compared with the first one: other graphs, pictures or texts.

    A bundle with other graphs is told apart from one that differs in its settings only.
    """
    found = []
    names = device_names(results)
    first, *others = results
    for name, result in zip(names[1:], others, strict=True):
        if result.bundle.sha256 != first.bundle.sha256:
            same = result.bundle.graphs == first.bundle.graphs
            which = "a bundle with other settings" if same else "another bundle"
            found.append(f"{name} was measured with {which} than {names[0]}")
        if _pictures(result) != _pictures(first):
            found.append(f"{name} read other pictures than {names[0]}")
        for provider, measured in result.working.items():
            beside = first.working.get(provider)
            if beside is not None and measured.texts_sha256 != beside.texts_sha256:
                found.append(f"{name} read other texts than {names[0]} on {provider}")
    return found


def _pictures(result: BenchResult) -> list[str]:
    return [picture.sha256 for picture in result.images]


def _with_ratios(values: Sequence[float | None]) -> list[str]:
    """Write the values; behind each but the first stands its ratio to the first."""
    first = values[0]
    return [
        f"{three_digits(value)} ({three_digits(value / first)}×)"
        if i and value is not None and first
        else three_digits(value)
        for i, value in enumerate(values)
    ]


def _row(cells: Sequence[str]) -> str:
    safe = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
    return "| " + " | ".join(safe) + " |"
