"""Open a stage with the first of its graphs that suits this device and starts on it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from ..bundle.bundle import Bundle
from ..errors import EdgeOCRError, GraphError, ProviderUnavailableError
from ..runtime.job import Job
from ..runtime.options import RuntimeOptions
from ..runtime.placement import Placement
from ..runtime.providers import AUTO, PROVIDERS, fallback_order
from ..runtime.start import built_in, is_ready
from .choice import AnyStage, Choice, Measurement, Ranking, ranked, reduced_to

logger = logging.getLogger(__name__)

Opened = TypeVar("Opened")


def measured(bundle: Bundle, options: RuntimeOptions) -> Mapping[str, Measurement]:
    """Return what was measured with a bundle on this device, by stage; empty if nothing was.

    Args:
        bundle: The bundle.
        options: The caller's options; what was measured with others doesn't count.
    """
    from .record import Key, load  # only bundles with several graphs for a stage need it

    found = load(bundle.path, Key.of_this_device(bundle.digest, options))
    return {} if found is None else found[1]


def take(
    name: str,
    stage: AnyStage,
    placement: Placement,
    measured: Measurement,
    pin: str | None,
    open_graph: Callable[[AnyStage, Placement], Opened],
) -> tuple[Opened, Choice]:
    """Open a stage that has several graphs with the one that suits this device best.

    If a graph doesn't start, the next one is tried, unless the caller has pinned it.

    Args:
        name: The stage's name.
        stage: The stage.
        placement: The execution provider that is wanted.
        measured: What was measured on this device.
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
    for provider, ranking, variant in _attempts(name, stage, placement, measured, pin):
        single = reduced_to(stage, variant)
        try:
            opened = open_graph(single, replace(placement, provider={name: provider}))
        except (GraphError, ProviderUnavailableError) as error:
            logger.info("%s can't take %s on %s: %s", name, variant, provider, error)
            failed.setdefault(provider, {})[variant] = error
            continue
        others = {each: str(error) for each, error in failed.pop(provider, {}).items()}
        skipped = dict.fromkeys(
            str(error) for errors in failed.values() for error in errors.values()
        )
        return opened, Choice(
            variant, ranking.suited[variant], {**ranking.unsuited, **others}, tuple(skipped)
        )
    errors = [error for each in failed.values() for error in each.values()]
    if placement.provider_of(name) != AUTO or isinstance(errors[-1], GraphError):
        raise errors[-1]
    raise ProviderUnavailableError("no provider works here: " + "; ".join(map(str, errors)))


def first_choice(
    name: str, stage: AnyStage, placement: Placement, measured: Measurement, pin: str | None
) -> AnyStage:
    """Reduce a stage to the graph that `take` tries first, given the same arguments."""
    for _, _, variant in _attempts(name, stage, placement, measured, pin):
        return reduced_to(stage, variant)
    return stage


def _attempts(
    name: str, stage: AnyStage, placement: Placement, measured: Measurement, pin: str | None
) -> Iterator[tuple[str, Ranking, str]]:
    """Yield each attempt: a provider, the ranking of the graphs for it, and the graph to open."""
    wanted = placement.provider_of(name)
    available = built_in()
    for provider in fallback_order(stage.providers) if wanted == AUTO else (wanted,):
        if wanted == AUTO and provider not in available:
            continue
        ranking = ranked(stage, provider, measured, pin)
        for variant in ranking.suited:
            job = Job(name, "", None, precision=variant)
            if wanted != AUTO or is_ready(PROVIDERS[provider], placement, job):
                yield provider, ranking, variant
