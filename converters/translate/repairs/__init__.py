"""Repairs for the translator's faults, one file each, made before a program is translated.

The docstring of each file shows the fault. `WHY` explains it in a phrase for the report. `mend`
changes the program and returns the operators that it changed. The file's name is recorded in
reports and manifests, so renaming a file changes bundles. Faults that no repair mends are refused,
by the translator itself or by `refusals`.
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
    """A record of one repair: why it was made, and which operators of a program it changed."""

    name: str
    """The name of the repair's file."""
    why: str
    """The fault that it mends."""
    nodes: list[str]
    """The operators that it changed."""


def mend(program: Program) -> list[Repair]:
    """Make the repairs that a program needs; return those that were made."""
    made = []
    for module in REPAIRS:
        nodes = module.mend(program)
        if nodes:
            made.append(Repair(module.__name__.rpartition(".")[2], module.WHY, nodes))
    return made
