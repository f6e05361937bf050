"""Faults of the translator that we mend, one file each.

A repair's docstring shows the fault, `WHY` says it in a sentence for the report, and `mend` changes
the program before it is translated and returns the operators that it changed. What no repair can
mend stays: the translator refuses it, or `translate.refusals` does where it would be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

from ...paddle.program import Program
from . import (
    channels_last,
    expand_as,
    inverse_of_constant,
    layer_norm_over_axes,
    reduction_to_number,
    slice_to_the_front,
    tanh_gelu,
)

REPAIRS: tuple[ModuleType, ...] = (
    inverse_of_constant,
    channels_last,
    expand_as,
    layer_norm_over_axes,
    reduction_to_number,
    slice_to_the_front,
    tanh_gelu,
)


@dataclass(frozen=True)
class Repair:
    """One repair that was made: its name, why, and the operators that it changed."""

    name: str
    why: str
    nodes: list[str]


def mend(program: Program) -> list[Repair]:
    """Make the repairs that a program needs; returns those that were made."""
    made = []
    for module in REPAIRS:
        nodes = module.mend(program)
        if nodes:
            made.append(Repair(module.__name__.rpartition(".")[2], module.WHY, nodes))
    return made
