"""The claim that after the warm-up no page of any size takes more than three times the median."""

from __future__ import annotations

from ...spikes import PageTimes
from ..cell_process import CellFailedError, CellUnavailableError, OutOfTimeError
from ..judgement import CellVerdict, no_spikes
from ..record import Table
from ..trial import Finding, Trial, not_holding

# Pages that are read before the time is looked at again.
AT_ONCE = 10
# The fewest pages that show anything.
FEWEST = 50


def try_spikes(trial: Trial) -> Finding:
    """Warm the main cell up and read pages of random sizes."""
    cell = trial.cells.main
    milliseconds: list[float] = []
    try:
        with trial.opened(cell) as process:
            process.ask_within("warm_up", max(trial.patience_s, trial.time.left))
            while len(milliseconds) < trial.pages and trial.time.left:
                number = min(AT_ONCE, trial.pages - len(milliseconds))
                patience = trial.patience_s * number
                milliseconds += process.ask("read_pages", patience, number=number)
    except (CellFailedError, CellUnavailableError, OutOfTimeError) as error:
        verdict = not_holding(cell, error)
    else:
        if len(milliseconds) < min(FEWEST, trial.pages):
            said = f"no time left after {len(milliseconds)} pages"
            verdict = CellVerdict(cell.name, "not tried", said)
        else:
            times = PageTimes.from_milliseconds(milliseconds)
            verdict = no_spikes(cell.name, times, len(milliseconds))
    return Finding.of([verdict], _table(cell.name, milliseconds, trial.pages))


def _table(cell: str, milliseconds: list[float], wanted: int) -> Table:
    columns = ["cell", "pages", "of", "median ms", "p99 ms", "longest ms", "÷ median", "spikes"]
    rows: list[list[object]] = []
    if milliseconds:
        times = PageTimes.from_milliseconds(milliseconds)
        rows.append(
            [
                *(cell, len(milliseconds), wanted),
                *(round(each, 2) for each in (times.median_ms, times.p99_ms, times.longest_ms)),
                *(round(times.longest_ms / times.median_ms, 2), times.spikes),
            ]
        )
    return Table("Pages of random sizes after the warm-up", columns, rows)
