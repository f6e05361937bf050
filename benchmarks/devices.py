"""Make docs/devices.md, the table of all devices, from benchmarks/results/devices/*.json.

Usage: python -m benchmarks devices [--check].
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeocr.bench.markdown import markdown_table
from edgeocr.bench.metrics import METRICS
from edgeocr.bench.result import BenchResult
from edgeocr.bench.rows import Row, measured_rows, rows_of
from edgeocr.outputs.encoding import encoded

from .compare import NoResultError, load

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "devices"
PAGE = ROOT / "docs" / "devices.md"
# What stands between these marks is made by this command; the rest of the page is written by hand.
BEGIN, END = "<!-- made by: python -m benchmarks devices -->", "<!-- end -->"
# The figures of `METRICS` that the table has, by their titles, and what they are called in it.
FIGURES = {
    "Page p50, ms": "p50, ms",
    "Hot page, ms": "Hot page, ms",
    "Pages/s": "Pages/s",
    "Peak RSS, MiB": "RSS, MiB",
    "Energy per page, J": "J/page",
    "Same lines, %": "Same lines, %",
    "Hmean": "Hmean",
}
# The columns from the left that hold words.
WORDS = 6


class OutdatedError(Exception):
    """docs/devices.md is not what the result files make; the message says what to do."""


@dataclass(frozen=True)
class DeviceFile:
    """A result file of a device.

    Attributes:
        name: The file's name.
        result: What it holds.
    """

    name: str
    result: BenchResult


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--check", action="store_true", help="fail if the page is not up to date; write nothing"
    )


def run(options: argparse.Namespace) -> None:
    """Write the page, or check it."""
    try:
        page = made(PAGE.read_text("utf-8"), read(RESULTS))
        if options.check:
            check(page)
    except (NoResultError, OutdatedError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    if not options.check:
        PAGE.write_bytes(encoded(page))


def read(folder: Path) -> list[DeviceFile]:
    """Read all result files of a folder, in the order of their names.

    Raises:
        NoResultError: A file is not a result of `edgeocr bench`.
    """
    return [DeviceFile(path.name, load(path)) for path in sorted(folder.glob("*.json"))]


def check(page: str) -> None:
    """Raise `OutdatedError` if docs/devices.md differs from the page that the results make."""
    if page != PAGE.read_text("utf-8"):
        raise OutdatedError("docs/devices.md is not up to date: run python -m benchmarks devices")


def made(page: str, files: Sequence[DeviceFile]) -> str:
    """Return the page with the table of some result files.

    Args:
        page: The page with another table, or an empty one.
        files: The result files.

    Raises:
        OutdatedError: The page lacks the marks around the table.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise OutdatedError(f"docs/devices.md must have the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{table(files)}\n\n{END}{after}"


def table(files: Sequence[DeviceFile]) -> str:
    """Return the table of all devices: the fastest cell of each bundle and provider.

    The lines are in the order of device, bundle, provider and file.
    """
    figures = [metric for metric in METRICS if metric.title in FIGURES]
    head = ["", "Device", "Bundle", "Provider", "Precision", "Threads"]
    head += [FIGURES[metric.title] for metric in figures]
    lines = []
    for file in files:
        for row in fastest(measured_rows(rows_of([file.result]))):
            key = (row.device_name, row.cell.bundle, row.cell.provider, file.name)
            line = [row.mark, row.device_name, *row.settings]
            line += [metric.of(row) for metric in figures]
            lines.append((key, [*line, versions(file.result), file.result.when[:10]]))
    return markdown_table(
        [[*head, "Versions", "Date"], *(line for _, line in sorted(lines))], left=WORDS
    )


def fastest(rows: Iterable[Row]) -> list[Row]:
    """Return the cell with the shortest median page of each bundle and provider.

    A cell that reads something else than fp32 on the CPU, or in which a picture failed, is taken
    only if there is no other one.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.cell.bundle, row.cell.provider), []).append(row)
    return [
        min(
            group,
            key=lambda row: (row.verdict.kind in ("refused", "failed"), row.measured.page_ms.p50),
        )
        for group in groups.values()
    ]


def versions(result: BenchResult) -> str:
    """Return the versions of edgeocr and of ONNX Runtime, whatever its package is called."""
    runtimes = [
        f"{name} {version}"
        for name, version in result.packages.items()
        if name.startswith("onnxruntime")
    ]
    return ", ".join([f"edgeocr {result.edgeocr}", *runtimes])
