"""Sentences about a result: which cell is the best, and what to know of the figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .cell import Measured
from .result import BenchResult
from .rows import Row, measured_rows, rows_of


def notes(result: BenchResult) -> list[str]:
    """Return the sentences that belong below the figures of a result.

    They say which cells are the best and why others aren't, except those that are only slower, what
    failed, and what makes figures doubtful.
    """
    rows = rows_of([result])
    found = [*_verdicts(rows), *_references(result)]
    # What several cells have in common is said once.
    said: dict[str, list[str]] = {}
    for row in measured_rows(rows):
        for sentence in _of_cell(row, row.measured):
            said.setdefault(sentence, []).append(row.name)
    found += [f"{', '.join(names)}: {sentence}" for sentence, names in said.items()]
    if reasons := result.throttling.new():
        found.append(f"the device slowed itself down ({', '.join(reasons)})")
    found += [f"{failure.name} failed: {failure.error}" for failure in result.failed]
    return found


def _verdicts(rows: Sequence[Row]) -> Iterator[str]:
    """Yield why cells are the best ones, why others are not, and why some were not measured."""
    measured = measured_rows(rows)
    best = [row for row in rows if row.verdict.kind == "best"]
    if measured and not best:
        yield "no cell is the best one, because none reads all pictures as fp32 on the CPU does"
    # A cell that is the best of one says nothing.
    if len(rows) > 1:
        yield from (f"{row.name} is the best: {row.verdict.reason}" for row in best)
    for row in measured:
        if row.verdict.kind not in ("best", "slower"):
            kind = f"is {'the ' * (row.verdict.kind == 'best of its bundle')}{row.verdict.kind}"
            words = "can't be the best" if row.verdict.kind == "failed" else kind
            yield f"{row.name} {words}: {row.verdict.reason}"
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.cell.measured is None:
            reasons.setdefault(row.verdict.reason, []).append(row.name)
    for reason, names in reasons.items():
        yield f"{', '.join(names)} {'were' if len(names) > 1 else 'was'} not measured: {reason}"


def _references(result: BenchResult) -> Iterator[str]:
    """Yield how well fp32 on the CPU reads labelled pictures, with each bundle."""
    for name, bundle in result.bundles.items():
        accuracy = bundle.reference.accuracy
        if accuracy is not None and accuracy.lines:
            yield (
                f"{name} with fp32 on the CPU reads the {accuracy.lines} labelled lines with a "
                f"Hmean of {accuracy.hmean:.4f} and a CER of {accuracy.cer:.4f}"
            )


def _of_cell(row: Row, measured: Measured) -> Iterator[str]:
    for failure in measured.failed:
        yield f"{failure.image} failed: {failure.error}"
    if not measured.same_each_time:
        yield "a picture did not give the same text each time"
    moved = [
        f"{stage} ran on {taken.provider}"
        for stage, taken in measured.taken.items()
        if row.cell.provider not in ("auto", taken.provider)
    ]
    if moved:
        yield ", ".join(moved)
    if measured.sustained is not None:
        causes = dict.fromkeys(
            cause for sample in measured.sustained.samples for cause in sample.throttling or ()
        )
        if causes:
            yield f"the sustained load was slowed down ({', '.join(causes)})"
        yield from measured.sustained.notes
