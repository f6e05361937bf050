"""Energy that a block of code takes, by the meters that are built into the device.

>>> with PowerMeter() as meter:
...     ocr.read("photo.jpg")
>>> meter.joules, meter.source
(3.1, "ina3221 VDD_IN")

What a meter sees is its `source`'s: a Jetson's is the whole module, a Raspberry Pi's the rails of
its power chip without what USB devices and conversion take, RAPL's the CPU packages alone.
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

from .machine import ROOT, number_of, output_of, program_of, text_of

# Seconds between two samples. vcgencmd is a process of some milliseconds each time.
INA3221_PERIOD = 0.1
PMIC_PERIOD = 0.25
# tegrastats says when: the milliseconds of its --interval.
TEGRASTATS_INTERVAL = 100
# Seconds after which a tegrastats that says nothing counts as broken.
PATIENCE = 2.0

# Rails that together are the whole of a Jetson, in NVIDIA's Jetson Linux Developer Guide under
# "Power Consumption": Orin Nano and NX, Xavier NX, TX2 · Nano · Thor · AGX Orin · AGX Xavier.
# AGX Orin's VDDQ_VDD2_1V8AO is fed by VIN_SYS_5V0, so it would count twice.
TOTALS = (
    ("VDD_IN",),
    ("POM_5V_IN",),
    ("VIN",),
    ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"),
    ("GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V"),
)

# "VDD_IN 4060mW/4060mW" of tegrastats, now and on average; without units up to JetPack 4.
TEGRASTATS_RAIL = re.compile(r"\b([A-Z]\w*) (\d+)(?:mW)?/\d")
# "  VDD_CORE_A current(7)=1.91102000A" and "  VDD_CORE_V volt(15)=0.87355220V".
PMIC_RAIL = re.compile(r"^ *(\w+)_([AV]) (?:current|volt)\(\d+\)=([\d.]+)[AV] *$", re.MULTILINE)


class PowerMeter:
    """Context manager that measures the energy between its begin and its end.

    joules: None without a meter, or before the end.
    source: what measures, and which part of the device; None where nothing can.

    Where there is a counter (RAPL) it is read at both ends, and a block in which it runs over
    twice, hours, counts too little. Elsewhere a thread samples the power, and blocks of less than
    a few samples, half a second, are rough. Never raises; enter it again for a new measurement.
    """

    def __init__(self, root: Path = ROOT) -> None:
        self.joules: float | None = None
        self.source: str | None = None
        self._root = root
        self._end: Callable[[], float | None] | None = None

    def __enter__(self) -> PowerMeter:
        self.joules = self.source = self._end = None
        for begin in (_rapl, _ina3221, _tegrastats, _pmic):
            measurement = begin(self._root)
            if measurement is not None:
                self.source, self._end = measurement
                break
        return self

    def __exit__(self, *_: object) -> None:
        if self._end is not None:
            self.joules = self._end()
            self._end = None


class _Measurement(NamedTuple):
    """One that has begun: what measures, and what ends it and gives its joules."""

    source: str
    end: Callable[[], float | None]


class _Sampler:
    """A thread that asks for the power in watts every `period` seconds.

    close: what ends a `read` that is waiting.
    """

    def __init__(
        self,
        read: Callable[[], float | None],
        period: float,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._read = read
        self._period = period
        self._close = close
        self._samples: list[tuple[float, float]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="edgeocr-power", daemon=True)

    def start(self) -> bool:
        """Take the first sample; False, and no thread, when there is none to get."""
        self._sample()
        if not self._samples:
            self._close()
            return False
        # Only now, so that a slow first sample isn't part of the measurement.
        self._samples = [(perf_counter(), self._samples[0][1])]
        self._thread.start()
        return True

    def end(self) -> float | None:
        """Take the last sample; the joules since the start."""
        ended = perf_counter()
        self._stop.set()
        self._thread.join(PATIENCE)
        self._close()
        # The last sample comes a little late, and stands for the power at the end.
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
    """(seconds, watts) in order → joules by the trapezoidal rule; None for fewer than two."""
    if len(samples) < 2:
        return None
    return sum(
        (after - before) * (first + second) / 2
        for (before, first), (after, second) in pairwise(samples)
    )


def parse_tegrastats(line: str) -> dict[str, float]:
    """One line of tegrastats → watts of each rail, momentary ones.

    The format is in NVIDIA's Jetson Linux Developer Guide, "tegrastats Utility".
    """
    return {name: int(milliwatts) / 1000 for name, milliwatts in TEGRASTATS_RAIL.findall(line)}


def parse_pmic(text: str) -> dict[str, float]:
    """`vcgencmd pmic_read_adc` of a Raspberry Pi 5 → watts of each rail that has both a current
    and a voltage; the input, EXT5V, has no current.

    The command is in raspberrypi.com/documentation/computers/os.html#vcgencmd.
    """
    amperes: dict[str, float] = {}
    volts: dict[str, float] = {}
    for rail, unit, value in PMIC_RAIL.findall(text):
        with suppress(ValueError):
            (amperes if unit == "A" else volts)[rail] = float(value)
    return {rail: amperes[rail] * volts[rail] for rail in amperes if rail in volts}


def _rapl(root: Path) -> _Measurement | None:
    """RAPL of Intel and AMD: microjoules that each CPU package has taken, a counter that starts
    again after `max_energy_range_uj`. The kernel's power/powercap/powercap.rst has the files.

    Most kernels let root alone read it (CVE-2020-8694).
    """
    packages = []
    # Without a second colon: those below a package, cores and memory, are part of it or beside it.
    for zone in sorted((root / "sys/class/powercap").glob("intel-rapl:*")):
        if zone.name.count(":") == 1 and (text_of(zone / "name") or "").startswith("package"):
            packages.append(zone)
    before = [number_of(zone / "energy_uj") for zone in packages]
    if not packages or None in before:  # a part of them would look like the whole
        return None

    def end() -> float | None:
        total = 0
        for zone, then in zip(packages, before, strict=True):
            now = number_of(zone / "energy_uj")
            if now is None or then is None:
                return None
            if now < then:
                now += number_of(zone / "max_energy_range_uj") or then - now
            total += now - then
        return total / 1e6

    names = [text_of(zone / "name") or zone.name for zone in packages]
    return _Measurement(f"rapl {'+'.join(names)}", end)


def _ina3221(root: Path) -> _Measurement | None:
    """The power monitors of a Jetson. Since JetPack 5 as the kernel's hwmon/ina3221.rst says, a
    label, mV and mA of each channel; before, NVIDIA's own driver gives names and mW.
    """
    channels: dict[str, tuple[Path, ...]] = {}
    drivers = root / "sys/bus/i2c/drivers"
    for label in sorted(drivers.glob("ina3221/*/hwmon/hwmon*/in[1-3]_label")):
        channel = label.name[2]
        channels[text_of(label) or ""] = (
            label.with_name(f"in{channel}_input"),
            label.with_name(f"curr{channel}_input"),
        )
    for label in sorted(drivers.glob("ina3221x/*/iio:device*/rail_name_[0-2]")):
        channels[text_of(label) or ""] = (label.with_name(f"in_power{label.name[-1]}_input"),)
    rails = _total(channels)
    if rails is None:
        return None

    def watts() -> float | None:
        total = 0.0
        for rail in rails:
            numbers = [number_of(path) for path in channels[rail]]
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
    """NVIDIA's command, for where the monitors' files can't be read; it may be allowed to."""
    program = program_of("tegrastats")
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
        except (OSError, ValueError):  # closed, after it had been silent for too long
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

    # The wait for the next line is the period; the little more keeps a dead one from spinning.
    sampler = _Sampler(watts, TEGRASTATS_INTERVAL / 10_000, close)
    if not sampler.start():
        return None
    return _Measurement(f"tegrastats {'+'.join(seen)}", sampler.end)


def _pmic(_: Path) -> _Measurement | None:
    """The power chip of a Raspberry Pi 5; earlier ones measure no currents."""

    def rails() -> dict[str, float]:
        return parse_pmic(output_of("vcgencmd", "pmic_read_adc") or "")

    found = len(rails())
    if not found:
        return None

    def watts() -> float | None:
        now = rails()
        return sum(now.values()) if len(now) == found else None

    sampler = _Sampler(watts, PMIC_PERIOD)
    return _Measurement(f"pmic, {found} rails", sampler.end) if sampler.start() else None


def _total(rails: dict[str, tuple[Path, ...]] | dict[str, float]) -> tuple[str, ...] | None:
    """The rails among these that are the whole device."""
    return next((names for names in TOTALS if all(name in rails for name in names)), None)
