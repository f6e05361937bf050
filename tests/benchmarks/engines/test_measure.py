"""What the measuring process of the engines reads about itself and its machine."""

from __future__ import annotations

import subprocess
import sys
from threading import Thread
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


def test_rest_is_waited_for_and_counted() -> None:
    """A thread that goes on working for 60 ms is waited for, and its time is returned."""
    stop = perf_counter() + 0.06

    def spin() -> None:
        while perf_counter() < stop:
            pass

    thread = Thread(target=spin)
    thread.start()
    used = measure._come_to_rest()
    assert perf_counter() >= stop
    assert used > 0.01
    thread.join()


def test_rest_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "REST_CPU_S", -1.0)  # nothing counts as rest
    monkeypatch.setattr(measure, "REST_AT_MOST_S", 0.03)
    started = perf_counter()
    measure._come_to_rest()
    assert perf_counter() - started >= 0.03
