"""Open a stage with the first graph and provider that suit this device and start on it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from ..errors import EdgeOCRError, GraphError, ProviderUnavailableError
from ..runtime.engines_here import misfit
from ..runtime.job import Job
from ..runtime.placement import Placement
from ..runtime.providers import AUTO, PROVIDERS, fallback_order
from ..runtime.start import built_in, is_ready
from .choice import AnyStage, Choice, ranked, reduced_to

if TYPE_CHECKING:
    from ..tuned.record import TunedStage

logger = logging.getLogger(__name__)

Opened = TypeVar("Opened")
# How the reason for a choice begins that was tuned.
TUNED = "tuned"


@dataclass(frozen=True)
class _Attempt:
    """A provider and a graph to open a stage with.

    Attributes:
        provider: The provider's name.
        variant: The precision of the graph.
        reason: Why the graph is taken.
        others: Why graphs that were to be preferred are not taken, by precision.
        options: Options of the provider beside the caller's.
        refused: Why providers that were to be preferred are not taken, one message each.
    """

    provider: str
    variant: str
    reason: str
    others: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()


def take(
    name: str,
    stage: AnyStage,
    placement: Placement,
    tuned: TunedStage | None,
    pin: str | None,
    open_graph: Callable[[AnyStage, Placement], Opened],
) -> tuple[Opened, Choice]:
    """Open a stage with the graph and, with "auto", on the provider that suit this device best.

    With "auto", what was tuned comes first, and what was found to be wrong is left out. If a graph
    doesn't start, the next one is tried, unless the caller has pinned it.

    Args:
        name: The stage's name.
        stage: The stage.
        placement: The execution provider that is wanted.
        tuned: What was found out about the stage on this device; None if nothing was.
        pin: The only graph that the caller wants; None for no wish.
        open_graph: Opens the stage with a single graph on a provider that is named.

    Returns:
        What was opened, and which graph was taken and why.

    Raises:
        ProviderUnavailableError: The provider doesn't start that was tried last, which is the
            wanted one, or with "auto" the last of all.
        GraphError: ONNX Runtime can't load the graph that was tried last.
    """
    failed: dict[str, dict[str, EdgeOCRError]] = {}
    for attempt in _attempts(name, stage, placement, tuned, pin):
        provider, variant = attempt.provider, attempt.variant
        single = reduced_to(stage, variant)
        try:
            opened = open_graph(single, _placed(placement, name, attempt))
        except (GraphError, ProviderUnavailableError) as error:
            logger.info("%s can't take %s on %s: %s", name, variant, provider, error)
            failed.setdefault(provider, {})[variant] = error
            continue
        others = {each: str(error) for each, error in failed.pop(provider, {}).items()}
        others.pop(variant, None)  # it had other options of the provider
        skipped = [str(error) for errors in failed.values() for error in errors.values()]
        return opened, Choice(
            variant,
            attempt.reason,
            {**attempt.others, **others},
            tuple(dict.fromkeys([*attempt.refused, *skipped])),
            notable=bool(stage.variants) or tuned is not None,
        )
    errors = [error for each in failed.values() for error in each.values()]
    if placement.provider_of(name) != AUTO or (errors and isinstance(errors[-1], GraphError)):
        raise errors[-1]
    raise ProviderUnavailableError("no provider works here: " + "; ".join(map(str, errors)))


def first_choice(
    name: str,
    stage: AnyStage,
    placement: Placement,
    tuned: TunedStage | None,
    pin: str | None,
) -> AnyStage:
    """Reduce a stage to the graph that `take` tries first, given the same arguments."""
    for attempt in _attempts(name, stage, placement, tuned, pin):
        return reduced_to(stage, attempt.variant)
    return stage


def _placed(placement: Placement, stage: str, attempt: _Attempt) -> Placement:
    """Return where an attempt is made, with the options of its provider that were tuned."""
    options = placement.options
    if attempt.options:
        own = options.provider_options.get(attempt.provider, {})
        merged = {**attempt.options, **own}
        options = replace(
            options, provider_options={**options.provider_options, attempt.provider: merged}
        )
    return replace(placement, provider={stage: attempt.provider}, options=options)


def _attempts(
    name: str, stage: AnyStage, placement: Placement, tuned: TunedStage | None, pin: str | None
) -> Iterator[_Attempt]:
    """Yield each attempt to open a stage, the best first."""
    wanted = placement.provider_of(name)
    available = built_in()
    known = tuned if pin is None else None
    if known is not None and (choice := known.choice) is not None:
        reason = f"{TUNED}: {known.reason}"
        attempt = _Attempt(choice.provider, choice.variant, reason, options=choice.options)
        fits = choice.provider in available and wanted in (AUTO, choice.provider)
        # Whoever can write to the file must not load a library or a file by an option.
        fits = fits and PROVIDERS[choice.provider].is_known(choice.options)
        if fits and choice.variant in stage.graphs:
            # TensorRT's engines are built for certain options, such as half precision.
            placed = _placed(placement, name, attempt)
            if _is_ready(name, choice.provider, choice.variant, placed):
                yield attempt
    refused: dict[str, list[str]] = {}
    for provider in fallback_order(stage.providers) if wanted == AUTO else (wanted,):
        if wanted == AUTO and provider not in available:
            continue
        ranking = ranked(stage, provider, pin)
        problems: dict[str, str] = {}
        for variant, reason in ranking.suited.items():
            # The caller's provider, or else the CPU, runs the stage's own graph in any case.
            last = wanted != AUTO or PROVIDERS[provider].always_starts
            is_last_resort = last and variant == stage.precision
            problem = None if known is None else known.problem(provider, variant)
            if wanted == AUTO and not _is_ready(name, provider, variant, placement):
                logger.debug("%s skips %s: its engines haven't been built", name, provider)
                job = Job(name, "", None, precision=variant)
                if (misfits := misfit(PROVIDERS[provider], placement, job)) is not None:
                    refused.setdefault(provider, []).append(misfits)
            elif problem is not None and not is_last_resort:
                problems[variant] = problem
                message = f"{name} on {provider} in {variant}: {problem}"
                refused.setdefault(provider, []).append(message)
            else:
                elsewhere = [
                    each for other in refused if other != provider for each in refused[other]
                ]
                others = {**ranking.unsuited, **problems}
                yield _Attempt(provider, variant, reason, others, refused=tuple(elsewhere))


def _is_ready(name: str, provider: str, variant: str, placement: Placement) -> bool:
    job = Job(name, "", None, precision=variant)
    return is_ready(PROVIDERS[provider], placement, job)
