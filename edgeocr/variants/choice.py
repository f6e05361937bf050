"""Decide which graph of a stage suits this device, by its features.

A graph is called by the precision that it computes in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ..bundle.manifest import Stage, Variant
from ..device.cpus import present
from ..runtime import int8
from ..runtime.onnx_runtime import version
from ..runtime.options import check_variant

AnyStage = TypeVar("AnyStage", bound=Stage)

PINNED = "pinned by the caller"
OWN = "the stage's own graph"


@dataclass(frozen=True)
class Choice:
    """The graph that was taken in a stage.

    Attributes:
        variant: The precision of the graph.
        reason: Why it was taken.
        others: Why graphs that were to be preferred were not taken, by precision.
        skipped_providers: Why "auto" did not take better execution providers: one message for each.
        notable: Whether there was something to choose: the stage has several graphs, or was tuned.
    """

    variant: str
    reason: str
    others: Mapping[str, str] = field(default_factory=dict)
    skipped_providers: tuple[str, ...] = ()
    notable: bool = True

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


def ranked(stage: Stage, provider: str, pin: str | None = None) -> Ranking:
    """Rank the graphs of a stage for an execution provider.

    Args:
        stage: The stage.
        provider: The provider's name.
        pin: The only graph that the caller wants; None for no wish.
    """
    if pin is not None:
        return Ranking({pin: PINNED})
    suited: dict[str, str] = {}
    unsuited: dict[str, str] = {}
    for variant in stage.variants:
        reason, suits = _suits(variant, provider)
        (suited if suits else unsuited)[variant.precision] = reason
    suited[stage.precision] = OWN
    return Ranking(suited, unsuited)


def _suits(variant: Variant, provider: str) -> tuple[str, bool]:
    """Return why a variant suits a provider of this device, or why not, and whether it does."""
    if variant.providers is not None and provider not in variant.providers:
        return f"it is for {' and '.join(variant.providers)}, not for {provider}", False
    if provider == "cpu" and variant.precision == "int8" and int8.is_wrong(version()):
        return int8.PROBLEM, False
    if provider == "cpu" and variant.cpu_features:
        if found := present(variant.cpu_features):
            return f"the CPU has {found[0]}", True
        return f"the CPU has none of {', '.join(variant.cpu_features)}", False
    return f"it suits {provider}", True


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
    if variant == stage.precision:
        return replace(stage, variants=[])
    for other in stage.variants:
        if other.precision == variant:
            return replace(
                stage,
                graph=other.graph,
                precision=other.precision,
                activation_bytes=other.activation_bytes or stage.activation_bytes,
                variants=[],
            )
    raise KeyError(variant)
