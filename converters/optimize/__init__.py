"""Exact rewrites of an edge graph, one file each: the same numbers by less work.

Exact means equal in real arithmetic for every input; in float32 the last digits move, since sums
are taken in another order. A rewrite's docstring shows what it replaces and by what, `WHY` says in
a sentence what is saved, and `rewrite` changes the graph and returns the nodes that it replaced.

None of them makes a graph slower where a runtime lacks ONNX Runtime's blocked layout (NCHWc), as on
Arm: each removes passes over memory or multiplications, or exchanges them one for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import onnx

from ..graph.editor import Editor
from . import (
    affine_after_convolution,
    affine_before_convolution,
    bias_in_product,
    concatenated_input,
    constants,
    identities,
    normalization,
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
)


@dataclass(frozen=True)
class Rewrite:
    """One rewrite that was made: its name, why, and the nodes that it replaced."""

    name: str
    why: str
    nodes: list[str]


def optimize(
    graph: bytes, rewrites: tuple[ModuleType, ...] = REWRITES
) -> tuple[bytes, list[Rewrite]]:
    """Rewrite a serialized edge graph; returns the new one and what was done, in order."""
    model = onnx.load_from_string(graph)
    editor = Editor(model)
    made = []
    for module in rewrites:
        nodes = module.rewrite(editor)
        editor.tidy()
        if nodes:
            made.append(Rewrite(module.__name__.rpartition(".")[2], module.WHY, nodes))
    del model.graph.value_info[:]  # of values that are no longer there
    onnx.checker.check_model(model)
    serialized: bytes = model.SerializeToString(deterministic=True)
    return serialized, made
