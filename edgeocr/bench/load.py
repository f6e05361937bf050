"""The sustained load of `edgeocr bench --minutes`: read without a pause, and watch the device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ..device import machine
from ..device.power import PowerMeter
from ..device.readings import ROOT
from .sustained import Sample, Sustained, after_heat_up

if TYPE_CHECKING:
    from ..images import Source

# Seconds between two samples; a short load has at least this many intervals.
INTERVAL = 5.0
LEAST_INTERVALS = 12

Send: TypeAlias = Callable[[Mapping[str, Any]], None]
Value = TypeVar("Value")


def sustained_load(
    read: Callable[[Source], object],
    images: Sequence[Source],
    minutes: float,
    send: Send,
    root: Path = ROOT,
) -> Sustained:
    """Read pictures one by one, again and again, and take a sample at the end of each interval.

    Args:
        read: `OCR.read`.
        images: The pictures.
        minutes: How long to read.
        send: Takes a message after each page.
        root: The folder below which the system's files are.

    Raises:
        EdgeOCRError: If a picture can't be read any more.
    """
    sensors = Sensors(root)
    samples: list[Sample] = []
    pictures = cycle(images)
    seconds = 60 * minutes
    interval = min(INTERVAL, seconds / LEAST_INTERVALS)
    pages, began = 0, perf_counter()
    while not samples or samples[-1].seconds < seconds:
        times: list[float] = []
        with PowerMeter(root) as meter:
            interval_began = now = perf_counter()
            while not times or now - interval_began < interval:
                page_began = now
                read(next(pictures))
                now = perf_counter()
                times.append(1000 * (now - page_began))
                pages += 1
                send({"page": pages})
        joules = meter.joules
        sensors.note_power(meter.source)
        samples.append(
            Sample(
                # Two intervals never end at the same thousandth of a second: a page takes longer.
                seconds=round(now - began, 3),
                pages=len(times),
                page_ms=round(median(times), 3),
                clock_mhz=sensors.clock_mhz(),
                temperature_c=sensors.temperature_c(),
                throttling=sensors.throttling(),
                watts=None if joules is None else round(joules / (now - interval_began), 3),
            )
        )
    page_ms, pages_per_second = after_heat_up(samples)
    return Sustained(
        minutes, samples, page_ms, pages_per_second, sensors.power_source, sensors.notes()
    )


class Sensors:
    """The sensors of a device; one that is absent or must not be read has no value.

    Attributes:
        power_source: The sensor that measures the power; None without one.
    """

    def __init__(self, root: Path = ROOT) -> None:
        """Prepare to read the sensors.

        Args:
            root: The folder below which the system's files are.
        """
        self._root = root
        self._before = machine.throttling(root)
        self._unknown: dict[str, None] = {}
        self.power_source: str | None = None

    def clock_mhz(self) -> int | None:
        """Return the fastest clock of the CPUs now, in MHz."""
        clocks = [policy.current for policy in machine.clock_policies(self._root).values()]
        known = [each for each in clocks if each is not None]
        return self._known("clock", max(known) if known else None)

    def temperature_c(self) -> float | None:
        """Return the processor's temperature now, in °C."""
        return self._known("temperature", machine.temperature_c(self._root))

    def throttling(self) -> list[str] | None:
        """Return what slows the device down now, or has since the last call."""
        state = self._known("throttling", machine.throttling(self._root))
        if state is None:
            return None
        earlier = [] if self._before is None else self._before.since_boot
        self._before = state
        since = [cause for cause in state.since_boot if cause not in earlier]
        return list(dict.fromkeys([*state.now, *since]))

    def note_power(self, source: str | None) -> None:
        """Note what has measured the power; None if nothing has."""
        if self._known("power", source) is not None:
            self.power_source = source

    def notes(self) -> list[str]:
        """Say which values have been unknown at least once."""
        return [
            f"the {what} is not known: this device has no sensor for it, or this user may not "
            "read it"
            for what in self._unknown
        ]

    def _known(self, what: str, value: Value | None) -> Value | None:
        """Return a value, and remember if it is unknown."""
        if value is None:
            self._unknown[what] = None
        return value
