"""How figures become verdicts: functions of numbers alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from edgeocr.accuracy.agreement import MOST_DIFFERENT, MOST_SCORE_DIFFERENCE, Agreement

from ..spikes import SPIKE, PageTimes
from ..windows import Window, findings
from .record import Outcome

# The largest difference between a network's float outputs, such as probabilities, in float32. Sums
# in another order change them by 1e-5; convolutions for which a GPU's library has nothing but TF32
# change them by up to 1e-3.
MOST_DIFFERENCE = 0.01
# The same as a mean, where lower precision is allowed: as for the scores of lines.
MOST_MEAN_DIFFERENCE = MOST_SCORE_DIFFERENCE
# The share of whole numbers, which are the classes of characters, that may differ: in float32, and
# where lower precision is allowed, as for lines.
MOST_OTHER, MOST_OTHER_REDUCED = 0.001, MOST_DIFFERENT
# How much longer than the CPU "auto" may take, and than the fastest search the one that edgeocr
# sets: less can't be told from chance on a machine that does other things as well.
TOLERANCE = 0.05
# What is said where the median speaks against a claim, and some rounds for it.
UNDECIDED = "the rounds differ too much to tell: try again while nothing else runs"
# The second process must start within this share of the first one's time.
MOST_REUSED = 0.5
# How much resident memory may grow, as a share, and memory of the GPU in bytes: a driver rounds to
# pages of 2 MiB and more.
MOST_GROWTH = 0.1
MOST_GPU_GROWTH = 16 << 20
# Files that hold times, which a later process may add to without building anything.
TIMES = (".timing", ".profile", ".warm")


@dataclass(frozen=True)
class CellVerdict:
    """What became of one cell of a claim.

    Attributes:
        cell: The cell's name, such as "cuda fp32".
        outcome: Whether the claim holds for it.
        reason: Why not; empty if it holds.
    """

    cell: str
    outcome: Outcome
    reason: str = ""

    def __str__(self) -> str:
        """Return the outcome with its reason."""
        return f"{self.outcome}: {self.reason}" if self.reason else self.outcome


@dataclass(frozen=True)
class MapDifference:
    """How the outputs of a network differ from the reference, over all inputs.

    Attributes:
        inputs: Number of inputs.
        largest: The largest absolute difference of float outputs.
        mean: The mean absolute difference of float outputs.
        other: The share of whole numbers that differ; None if the network has none.
    """

    inputs: int
    largest: float
    mean: float
    other: float | None = None

    def refusal(self, reduced: bool) -> str | None:
        """Say by how much the outputs differ if that is too much; None if it isn't.

        Args:
            reduced: Whether lower precision is allowed.
        """
        if not reduced and not self.largest <= MOST_DIFFERENCE:  # NaN is refused, too
            return f"outputs differ by up to {self.largest:.2g} (at most {MOST_DIFFERENCE:g})"
        if not self.mean <= MOST_MEAN_DIFFERENCE:
            return f"outputs differ by {self.mean:.2g} on average (at most {MOST_MEAN_DIFFERENCE})"
        most = MOST_OTHER_REDUCED if reduced else MOST_OTHER
        if self.other is not None and not self.other <= most:
            return f"{self.other:.2%} of the characters' classes differ (at most {most:.1%})"
        return None


def overall(cells: Sequence[CellVerdict]) -> tuple[Outcome, str]:
    """Return a claim's outcome and reason from those of its cells.

    A claim holds if it holds for some cell and fails for none.
    """
    failed = [each for each in cells if each.outcome == "fails"]
    holding = [each for each in cells if each.outcome == "holds"]
    left = [each for each in cells if each.outcome == "not tried"]
    if failed:
        return "fails", "; ".join(f"{each.cell}: {each.reason}" for each in failed)
    if not holding:
        reasons = dict.fromkeys(each.reason for each in left)
        return "not tried", "; ".join(reasons) or "there is nothing to try"
    words = "for " + ", ".join(each.cell for each in holding)
    if left:
        words += "; not tried: " + ", ".join(each.cell for each in left)
    return "holds", words


def parity(
    cell: str, texts: Agreement, maps: Mapping[str, MapDifference], reduced: bool
) -> CellVerdict:
    """Judge whether a provider reads what the CPU reads in float32.

    Args:
        cell: The cell's name.
        texts: The agreement of its texts with the CPU's.
        maps: How the outputs of each stage's network differ from the CPU's.
        reduced: Whether lower precision is allowed.
    """
    if not texts.lines:
        return CellVerdict(cell, "not tried", "the CPU reads no line in the pictures")
    reasons = [texts.refusal()]
    for stage, each in maps.items():
        if (said := each.refusal(reduced)) is not None:
            reasons.append(f"{stage}: {said}")
    said = "; ".join(filter(None, reasons))
    return CellVerdict(cell, "fails", said) if said else CellVerdict(cell, "holds")


@dataclass(frozen=True)
class Ratio:
    """The time of a cell as a multiple of the CPU's, over several rounds.

    Attributes:
        middle: The median of the rounds.
        low: The smallest of them.
        high: The largest of them.
    """

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, times: Sequence[float], reference: Sequence[float]) -> Ratio:
        """Compare times round by round.

        Args:
            times: The time of each round.
            reference: The time of each round of what it is compared with.
        """
        ratios = [one / other for one, other in zip(times, reference, strict=True)]
        return cls(median(ratios), min(ratios), max(ratios))

    def __str__(self) -> str:
        """Return the median and the range."""
        return f"{self.middle:.2f} ({self.low:.2f} to {self.high:.2f})"


def faster(cell: str, ratio: Ratio) -> CellVerdict:
    """Judge whether a GPU takes less time than the CPU."""
    if ratio.middle < 1:
        return CellVerdict(cell, "holds")
    return _too_slow(cell, ratio)


def never_slower(cell: str, ratio: Ratio) -> CellVerdict:
    """Judge whether "auto" takes no more time than the CPU, within `TOLERANCE`."""
    if ratio.middle <= 1 + TOLERANCE:
        return CellVerdict(cell, "holds")
    return _too_slow(cell, ratio)


def _too_slow(cell: str, ratio: Ratio) -> CellVerdict:
    """Return the verdict of a cell that takes too long, if the rounds agree on that."""
    said = f"it takes {ratio} times as long as the CPU"
    if ratio.low > 1:
        return CellVerdict(cell, "fails", said)
    return CellVerdict(cell, "not tried", f"{said}, and {UNDECIDED}")


def search(chosen: str, ratios: Mapping[str, Ratio]) -> CellVerdict:
    """Judge whether the search that edgeocr sets is the fastest, within `TOLERANCE`.

    Args:
        chosen: The search that edgeocr sets.
        ratios: The ratio to the CPU of each search.
    """
    if chosen not in ratios or len(ratios) < 2:
        return CellVerdict(chosen, "not tried", "fewer than two searches could be compared")
    best = min(ratios, key=lambda name: ratios[name].middle)
    more = ratios[chosen].middle / ratios[best].middle - 1
    if more <= TOLERANCE:
        return CellVerdict(chosen, "holds")
    said = f"{best} is faster: {chosen} takes {more:.0%} longer"
    if ratios[chosen].low > ratios[best].middle:
        return CellVerdict(chosen, "fails", said)
    return CellVerdict(chosen, "not tried", f"{said}, and {UNDECIDED}")


def reuse(
    cell: str, first_s: float, second_s: float, before: Mapping[str, str], after: Mapping[str, str]
) -> CellVerdict:
    """Judge whether a second process reuses what the first one has built.

    Args:
        cell: The cell's name.
        first_s: Seconds that opening and the warm-up took in the first process.
        second_s: The same in the second process.
        before: Digest of each file of the engines' folder when the first process had ended.
        after: The same when the second process had ended.
    """
    if not before:
        return CellVerdict(cell, "fails", "the first process kept nothing in the folder")
    if changes := changed(before, after):
        return CellVerdict(cell, "fails", f"the second process changed the folder: {changes}")
    if second_s > MOST_REUSED * first_s:
        return CellVerdict(
            cell,
            "fails",
            f"the second process took {second_s:.1f} s, the first one {first_s:.1f} s "
            f"(at most {MOST_REUSED:.0%} of it)",
        )
    return CellVerdict(cell, "holds")


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Say which files of a folder were added, removed or changed; nothing if none were."""
    words = [f"{name} is new" for name in after if name not in before]
    words += [f"{name} is gone" for name in before if name not in after]
    words += [
        f"{name} differs"
        for name in before
        if after.get(name, before[name]) != before[name] and not name.endswith(TIMES)
    ]
    return ", ".join(words)


def no_spikes(cell: str, times: PageTimes, pages: int) -> CellVerdict:
    """Judge whether no page took more than `SPIKE` times the median.

    Args:
        cell: The cell's name.
        times: The times of the pages.
        pages: How many there were.
    """
    if not times.spikes:
        return CellVerdict(cell, "holds")
    return CellVerdict(
        cell,
        "fails",
        f"{times.spikes} of {pages} pages took more than {SPIKE:g} times the median, the longest "
        f"{times.longest_ms / times.median_ms:.1f} times",
    )


def flat(cell: str, windows: Sequence[Window], gpu: Sequence[int]) -> CellVerdict:
    """Judge whether a process holds no more at the end than at the beginning.

    Args:
        cell: The cell's name.
        windows: What it held on the CPU's side.
        gpu: The memory that it held on the GPU in each window, in bytes; empty if unknown.
    """
    if len(windows) < 2:
        return CellVerdict(cell, "not tried", "too few pages were read to compare two windows")
    found = findings(windows, MOST_GROWTH, float("inf"))
    if len(gpu) > 1 and gpu[-1] > gpu[0] + MOST_GPU_GROWTH:
        found.append(
            f"memory of the GPU grew from {gpu[0] >> 20} to {gpu[-1] >> 20} MiB "
            f"(at most {MOST_GPU_GROWTH >> 20} MiB are allowed)"
        )
    return CellVerdict(cell, "fails", "; ".join(found)) if found else CellVerdict(cell, "holds")
