"""The sustained load of `edgeocr bench`, and the sensors that it reads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from edgeocr.bench import load
from edgeocr.bench.load import Sensors, sustained_load
from edgeocr.bench.sustained import Sample, after_heat_up

POLICY = "sys/devices/system/cpu/cpufreq/policy{}"
ZONE = "sys/class/thermal/thermal_zone0"
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of a board with two clocks, a thermal zone and a firmware that throttles."""
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr("edgeocr.device.readings.MORE_FOLDERS", ())
    write(tmp_path, f"{POLICY.format(0)}/scaling_cur_freq", "1500000\n")
    write(tmp_path, f"{POLICY.format(4)}/scaling_cur_freq", "2400000\n")
    write(tmp_path, f"{ZONE}/temp", "61500\n")
    write(tmp_path, f"{ZONE}/type", "cpu-thermal\n")
    write(tmp_path, THROTTLED, "0\n")
    return tmp_path


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Replace the clock by one that each read moves forward."""

    class Clock:
        now = 50.0

        def read(self, source: object) -> None:
            self.now += 0.2 if self.now < 80 else 0.3

    found = Clock()
    monkeypatch.setattr(load, "perf_counter", lambda: found.now)
    return found


def test_samples_follow_the_clock_and_the_sensors(board: Path, clock: Any) -> None:
    sent: list[Any] = []

    def read(source: object) -> None:
        clock.read(source)
        if clock.now >= 80:
            write(board, f"{ZONE}/temp", "84000\n")
            write(board, f"{POLICY.format(4)}/scaling_cur_freq", "1800000\n")
            write(board, THROTTLED, "e0008\n")

    found = sustained_load(read, ["a", "b"], 1.0, sent.append, board)
    assert [sample.seconds for sample in found.samples] == pytest.approx(
        [5, 10, 15, 20, 25, 30.0, 35.1, 40.2, 45.3, 50.4, 55.5, 60.6], abs=0.35
    )
    first, last = found.samples[0], found.samples[-1]
    assert (first.pages, last.pages) == (25, 17)
    assert [first.page_ms, last.page_ms] == pytest.approx([200, 300])
    assert (first.clock_mhz, first.temperature_c, first.throttling) == (2400, 61.5, [])
    assert (last.clock_mhz, last.temperature_c) == (1800, 84.0)
    assert last.throttling == ["soft temperature limit"]
    assert found.page_ms == pytest.approx(300)
    assert found.pages_per_second == pytest.approx(1 / 0.3, rel=0.01)
    assert sent[-1] == {"page": sum(sample.pages for sample in found.samples)}
    assert (first.watts, found.power_source) == (None, None)
    assert [note.split(" is not known")[0] for note in found.notes] == ["the power"]


def test_absent_sensors_have_no_value_but_a_note(tmp_path: Path, clock: Any) -> None:
    found = sustained_load(clock.read, ["a"], 0.1, lambda message: None, tmp_path)
    for sample in found.samples:
        unknown = [sample.clock_mhz, sample.temperature_c, sample.throttling, sample.watts]
        assert unknown == [None] * 4
    assert [note.split()[1] for note in found.notes] == [
        *("power", "clock", "temperature", "throttling"),
    ]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all files")
def test_sensors_without_permission_have_no_value(board: Path) -> None:
    for file in board.rglob("*"):
        if file.is_file():
            file.chmod(0)
    sensors = Sensors(board)
    values = [sensors.clock_mhz(), sensors.temperature_c(), sensors.throttling()]
    assert values == [None] * 3
    assert len(sensors.notes()) == 3


def test_unreadable_sensors_have_no_value(board: Path) -> None:
    # A folder can't be read as a file, whoever the user is.
    for name in (f"{POLICY.format(0)}/scaling_cur_freq", f"{ZONE}/temp", THROTTLED):
        (board / name).unlink()
        (board / name).mkdir()
    write(board, f"{POLICY.format(4)}/scaling_cur_freq", "fast\n")
    sensors = Sensors(board)
    values = [sensors.clock_mhz(), sensors.temperature_c(), sensors.throttling()]
    assert values == [None] * 3
    assert len(sensors.notes()) == 3


def test_throttling_since_the_last_sample_is_reported_once(board: Path) -> None:
    sensors = Sensors(board)
    write(board, THROTTLED, "40000\n")  # it has been throttled, and isn't any more
    assert sensors.throttling() == ["throttled"]
    assert sensors.throttling() == []


def test_quoted_figures_are_those_of_the_last_third() -> None:
    def sample(seconds: float, pages: int, ms: float) -> Sample:
        return Sample(seconds, pages, ms, None, None, None, None)

    samples = [sample(10, 50, 100.0), sample(20, 50, 100.0), sample(25, 10, 500.0)]
    samples.append(sample(30, 20, 250.0))
    assert after_heat_up(samples) == (375.0, 3.0)
    assert after_heat_up(samples[:1]) == (100.0, 5.0)
