"""What a fresh process holds is measured after each step, and shown with its peak."""

from __future__ import annotations

import pytest

from benchmarks import memory
from benchmarks.inputs import MeasurementError
from tests.support.paths import IMAGES


@pytest.mark.slow
def test_each_step_of_a_fresh_process_is_measured() -> None:
    measured = memory.measure("", [str(IMAGES / "sample.jpg")], 1)
    held = dict(measured["steps"])
    assert list(held) == [
        "interpreter", "imports", "opening", "detection", "recognition", "all pictures"
    ]  # fmt: skip
    assert held["interpreter"] < held["imports"] < held["opening"] < held["detection"]
    assert measured["opening"] <= measured["once"] <= measured["peak"]


def test_the_table_shows_what_each_step_added() -> None:
    steps = [("interpreter", 10_000_000), ("imports", 70_000_000)]
    measured = memory.Measured(steps=steps, opening=75_000_000, once=80_000_000, peak=82_000_000)
    _, first, second, peak = memory.table("tiny", measured).splitlines()
    assert first.split() == ["interpreter", "10.0", "10.0"]
    assert second.split() == ["imports", "70.0", "60.0"]
    assert "peak 82.0, of which 2.0" in peak


def test_a_bundle_that_is_missing_is_an_error() -> None:
    with pytest.raises(MeasurementError, match=r"no\.edgeocr"):
        memory.measure("no.edgeocr", [], 0)
