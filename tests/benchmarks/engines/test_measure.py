"""What the measuring process of the engines reads about itself and its machine."""

from __future__ import annotations

import subprocess
import sys
from time import perf_counter

import pytest

from benchmarks.engines import measure
from tests.support.paths import ROOT


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss includes the parent on Linux only")
def test_peak_memory_excludes_the_parent_process() -> None:
    held = b"\1" * (300 << 20)
    code = "from benchmarks.engines import measure; print(measure.peak_rss_mib())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    del held
    assert 1 < float(done.stdout) < 200


@pytest.mark.skipif(sys.platform != "linux", reason="finds children on Linux only")
def test_peak_memory_includes_the_children() -> None:
    code = """
import subprocess, sys
from benchmarks.engines import measure
before = measure.peak_rss_mib()
held = "held = bytes([1]) * (200 << 20); print('held', flush=True); input()"
child = subprocess.Popen(
    [sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
)
child.stdout.readline()
print(measure.peak_rss_mib() - before)
child.communicate("")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert 200 < float(done.stdout) < 300


def test_rest_is_waited_for_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process uses 30 ms of CPU time in two steps, then hardly any."""
    clock = iter([1.0, 1.02, 1.03, 1.03 + 0.5 * measure.REST_CPU_S])
    monkeypatch.setattr(measure, "process_time", lambda: next(clock))
    monkeypatch.setattr(measure, "REST_AT_MOST_S", 60.0)
    assert measure._come_to_rest() == pytest.approx(0.03)
    assert next(clock, None) is None


def test_rest_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "REST_CPU_S", -1.0)  # nothing counts as rest
    monkeypatch.setattr(measure, "REST_AT_MOST_S", 0.03)
    started = perf_counter()
    measure._come_to_rest()
    assert perf_counter() - started >= 0.03
