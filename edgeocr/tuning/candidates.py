"""The candidates of a stage: the ways to run it that are tried on this device."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from ..bundle.manifest import Stage
from ..runtime.providers import PROVIDERS, fallback_order
from ..tuned.record import Candidate
from ..variants.choice import ranked
from .way import FP32

CPU = "cpu"


def reference_of(stage: Stage) -> Candidate:
    """Return how a stage runs in the reading that others are compared with.

    It runs on the CPU in fp32, or with its own graph if it has none in fp32.
    """
    return Candidate(CPU, FP32 if FP32 in stage.graphs else stage.precision)


def references_of(stages: Mapping[str, Stage]) -> dict[str, Candidate]:
    """Return how each stage runs in the reading that others are compared with."""
    return {name: reference_of(stage) for name, stage in stages.items()}


def candidates(
    stage: Stage,
    providers: Collection[str],
    is_ready: Callable[[Candidate], bool],
    pin: str | None = None,
) -> list[Candidate]:
    """List the candidates of a stage.

    Args:
        stage: The stage.
        providers: The execution providers to try.
        is_ready: Says of a candidate whether it can be tried without building engines for minutes.
        pin: The only graph that the caller wants; None for no wish.

    Returns:
        The candidates. The first one is the reference, whatever the caller wants.
    """
    found = [reference_of(stage)]
    for provider in sorted(providers, key=lambda name: name != CPU):
        for variant in ranked(stage, provider, pin).suited:
            found.append(Candidate(provider, variant))
            for options in PROVIDERS[provider].alternatives.values():
                found.append(Candidate(provider, variant, dict(options)))
    unique = [each for i, each in enumerate(found) if each not in found[:i]]
    return [each for each in unique if is_ready(each)]


def usual(
    stage: Stage,
    available: Sequence[str],
    is_ready: Callable[[Candidate], bool],
    pin: str | None = None,
) -> Iterator[Candidate]:
    """Yield what "auto" tries for a stage on a device without a tuned file, in order.

    Args:
        stage: The stage.
        available: The execution providers of the installed ONNX Runtime.
        is_ready: As for `candidates`.
        pin: As for `candidates`.
    """
    for provider in fallback_order(stage.providers):
        if provider in available:
            for variant in ranked(stage, provider, pin).suited:
                if is_ready(candidate := Candidate(provider, variant)):
                    yield candidate
