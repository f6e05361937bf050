"""Try the claims one after the other, whatever becomes of each."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter

from .budget import Budget
from .cell_process import CellFailedError, CellUnavailableError, OutOfTimeError, brief
from .claims.all import Claim
from .record import Verdict
from .trial import Finding, Trial

# The most characters of a reason that are kept.
LONGEST_REASON = 2000
INTERRUPTED = "interrupted before it was tried"


def try_claims(
    claims: Sequence[Claim], trial: Trial, budget: Budget, say: Callable[[str], None]
) -> Iterator[Verdict]:
    """Try claims, and yield the verdict of each.

    After Ctrl-C the remaining claims are not tried, and the `KeyboardInterrupt` is raised at the
    end.

    Args:
        claims: The claims.
        trial: What they share.
        budget: Gives each claim its time.
        say: Is told what is being tried.

    Yields:
        A verdict for each claim, in their order.
    """
    interrupted = False
    for claim in claims:
        begin = perf_counter()
        trial.time = budget.share(claim.name)
        if interrupted:
            finding = Finding("not tried", INTERRUPTED)
        elif claim.weight and not trial.time.enough:
            finding = Finding("not tried", "no time left: allow more with --minutes")
        else:
            say(f"{claim.name}: {trial.time.seconds:.0f} s at most …")
            try:
                finding = attempt(claim, trial)
            except KeyboardInterrupt:
                interrupted = True
                finding = Finding("not tried", "interrupted while it was tried")
        verdict = Verdict(
            claim.name,
            claim.says,
            finding.outcome,
            finding.reason[:LONGEST_REASON],
            round(perf_counter() - begin, 1),
            finding.tables,
        )
        say(f"{claim.name}: {verdict.outcome}: {verdict.reason}")
        yield verdict
    if interrupted:
        raise KeyboardInterrupt


def untried(claim: Claim) -> Verdict:
    """Return the verdict of a claim that was to be tried after Ctrl-C."""
    return Verdict(claim.name, claim.says, "not tried", INTERRUPTED, 0.0)


def attempt(claim: Claim, trial: Trial) -> Finding:
    """Try one claim; an error becomes a finding."""
    try:
        return claim.attempt(trial)
    except CellFailedError as error:
        return Finding("fails", str(error))
    except CellUnavailableError as error:
        return Finding("not tried", str(error))
    except OutOfTimeError as error:
        return Finding("not tried", f"{error}: allow more time with --minutes")
    except Exception as error:  # the other claims have to go on, whatever this one met with
        traceback.print_exc()
        return Finding("fails", brief(f"the trial itself crashed: {type(error).__name__}: {error}"))
