"""The time budget, with a clock that the tests set."""

from __future__ import annotations

import pytest

from benchmarks.proof.budget import LEAST_S, Budget


class Clock:
    """A clock that stands until it is told to go on."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_shares_are_in_proportion_to_the_weights() -> None:
    clock = Clock()
    budget = Budget(60, {"a": 1, "b": 3, "c": 2}, clock)
    assert budget.whole.left == 60
    first = budget.share("a")
    assert first.seconds == 10 and first.left == 10
    clock.now += 10
    assert first.left == 0 and not first.enough
    assert budget.share("b").seconds == 30


def test_what_one_claim_leaves_goes_to_the_next_ones() -> None:
    clock = Clock()
    budget = Budget(60, {"a": 1, "b": 1, "c": 1}, clock)
    budget.share("a")
    assert budget.share("b").seconds == 30
    assert budget.share("c").seconds == 60


def test_a_claim_that_took_too_long_leaves_less() -> None:
    clock = Clock()
    budget = Budget(60, {"a": 1, "b": 1, "c": 1}, clock)
    budget.share("a")
    clock.now += 50
    assert budget.share("b").seconds == 5
    clock.now += 50
    late = budget.share("c")
    assert late.seconds == 0 and not late.enough


def test_a_claim_without_weight_gets_no_time() -> None:
    budget = Budget(60, {"a": 0}, Clock())
    assert budget.share("a").seconds == 0


def test_a_part_is_an_equal_part_of_what_is_left() -> None:
    clock = Clock()
    share = Budget(60, {"a": 1}, clock).share("a")
    clock.now += 20
    assert share.part(4).seconds == 10
    clock.now += 40 - LEAST_S
    assert share.enough
    clock.now += 0.1
    assert not share.enough


def test_a_claim_has_only_one_share() -> None:
    budget = Budget(60, {"a": 1}, Clock())
    budget.share("a")
    with pytest.raises(KeyError):
        budget.share("a")
