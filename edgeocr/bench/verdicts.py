"""Which cell of a result is the best one, and why each of the others isn't."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Literal, TypeAlias

from .cell import Cell, Measured
from .result import BenchResult

# What a cell is: the fastest of all, the fastest of its bundle, slower, not allowed to be the best
# because it reads something else than the reference or because a picture failed, not measured.
Kind: TypeAlias = Literal[
    "best", "best of its bundle", "slower", "refused", "failed", "not measured"
]


@dataclass(frozen=True)
class Verdict:
    """What a cell is, and why.

    Attributes:
        kind: What it is.
        reason: The reason in words.
        ratio: How many times as long a round takes as in the best cell: the median over the
            rounds, over the pictures that both cells read. None without a best cell or figures.
        bundle_ratio: The same in comparison with the best cell of the same bundle.
    """

    kind: Kind
    reason: str
    ratio: float | None
    bundle_ratio: float | None


def verdicts(result: BenchResult) -> list[Verdict]:
    """Return a verdict for each cell.

    The best cell has the shortest median page among those in which no picture failed and whose
    reading agrees with the reference of their bundle.

    Args:
        result: The result of a measurement.
    """
    against = [_against(cell, result) for cell in result.cells]
    allowed = [i for i, reason in enumerate(against) if reason is None]
    overall = _fastest(result, allowed)
    found = []
    for i, cell in enumerate(result.cells):
        own = _fastest(result, [j for j in allowed if result.cells[j].bundle == cell.bundle])
        ratio, bundle_ratio = (_ratio(result, i, best) for best in (overall, own))
        kind, reason = against[i] or _among_allowed(result, i, overall, own)
        found.append(Verdict(kind, reason, ratio, bundle_ratio))
    return found


def best_cells(result: BenchResult) -> list[int]:
    """Return the places of the best cell of each bundle that has one, in the cells' order."""
    best = ("best", "best of its bundle")
    return [i for i, verdict in enumerate(verdicts(result)) if verdict.kind in best]


def ratio(one: Measured, other: Measured) -> float | None:
    """Return how many times as long one cell takes as another.

    Each round's pictures that both have read are added up; the result is the median of the rounds'
    ratios, so that a change of the whole device's speed between rounds does not affect it.

    Args:
        one: The cell whose times are divided.
        other: The cell by whose times they are divided, of the same measurement.

    Returns:
        The ratio; None if there is no picture that both have read in the same round.
    """
    rounds = []
    for mine, theirs in zip(
        zip(*one.reads_ms, strict=True), zip(*other.reads_ms, strict=True), strict=True
    ):
        both = [
            (a, b) for a, b in zip(mine, theirs, strict=True) if a is not None and b is not None
        ]
        if (total := sum(b for _, b in both)) > 0:
            rounds.append(sum(a for a, _ in both) / total)
    return median(rounds) if rounds else None


def _against(cell: Cell, result: BenchResult) -> tuple[Kind, str] | None:
    """Say why a cell cannot be the best one, however fast it is."""
    if cell.not_measured is not None:
        return "not measured", cell.not_measured.reason
    measured = cell.measured
    assert measured is not None
    if measured.failed:
        count, first = len(measured.failed), measured.failed[0].image
        return "failed", f"{count} of {len(result.images)} pictures failed, such as {first}"
    if measured.agreement is None:
        error = result.bundles[cell.bundle].reference.error
        return "refused", f"there is no reading with fp32 on the CPU to compare it with: {error}"
    if (refusal := measured.agreement.refusal()) is not None:
        return "refused", refusal
    return None


def _fastest(result: BenchResult, cells: list[int]) -> int | None:
    """Return which of some measured cells has the shortest median page; the first if equal."""
    return min(cells, key=lambda i: _page(result.cells[i]), default=None)


def _page(cell: Cell) -> float:
    assert cell.measured is not None
    return cell.measured.page_ms.p50


def _ratio(result: BenchResult, cell: int, best: int | None) -> float | None:
    measured = result.cells[cell].measured
    beside = None if best is None else result.cells[best].measured
    return None if measured is None or beside is None else ratio(measured, beside)


def _among_allowed(
    result: BenchResult, i: int, overall: int | None, own: int | None
) -> tuple[Kind, str]:
    """Return the verdict on a cell that may be the best one."""
    assert overall is not None and own is not None
    if i == overall:
        return "best", "the shortest median page of all cells that read what fp32 on the CPU reads"
    if i == own:
        return "best of its bundle", _slower(result, i, overall)
    return "slower", _slower(result, i, own)


def _slower(result: BenchResult, i: int, best: int) -> str:
    """Say by how much a cell is slower than the best one, or that it runs the same."""
    cell, other = result.cells[i], result.cells[best]
    assert cell.measured is not None and other.measured is not None
    times = _ratio(result, i, best)
    compared = "" if times is None else f", and a round takes {times:.2f} times as long"
    slower = (
        f"its median page takes {_page(cell):.1f} ms, and {_page(other):.1f} ms with "
        f"{result.names[best]}{compared}"
    )
    same = (cell.measured.taken, cell.measured.threads, cell.bundle) == (
        other.measured.taken,
        other.measured.threads,
        other.bundle,
    )
    # Two cells that allow different precision may differ, although their graphs are the same.
    if same and "fp16" not in (cell.precision, other.precision):
        return f"it runs the same graphs on the same execution providers; {slower}"
    return slower
