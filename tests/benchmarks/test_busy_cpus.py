"""How long the CPUs of this process were busy."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks import busy_cpus


@pytest.mark.skipif(sys.platform != "linux", reason="there is no CPU affinity elsewhere")
def test_busy_seconds_are_those_of_the_cpus_of_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Idle time and waiting for the disk do not count, nor does the sum over all CPUs."""
    statistics = tmp_path / "stat"
    # User, nice, system, idle, waiting for the disk, two kinds of interrupts, the host, guests.
    statistics.write_text(
        "cpu  1111 1111 1111 9999 9999 1111 1111 1111 0 0\n"
        "cpu0 100 20 3 5000 6000 400 50 7 0 0\n"
        "cpu1 1000 1000 1000 5000 6000 1000 1000 1000 0 0\n"
        "cpu2 10 0 0 5000 6000 0 0 0 0 0\n"
        "intr 12345\n"
    )
    monkeypatch.setattr(busy_cpus, "Path", lambda path: statistics)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 2})
    monkeypatch.setattr(os, "sysconf", lambda name: 100)
    assert busy_cpus.busy_seconds() == (100 + 20 + 3 + 400 + 50 + 7 + 10) / 100


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/stat")
def test_busy_seconds_of_this_machine_are_known() -> None:
    assert (busy_cpus.busy_seconds() or 0) > 0
