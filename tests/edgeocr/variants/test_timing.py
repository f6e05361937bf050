"""Functions are timed in turn."""

from __future__ import annotations

from functools import partial

from edgeocr.variants.timing import LEAST_ROUNDS, MOST_ROUNDS, least_milliseconds


def test_functions_run_in_turn_and_no_more_often_than_needed() -> None:
    runs: list[str] = []
    found = least_milliseconds({name: partial(runs.append, name) for name in "ab"}, budget=60)
    assert runs == ["a", "b"] * (1 + MOST_ROUNDS)
    assert found.keys() == {"a", "b"} and all(0 <= time < 1000 for time in found.values())


def test_a_budget_that_is_used_up_ends_the_rounds() -> None:
    runs: list[str] = []
    least_milliseconds({"a": partial(runs.append, "a")}, budget=0)
    assert len(runs) == 1 + LEAST_ROUNDS


def test_ten_times_the_work_takes_longer() -> None:
    found = least_milliseconds(
        {"little": partial(sum, range(9_000)), "much": partial(sum, range(90_000))}
    )
    assert found["little"] < found["much"]
