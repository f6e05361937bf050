"""Decide which graph of a stage suits this device, by its features and by what was measured.

A graph is called by the precision that it computes in. Nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar

from ..bundle.manifest import Stage, Variant
from ..device.cpus import present
from ..runtime.options import check_variant

AnyStage = TypeVar("AnyStage", bound=Stage)
# The milliseconds of a run of each graph of a stage, by precision.
Times: TypeAlias = Mapping[str, float]

# A variant replaces a stage's own graph, which is the more exact one, only if it takes at most this
# share of its time: saving less is not worth any loss. Freezing int8 uses the same share.
WORTH = 0.95
PINNED = "pinned by the caller"


@dataclass(frozen=True)
class Choice:
    """The graph that was taken in a stage that has several.

    Attributes:
        variant: The precision of the graph.
        reason: Why it was taken.
        others: Why graphs that were to be preferred were not taken, by precision.
        skipped_providers: Why "auto" did not take better execution providers: one message for each.
    """

    variant: str
    reason: str
    others: Mapping[str, str] = field(default_factory=dict)
    skipped_providers: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say which graph was taken and why, and why not others."""
        others = "".join(f"; not {name}: {reason}" for name, reason in self.others.items())
        return f"{self.variant}, {self.reason}{others}"


@dataclass(frozen=True)
class Ranking:
    """The graphs of a stage, as they suit an execution provider of this device.

    Attributes:
        suited: Why each graph is taken that suits, by precision; the best comes first.
        unsuited: Why each of the others doesn't suit, by precision.
    """

    suited: dict[str, str]
    unsuited: dict[str, str] = field(default_factory=dict)


def ranked(stage: Stage, provider: str, times: Times, pin: str | None = None) -> Ranking:
    """Rank the graphs of a stage for an execution provider.

    Args:
        stage: The stage.
        provider: The provider's name.
        times: What was measured on the CPU of this device; empty if nothing was.
        pin: The only graph that the caller wants; None for no wish.
    """
    if pin is not None:
        return Ranking({pin: PINNED})
    suited: dict[str, str] = {}
    unsuited: dict[str, str] = {}
    for variant in stage.variants:
        reason, suits = _suits(variant, provider)
        (suited if suits else unsuited)[variant.precision] = reason
    own = stage.precision
    if provider == "cpu" and suited and {own, *suited} <= times.keys():
        return Ranking(_by_time(own, {name: times[name] for name in (own, *suited)}), unsuited)
    suited[own] = "the stage's own graph"
    return Ranking(suited, unsuited)


def _suits(variant: Variant, provider: str) -> tuple[str, bool]:
    """Return why a variant suits a provider of this device, or why not, and whether it does."""
    if variant.providers is not None and provider not in variant.providers:
        return f"it is for {' and '.join(variant.providers)}, not for {provider}", False
    if provider == "cpu" and variant.cpu_features:
        if found := present(variant.cpu_features):
            return f"the CPU has {found[0]}", True
        return f"the CPU has none of {', '.join(variant.cpu_features)}", False
    return f"it suits {provider}", True


def _by_time(own: str, times: Times) -> dict[str, str]:
    """Order graphs by their times, where others than a stage's own must be worth it."""
    reasons = {
        name: f"measured {time:.1f} ms against "
        + " and ".join(
            f"{others:.1f} ms of {other}" for other, others in times.items() if other != name
        )
        for name, time in times.items()
    }
    order = sorted(times, key=lambda name: times[name] / (WORTH if name != own else 1))
    return {name: reasons[name] for name in order}


def pins(stages: Mapping[str, Stage], wanted: str | Mapping[str, str] | None) -> dict[str, str]:
    """Return the graph that a caller wants, by stage.

    Args:
        stages: All stages of the bundle, by name.
        wanted: See `RuntimeOptions.variant`.

    Raises:
        ValueError: The bundle lacks a stage or a graph that is named.
    """
    if wanted is None:
        return {}
    has = ", ".join(f"{name} has {' and '.join(each.graphs)}" for name, each in stages.items())
    if isinstance(wanted, str):
        check_variant(wanted)
        if not any(wanted in stage.graphs for stage in stages.values()):
            raise ValueError(f"no stage of the bundle has a graph {wanted!r}: {has}")
        return {
            name: wanted if wanted in stage.graphs else stage.precision
            for name, stage in stages.items()
        }
    for name, variant in wanted.items():
        if name not in stages:
            raise ValueError(f"the bundle has no stage {name!r}, only {', '.join(stages)}")
        if variant not in stages[name].graphs:
            raise ValueError(f"the stage {name!r} has no graph {variant!r}: {has}")
    return dict(wanted)


def reduced_to(stage: AnyStage, variant: str) -> AnyStage:
    """Return a stage with a single one of its graphs, named by its precision."""
    for precision, graph in stage.graphs.items():
        if precision == variant:
            return replace(stage, graph=graph, precision=precision, variants=[])
    raise KeyError(variant)
