"""The record of a sustained load: how fast pages stay when a device gets hot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Annotated

from ..bundle.fields import Natural, Positive, Range
from .spread import Milliseconds

# The share of a sustained load that counts as its heat-up; the figures after it are quoted.
HEAT_UP = 2 / 3


@dataclass(frozen=True)
class Sample:
    """What was seen in one interval of a sustained load.

    Attributes:
        seconds: Seconds from the beginning of the load to the end of the interval.
        pages: The number of pages that were read in the interval.
        page_ms: The median of these pages in milliseconds.
        clock_mhz: The fastest clock of the CPUs at the end of the interval, in MHz; None where it
            is unknown.
        temperature_c: The processor's temperature then, in °C; None where it is unknown.
        throttling: What slowed the device down then; None where the device does not say.
        watts: The mean power over the interval; None without a sensor.
    """

    seconds: Annotated[float, Range(0)]
    pages: Positive
    page_ms: Milliseconds
    clock_mhz: Natural | None
    temperature_c: float | None
    throttling: list[str] | None
    watts: Annotated[float, Range(0)] | None


@dataclass(frozen=True)
class Sustained:
    """How a cell read pictures without a pause for some minutes.

    Attributes:
        minutes: The minutes that were asked for.
        samples: The intervals, in the order of time.
        page_ms: The milliseconds of a page after the heat-up: the median of the medians of the
            intervals that end in the last third of the time. This figure is the one to quote.
        pages_per_second: The pages of these intervals, divided by their seconds.
        power_source: The sensor that measured the power; None without one.
        notes: Which sensors could not be read, and what else the figures leave open.
    """

    minutes: Annotated[float, Range(0)]
    samples: list[Sample]
    page_ms: Milliseconds
    pages_per_second: Annotated[float, Range(0)]
    power_source: str | None
    notes: list[str]


def after_heat_up(samples: Sequence[Sample]) -> tuple[float, float]:
    """Return the figures of a sustained load that are quoted.

    Args:
        samples: At least one interval, in the order of time.

    Returns:
        Milliseconds of a page, and pages per second, over the intervals that end in the last third
        of the time.
    """
    since = HEAT_UP * samples[-1].seconds
    hot = [sample for sample in samples if sample.seconds > since]
    began = samples[-len(hot) - 1].seconds if len(hot) < len(samples) else 0.0
    seconds = samples[-1].seconds - began
    return (
        round(median(sample.page_ms for sample in hot), 3),
        round(sum(sample.pages for sample in hot) / max(seconds, 1e-3), 3),
    )
