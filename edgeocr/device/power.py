"""Measure the energy that a block of code takes, with the meters that are built into the device.

>>> with PowerMeter() as meter:
...     ocr.read("photo.jpg")
>>> meter.joules, meter.source
(3.1, "ina3221 VDD_IN")

Meters differ in what they see: a Jetson's sees the whole module; a Raspberry Pi's sees the rails of
its power chip, without USB devices and losses of conversion; RAPL sees the CPU packages alone.
"""

from __future__ import annotations

import os
import re
import select
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from .readings import ROOT, command_output, find_program, read_number, read_text

# Seconds between two samples. vcgencmd takes some milliseconds each time, because it is a process.
INA3221_PERIOD = 0.1
PMIC_PERIOD = 0.25
# tegrastats decides itself when to sample: milliseconds, for its option --interval.
TEGRASTATS_INTERVAL = 100
# Seconds after which a silent tegrastats counts as broken.
PATIENCE = 2.0

# Rails that together are the whole of a Jetson, from "Power Consumption" in NVIDIA's Jetson Linux
# Developer Guide. The rows are those of Orin Nano and NX, Xavier NX, TX2; Nano; Thor; AGX Orin;
# AGX Xavier. AGX Orin's VDDQ_VDD2_1V8AO is left out: VIN_SYS_5V0 feeds it, and would count twice.
TOTALS = (
    ("VDD_IN",),
    ("POM_5V_IN",),
    ("VIN",),
    ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"),
    ("GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V"),
)

# A rail in a line of tegrastats, as in "VDD_IN 4060mW/4060mW": the power now and on average. Up to
# JetPack 4 there are no units.
TEGRASTATS_RAIL = re.compile(r"\b([A-Z]\w*) (\d+)(?:mW)?/\d")
# A rail in the output of vcgencmd, as in "  VDD_CORE_A current(7)=1.91102000A" and
# "  VDD_CORE_V volt(15)=0.87355220V".
PMIC_RAIL = re.compile(r"^ *(\w+)_([AV]) (?:current|volt)\(\d+\)=([\d.]+)[AV] *$", re.MULTILINE)


class PowerMeter:
    """A context manager that measures the energy that its block takes.

    A counter of energy (RAPL) is read at the beginning and at the end. It overflows after some
    hours; if it does so twice in a block, the energy is too small. Other meters are sampled by a
    thread, so the energy of blocks below half a second is inaccurate. A meter never raises, and can
    be entered again for a new measurement.

    Attributes:
        joules: The energy; None before the end of the block, or without a meter.
        source: What measures, and which part of the device; None without a meter.
    """

    def __init__(self, root: Path = ROOT) -> None:
        """Prepare to measure.

        Args:
            root: The folder below which the system's files are.
        """
        self.joules: float | None = None
        self.source: str | None = None
        self._root = root
        self._end: Callable[[], float | None] | None = None

    def __enter__(self) -> PowerMeter:
        """Begin to measure, with the first meter that works."""
        self.joules = self.source = self._end = None
        for begin in (_rapl, _ina3221, _tegrastats, _pmic):
            measurement = begin(self._root)
            if measurement is not None:
                self.source, self._end = measurement
                break
        return self

    def __exit__(self, *_: object) -> None:
        """End the measurement."""
        if self._end is not None:
            self.joules = self._end()
            self._end = None


class _Measurement(NamedTuple):
    """A measurement that has begun.

    Attributes:
        source: What measures, and which part of the device.
        end: Ends the measurement and returns its joules.
    """

    source: str
    end: Callable[[], float | None]


class _Sampler:
    """A thread that reads the power at regular intervals."""

    def __init__(
        self,
        read: Callable[[], float | None],
        period: float,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare to sample.

        Args:
            read: Returns the power in watts; None if it can't be read.
            period: Seconds between two samples.
            close: Ends a `read` that is waiting, and frees what it uses.
        """
        self._read = read
        self._period = period
        self._close = close
        self._samples: list[tuple[float, float]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="edgeocr-power", daemon=True)

    def start(self) -> bool:
        """Take the first sample and start the thread; return False if there is no sample."""
        self._sample()
        if not self._samples:
            self._close()
            return False
        # The measurement begins now, so that a slow first sample isn't a part of it.
        self._samples = [(perf_counter(), self._samples[0][1])]
        self._thread.start()
        return True

    def end(self) -> float | None:
        """Take the last sample, and return the joules since the start."""
        ended = perf_counter()
        self._stop.set()
        self._thread.join(PATIENCE)
        self._close()
        # The last sample comes a little late, and counts as the power at the end.
        return energy([(min(when, ended), watts) for when, watts in self._samples])

    def _run(self) -> None:
        while not self._stop.wait(self._period):
            self._sample()
        self._sample()

    def _sample(self) -> None:
        watts = self._read()
        if watts is not None:
            self._samples.append((perf_counter(), watts))


def energy(samples: list[tuple[float, float]]) -> float | None:
    """Integrate power over time by the trapezoidal rule.

    Args:
        samples: Pairs of seconds and watts, in the order of time.

    Returns:
        Joules; None for fewer than two samples.
    """
    if len(samples) < 2:
        return None
    return sum(
        (after - before) * (first + second) / 2
        for (before, first), (after, second) in pairwise(samples)
    )


def parse_tegrastats(line: str) -> dict[str, float]:
    """Parse the rails' present power from a line of tegrastats.

    Args:
        line: See "tegrastats Utility" in NVIDIA's Jetson Linux Developer Guide for the format.

    Returns:
        Rail → watts.
    """
    return {name: int(milliwatts) / 1000 for name, milliwatts in TEGRASTATS_RAIL.findall(line)}


def parse_pmic(text: str) -> dict[str, float]:
    """Parse the rails' power from `vcgencmd pmic_read_adc` of a Raspberry Pi 5.

    Args:
        text: The command's output (raspberrypi.com/documentation/computers/os.html#vcgencmd).

    Returns:
        Rail → watts, for each rail with a current and a voltage. The input, EXT5V, has no current.
    """
    amperes: dict[str, float] = {}
    volts: dict[str, float] = {}
    for rail, unit, value in PMIC_RAIL.findall(text):
        with suppress(ValueError):
            (amperes if unit == "A" else volts)[rail] = float(value)
    return {rail: amperes[rail] * volts[rail] for rail in amperes if rail in volts}


def _rapl(root: Path) -> _Measurement | None:
    """Begin to measure with RAPL of Intel and AMD: counters of each package's microjoules.

    A counter starts again at zero after `max_energy_range_uj`. The kernel's
    power/powercap/powercap.rst describes the files. On most kernels only root may read them
    (CVE-2020-8694).
    """
    packages = []
    # Zones with a second colon, such as cores and memory, are a part of a package or beside it.
    for zone in sorted((root / "sys/class/powercap").glob("intel-rapl:*")):
        if zone.name.count(":") == 1 and (read_text(zone / "name") or "").startswith("package"):
            packages.append(zone)
    before = [read_number(zone / "energy_uj") for zone in packages]
    if not packages or None in before:  # the sum over some packages would be too small
        return None

    def end() -> float | None:
        total = 0
        for zone, then in zip(packages, before, strict=True):
            now = read_number(zone / "energy_uj")
            if now is None or then is None:
                return None
            if now < then:
                now += read_number(zone / "max_energy_range_uj") or then - now
            total += now - then
        return total / 1e6

    names = [read_text(zone / "name") or zone.name for zone in packages]
    return _Measurement(f"rapl {'+'.join(names)}", end)


def _ina3221(root: Path) -> _Measurement | None:
    """Begin to measure with the power monitors of a Jetson.

    Since JetPack 5 the files are those of the kernel's hwmon/ina3221.rst: label, mV and mA of each
    channel. Before that, NVIDIA's own driver had files with names and mW.
    """
    channels: dict[str, tuple[Path, ...]] = {}
    drivers = root / "sys/bus/i2c/drivers"
    for label in sorted(drivers.glob("ina3221/*/hwmon/hwmon*/in[1-3]_label")):
        channel = label.name[2]
        channels[read_text(label) or ""] = (
            label.with_name(f"in{channel}_input"),
            label.with_name(f"curr{channel}_input"),
        )
    for label in sorted(drivers.glob("ina3221x/*/iio:device*/rail_name_[0-2]")):
        channels[read_text(label) or ""] = (label.with_name(f"in_power{label.name[-1]}_input"),)
    rails = _total(channels)
    if rails is None:
        return None

    def watts() -> float | None:
        total = 0.0
        for rail in rails:
            numbers = [read_number(path) for path in channels[rail]]
            if None in numbers:
                return None
            product = 1.0
            for number in numbers:
                product *= (number or 0) / 1000
            total += product
        return total

    sampler = _Sampler(watts, INA3221_PERIOD)
    return _Measurement(f"ina3221 {'+'.join(rails)}", sampler.end) if sampler.start() else None


def _tegrastats(_: Path) -> _Measurement | None:
    """Begin to measure with NVIDIA's command, which may read more than this process may."""
    program = find_program("tegrastats")
    if program is None:
        return None
    try:
        process = subprocess.Popen(
            [program, "--interval", str(TEGRASTATS_INTERVAL)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None
    assert process.stdout is not None
    pipe = process.stdout
    seen: list[str] = []

    def watts() -> float | None:
        try:
            if not select.select([pipe], [], [], PATIENCE)[0]:
                return None
            lines = os.read(pipe.fileno(), 1 << 16).decode(errors="replace").splitlines()
        except (OSError, ValueError):  # closed after it was silent for too long
            return None
        found = parse_tegrastats(lines[-1]) if lines else {}
        rails = _total(found)
        if rails is None:
            return None
        seen[:] = rails
        return sum(found[rail] for rail in rails)

    def close() -> None:
        process.kill()
        process.wait()
        pipe.close()

    # Waiting for the next line already takes a whole interval. The short extra wait keeps the
    # thread from spinning when tegrastats has ended.
    sampler = _Sampler(watts, TEGRASTATS_INTERVAL / 10_000, close)
    if not sampler.start():
        return None
    return _Measurement(f"tegrastats {'+'.join(seen)}", sampler.end)


def _pmic(_: Path) -> _Measurement | None:
    """Begin to measure with the power chip of a Raspberry Pi 5; older ones measure no current."""

    def rails() -> dict[str, float]:
        return parse_pmic(command_output("vcgencmd", "pmic_read_adc") or "")

    found = len(rails())
    if not found:
        return None

    def watts() -> float | None:
        now = rails()
        return sum(now.values()) if len(now) == found else None

    sampler = _Sampler(watts, PMIC_PERIOD)
    return _Measurement(f"pmic, {found} rails", sampler.end) if sampler.start() else None


def _total(rails: dict[str, tuple[Path, ...]] | dict[str, float]) -> tuple[str, ...] | None:
    """Return those of the rails that together are the whole device."""
    return next((names for names in TOTALS if all(name in rails for name in names)), None)
