"""The cells of results as the rows of tables and charts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .cell import Cell, Measured, names_of
from .result import BenchResult, MeasuredBundle, device_names
from .verdicts import Kind, Verdict, verdicts

# The sign of each verdict in tables; the others have none.
MARKS: dict[Kind, str] = {"best": "★", "best of its bundle": "☆", "refused": "×", "failed": "×"}
LEGEND = "★ best, ☆ best of its bundle, × refused or failed"
BEST: tuple[Kind, ...] = ("best", "best of its bundle")
# Details are shown of all cells up to this number, and otherwise of the best cell of each bundle.
DETAILED = 3


@dataclass(frozen=True)
class Row:
    """A cell of a result.

    Attributes:
        device: The number of the result, from 0.
        device_name: The name of its device.
        bundle: The bundle that was read with.
        name: The cell's name, which tells it apart from the others of all results.
        cell: The cell.
        verdict: What it is in comparison with the other cells of its result.
    """

    device: int
    device_name: str
    bundle: MeasuredBundle
    name: str
    cell: Cell
    verdict: Verdict

    @property
    def measured(self) -> Measured:
        """What was measured; the row must be one of `measured_rows`."""
        assert self.cell.measured is not None
        return self.cell.measured

    @property
    def mark(self) -> str:
        """The sign of the verdict."""
        return MARKS.get(self.verdict.kind, "")

    @property
    def settings(self) -> tuple[str, str, str, str]:
        """Bundle, provider, precision and threads; what "auto" has taken stands behind it."""
        cell, measured = self.cell, self.cell.measured
        provider, precision = cell.provider, str(cell.precision)
        threads = "default" if cell.threads is None else str(cell.threads)
        if measured is not None:
            taken = list(measured.taken.values())
            if provider == "auto":
                provider += f": {_joined(each.provider for each in taken)}"
            if precision == "auto":
                precision += f": {_joined(each.precision for each in taken)}"
            threads = str(measured.threads)
        return cell.bundle, provider, precision, threads


def rows_of(results: Sequence[BenchResult]) -> list[Row]:
    """Return a row for each cell of some results, in the order of the results."""
    devices = device_names(results)
    names = iter(names_of([cell for result in results for cell in result.cells]))
    return [
        Row(i, devices[i], result.bundles[cell.bundle], next(names), cell, verdict)
        for i, result in enumerate(results)
        for cell, verdict in zip(result.cells, verdicts(result), strict=True)
    ]


def measured_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of cells that have figures."""
    return [row for row in rows if row.cell.measured is not None]


def detailed(rows: Sequence[Row]) -> list[Row]:
    """Return the measured rows whose details are shown.

    These are all if they are few. Otherwise they are the best of each bundle or, if none of a
    bundle's cells may be the best, the fastest of them; on each device.
    """
    found = measured_rows(rows)
    if len(found) <= DETAILED:
        return found
    groups: dict[tuple[int, str], list[Row]] = {}
    for row in found:
        groups.setdefault((row.device, row.cell.bundle), []).append(row)
    return [
        next((row for row in group if row.verdict.kind in BEST), None)
        or min(group, key=lambda row: row.measured.page_ms.p50)
        for group in groups.values()
    ]


def _joined(words: Iterable[str]) -> str:
    return "+".join(dict.fromkeys(words))
