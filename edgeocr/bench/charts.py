"""The lengths of bars and axes for the charts of `edgeocr bench`: functions on numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .cell import Measured

# The width of a bar's drawing in units of its own; the browser stretches it.
BAR = 1000
BINS = 60
# An axis is logarithmic where its longest time is more than this many times its shortest.
LOGARITHMIC_RATIO = 5
MAX_TICKS = 7


@dataclass(frozen=True)
class Axis:
    """An axis of milliseconds.

    Attributes:
        low: The time at the beginning of the axis.
        high: The time at the end of the axis.
        logarithmic: Whether equal distances are equal ratios instead of equal differences.
        ticks: The times that are marked, in ascending order.
    """

    low: float
    high: float
    logarithmic: bool
    ticks: tuple[float, ...]

    def position(self, value: float) -> float:
        """Return where a time stands: 0 at the beginning of the axis, 1 at its end."""
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Segment:
    """The part of a bar that stands for one stage.

    Attributes:
        stage: The stage.
        start: Where the part begins, in units of `BAR`.
        width: Its width, in units of `BAR`.
    """

    stage: str
    start: float
    width: float


def axis_over(values: Sequence[float]) -> Axis:
    """Return an axis with round ends that has room for all values.

    Args:
        values: At least one time in milliseconds, none of them negative.
    """
    low, high = max(min(values), 0.001), max(*values, 0.001)
    if high / low > LOGARITHMIC_RATIO:
        return _logarithmic(low, high)
    step = _round_step((high - low or high) / 5)
    first, last = math.floor(low / step), math.ceil(high / step)
    last = max(last, first + 1)
    ticks = tuple(number * step for number in range(first, last + 1))
    return Axis(first * step, last * step, False, ticks)


def histogram(values: Iterable[float], axis: Axis) -> list[int]:
    """Count the values in each of `BINS` equal parts of an axis.

    Args:
        values: Times in milliseconds; those below the axis count in its first part.
        axis: The axis.
    """
    counts = [0] * BINS
    for value in values:
        position = axis.position(max(value, axis.low))
        counts[min(BINS - 1, int(position * BINS))] += 1
    return counts


def segments(measured: Measured, stages: Sequence[str], longest: float) -> list[Segment]:
    """Return the parts of a cell's bar, one for each stage.

    Args:
        measured: What was measured in the cell.
        stages: The stages, in the order of their parts.
        longest: The milliseconds that fill the whole width of `BAR` units.
    """
    parts, start = [], 0.0
    for stage in stages:
        spread = measured.stages_ms.get(stage)
        width = 0.0 if spread is None else spread.p50 / longest * BAR
        parts.append(Segment(stage, start, width))
        start += width
    return parts


def _logarithmic(low: float, high: float) -> Axis:
    first = math.floor(math.log10(low))
    last = math.ceil(math.log10(high))
    marks = [step * 10.0**power for power in range(first, last + 1) for step in (1, 2, 5)]
    # The tolerance keeps a time that is a mark itself from moving the end to the next mark.
    low = max(mark for mark in marks if mark <= low * (1 + 1e-9))
    high = min(mark for mark in marks if mark >= high * (1 - 1e-9))
    ticks = [mark for mark in marks if low <= mark <= high]
    if len(ticks) > MAX_TICKS:
        ticks = [mark for mark in ticks if f"{mark:e}"[0] == "1"]
    return Axis(low, high, True, tuple(ticks))


def _round_step(least: float) -> float:
    """Return the smallest 1, 2 or 5 times a power of ten that is at least `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= least * (1 - 1e-9))
