"""Timing stages, on a clock that advances only when the test says so."""

from __future__ import annotations

import pytest

from edgeocr.runtime import stopwatch
from edgeocr.runtime.stopwatch import Stopwatch


class FakeClock:
    """A clock whose time a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    clock = FakeClock()
    monkeypatch.setattr(stopwatch, "perf_counter", clock)
    return clock


def test_a_new_stopwatch_has_no_stages() -> None:
    assert Stopwatch().milliseconds == {}


def test_seconds_are_added_as_milliseconds() -> None:
    watch = Stopwatch()
    watch.add("a", 0.5)
    watch.add("b", 2)
    watch.add("a", 0.25)
    assert watch.milliseconds == {"a": 750, "b": 2000}


def test_a_block_is_timed(clock: FakeClock) -> None:
    watch = Stopwatch()
    with watch("a"):
        clock.now += 1
    clock.now += 10  # between the blocks nothing counts
    with watch("a"):
        clock.now += 2
    assert watch.milliseconds == {"a": 3000}


def test_nested_blocks_both_count(clock: FakeClock) -> None:
    watch = Stopwatch()
    with watch("outer"):
        clock.now += 1
        with watch("inner"):
            clock.now += 2
        clock.now += 4
    assert watch.milliseconds == {"inner": 2000, "outer": 7000}


def test_stages_are_in_the_order_in_which_they_first_ran() -> None:
    watch = Stopwatch()
    for stage in ("b", "a", "c", "a"):
        with watch(stage):
            pass
    assert list(watch.milliseconds) == ["b", "a", "c"]


def test_an_error_in_a_block_is_raised_and_its_time_not_counted(clock: FakeClock) -> None:
    watch = Stopwatch()
    with pytest.raises(KeyError), watch("a"):
        raise KeyError
    with watch("a"):
        clock.now += 1
    assert watch.milliseconds == {"a": 1000}


def test_time_is_shared_in_proportion_to_the_work() -> None:
    watch = Stopwatch()
    watch.add("b", 1)
    # 8 seconds of threads in 4 of wall time.
    watch.share(4, {"a": 6.0, "b": 1.5, "c": 0.5})
    assert watch.milliseconds == {"b": 1750, "a": 3000, "c": 250}


def test_stages_without_work_get_no_time() -> None:
    watch = Stopwatch()
    watch.add("b", 1)
    watch.share(4, {"a": 0.0, "b": 0.0})
    watch.share(4, {})
    assert watch.milliseconds == {"a": 0, "b": 1000}
