"""Claims are tried one after the other, whatever becomes of each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.proof.budget import Budget
from benchmarks.proof.cell_process import CellFailedError, CellUnavailableError, OutOfTimeError
from benchmarks.proof.cells import cells_for
from benchmarks.proof.claims.all import CLAIMS, Claim
from benchmarks.proof.record import Verdict
from benchmarks.proof.trial import Finding, Trial
from benchmarks.proof.trying import try_claims


def raises(error: BaseException) -> Callable[[Trial], Finding]:
    def attempt(trial: Trial) -> Finding:
        raise error

    return attempt


def holds(trial: Trial) -> Finding:
    return Finding("holds", f"with {trial.time.seconds:.0f} s")


def tried(
    tmp_path: Path, attempts: dict[str, Callable[[Trial], Finding]], seconds: float = 100
) -> list[Verdict]:
    claims = [Claim(name, f"{name}.", 1, attempt) for name, attempt in attempts.items()]
    budget = Budget(seconds, {claim.name: claim.weight for claim in claims})
    trial = Trial(cells_for(None, ()), None, [], tmp_path, "1.32.0", budget.whole)
    found: list[Verdict] = []
    try:
        found.extend(try_claims(claims, trial, budget, lambda line: None))
    except KeyboardInterrupt:
        found.append(Verdict("interrupted", "", "not tried", "", 0))
    return found


def test_errors_become_verdicts_and_the_others_go_on(tmp_path: Path) -> None:
    found = tried(
        tmp_path,
        {
            "crashed": raises(CellFailedError("the process ended with signal 11")),
            "missing": raises(CellUnavailableError("there is no TensorRT")),
            "late": raises(OutOfTimeError("no time left after 2 rounds")),
            "wrong": raises(ZeroDivisionError("division by zero")),
            "fine": holds,
        },
    )
    assert [(each.claim, each.outcome) for each in found] == [
        ("crashed", "fails"),
        ("missing", "not tried"),
        ("late", "not tried"),
        ("wrong", "fails"),
        ("fine", "holds"),
    ]
    assert found[0].reason == "the process ended with signal 11"
    assert found[2].reason.endswith("allow more time with --minutes")
    assert "the trial itself crashed: ZeroDivisionError" in found[3].reason


def test_claims_without_time_are_reported_as_such(tmp_path: Path) -> None:
    found = tried(tmp_path, {"a": holds, "b": holds}, seconds=0.1)
    assert [each.outcome for each in found] == ["not tried", "not tried"]
    assert {each.reason for each in found} == {"no time left: allow more with --minutes"}


def test_after_an_interrupt_there_is_a_verdict_for_each_claim(tmp_path: Path) -> None:
    found = tried(tmp_path, {"a": holds, "b": raises(KeyboardInterrupt()), "c": holds})
    assert [each.claim for each in found] == ["a", "b", "c", "interrupted"]
    assert [each.outcome for each in found[:3]] == ["holds", "not tried", "not tried"]
    assert found[1].reason == "interrupted while it was tried"
    assert found[2].reason == "interrupted before it was tried"


def test_names_of_claims_differ() -> None:
    names = [claim.name for claim in CLAIMS]
    assert len(set(names)) == len(names)
    assert all(claim.says.endswith(".") for claim in CLAIMS)


@pytest.mark.parametrize("seconds", [60.0, 600.0])
def test_every_claim_that_measures_gets_time(seconds: float) -> None:
    budget = Budget(seconds, {claim.name: claim.weight for claim in CLAIMS}, lambda: 0.0)
    shares = {claim.name: budget.share(claim.name) for claim in CLAIMS}
    assert all(shares[claim.name].seconds > 1 for claim in CLAIMS if claim.weight)
