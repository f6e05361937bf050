"""Rewrite an edge graph exactly, so that it computes the same with less work; a file per rewrite.

Exact means equal in real arithmetic for every input; in float32 the last digits change, because
sums are taken in another order. A rewrite's docstring shows what it replaces by what,
`WHY` says in a sentence what is saved, and `rewrite` changes the graph and returns the nodes that
it replaced, none if it changed nothing. A manifest records rewrites by the names of their files.

Each rewrite removes passes over memory or multiplications, or replaces them one for one. Most save
something everywhere. `children_apart` and `gated_residual` save it only where ONNX Runtime has its
blocked layout (NCHWc), which is on x86; docs/performance.md says what they cost elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import onnx

from ..graph.editor import Editor, checked
from . import (
    affine_after_convolution,
    affine_before_convolution,
    best_of_many,
    bias_in_product,
    children_apart,
    concatenated_input,
    constants,
    equal_sizes,
    gate_in_product,
    gated_residual,
    gated_sum,
    identities,
    normalization,
    pooled_product,
    residual_gate,
    transposed_convolution,
    upsampled_input,
)

REWRITES: tuple[ModuleType, ...] = (
    constants,
    identities,
    affine_after_convolution,
    affine_before_convolution,
    normalization,
    residual_gate,
    transposed_convolution,
    upsampled_input,
    concatenated_input,
    bias_in_product,
    best_of_many,
    pooled_product,
    gated_sum,
    gate_in_product,
    children_apart,
    gated_residual,
)


@dataclass(frozen=True)
class Rewrite:
    """A record of one rewrite: why it was made, and which nodes of a graph it replaced.

    Attributes:
        name: The name of its module, which manifests record.
        why: What it saves.
        nodes: The nodes that it replaced.
    """

    name: str
    why: str
    nodes: list[str]


def optimize(
    graph: bytes, rewrites: tuple[ModuleType, ...] = REWRITES
) -> tuple[bytes, list[Rewrite]]:
    """Rewrite a serialized edge graph; return the new graph and the applied rewrites, in order."""
    model = onnx.load_from_string(graph)
    made = rewrite(model, rewrites)
    return checked(model), made


def rewrite(model: onnx.ModelProto, rewrites: tuple[ModuleType, ...] = REWRITES) -> list[Rewrite]:
    """Rewrite an edge graph in place; return the applied rewrites, in order."""
    equal_sizes.remove_others(model.graph)
    editor = Editor(model)
    made = []
    for module in rewrites:
        if nodes := module.rewrite(editor):
            editor.tidy()
            made.append(Rewrite(module.__name__.rpartition(".")[2], module.WHY, nodes))
    equal_sizes.remove_others(model.graph)
    return made
