"""The claim that a second process reuses what the first warm-up has built."""

from __future__ import annotations

from ..budget import Share
from ..cell_process import CellFailedError, CellUnavailableError, OutOfTimeError
from ..cells import Cell
from ..judgement import CellVerdict, changed, reuse
from ..record import Table
from ..trial import Finding, Trial, not_holding

# The share of a cell's time that its first process may take: the second one needs some, too.
FIRST = 0.75


def try_engines(trial: Trial) -> Finding:
    """Open and warm up each cell that keeps engines in two processes, one after the other."""
    cells: list[CellVerdict] = []
    number = 1 + len(trial.cells.engines)
    rows = [_without_engines(trial, trial.time.part(number))]
    for done, cell in enumerate(trial.cells.engines, 1):
        time = trial.time.part(number - done)
        try:
            first = _seconds(trial, cell, time.left * FIRST)
            before = trial.engine_files(cell)
            second = _seconds(trial, cell, max(time.left, first))
            after = trial.engine_files(cell)
        except (CellFailedError, CellUnavailableError, OutOfTimeError) as error:
            verdict = not_holding(cell, error)
            if cell.missing is None:
                trial.unready[cell.name] = f"its engines were not built: {error}"
        else:
            verdict = reuse(cell.name, first, second, before, after)
            size = sum(
                path.stat().st_size for path in trial.engines(cell).rglob("*") if path.is_file()
            )
            rows.append(
                [
                    *(cell.name, round(first, 2), round(second, 2), round(second / first, 3)),
                    *(len(after), round(size / 1e6, 1), changed(before, after) or "nothing"),
                ]
            )
        cells.append(verdict)
    return Finding.of(
        cells,
        Table(
            "Opening and warm-up in two processes",
            ["cell", "first s", "second s", "ratio", "files kept", "MB kept", "changed by second"],
            rows,
        ),
        Table("Verdict of each cell", ["cell", "verdict"], [[c.cell, str(c)] for c in cells]),
    )


def _seconds(trial: Trial, cell: Cell, left_s: float) -> float:
    """Return the seconds that opening and the warm-up take in a fresh process."""
    with trial.opening(cell, left_s) as (process, opened):
        seconds = float(opened["seconds"])
        left = max(trial.patience_s, left_s - seconds)
        return seconds + float(process.ask_within("warm_up", left))


def _without_engines(trial: Trial, time: Share) -> list[object]:
    """Return the row of the main cell, which keeps nothing: the time of its warm-up, twice."""
    cell = trial.cells.main
    try:
        first = _seconds(trial, cell, time.left)
        second = _seconds(trial, cell, max(time.left, first))
    except (CellFailedError, CellUnavailableError, OutOfTimeError) as error:
        return [cell.name, None, None, None, None, None, str(error)]
    return [cell.name, round(first, 2), round(second, 2), round(second / first, 3), 0, 0.0, None]
