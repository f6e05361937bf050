"""Lengths of bars and axes for the page of `edgeocr bench`. Pure functions on numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Figures = Mapping[str, Any]

# Width of a bar's picture in its own units; the browser stretches it.
BAR = 1000
BINS = 60
# Times that are further apart than this are drawn on a logarithmic axis.
FAR_APART = 5
MOST_TICKS = 7


class Axis(NamedTuple):
    """An axis of milliseconds from low to high, linear or logarithmic, with its ticks in ms."""

    low: float
    high: float
    logarithmic: bool
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Where a value stands: 0 at the axis' beginning, 1 at its end."""
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def axis_over(values: Sequence[float]) -> Axis:
    """An axis with round ends that has room for all values (ms, one at least, none below 0)."""
    low, high = max(min(values), 0.001), max(*values, 0.001)
    if high / low > FAR_APART:
        first = math.floor(math.log10(low))
        last = math.ceil(math.log10(high))
        marks = [step * 10.0**power for power in range(first, last + 1) for step in (1, 2, 5)]
        low = max(mark for mark in marks if mark <= low * (1 + 1e-9))
        high = min(mark for mark in marks if mark >= high * (1 - 1e-9))
        ticks = [mark for mark in marks if low <= mark <= high]
        if len(ticks) > MOST_TICKS:
            ticks = [mark for mark in ticks if f"{mark:e}"[0] == "1"]
        return Axis(low, high, True, tuple(ticks))
    step = _step((high - low or high) / 5)
    first, last = math.floor(low / step), math.ceil(high / step)
    last = max(last, first + 1)
    return Axis(first * step, last * step, False, tuple(i * step for i in range(first, last + 1)))


def histogram(values: Iterable[float], axis: Axis) -> list[int]:
    """How many of the values fall into each of `BINS` equal parts of the axis."""
    counts = [0] * BINS
    for value in values:
        place = axis.place(max(value, axis.low))
        counts[min(BINS - 1, int(place * BINS))] += 1
    return counts


def segments(
    figures: Figures, stages: Sequence[str], most: float
) -> list[tuple[str, float, float]]:
    """Stage, start and width of a bar's parts, of `BAR` units, when `most` ms fill all of them."""
    parts, start = [], 0.0
    for stage in stages:
        width = figures["stages_ms"].get(stage, {}).get("p50", 0.0) / most * BAR
        parts.append((stage, start, width))
        start += width
    return parts


def _step(least: float) -> float:
    """The smallest 1, 2 or 5 times a power of ten that is no less."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= least * (1 - 1e-9))
