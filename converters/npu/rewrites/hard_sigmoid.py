"""HardSigmoid: clip(alpha * x + beta, 0, 1), as ONNX defines it, with Mul, Add and Clip."""

from __future__ import annotations

import numpy as np

from ...graph.editor import Editor, attribute
from ..known import Known

OPERATORS = frozenset({"HardSigmoid"})
NEEDS = frozenset({"Mul", "Add", "Clip"})
# It costs nodes, so it is for compilers that need it.
SIMPLIFIES = False
WHY = "it is clip(alpha * x + beta, 0, 1)"


def rewrite(editor: Editor, known: Known) -> list[str]:
    """Apply the rewrite that the module describes; return the nodes that were replaced."""
    replaced = []
    for node in editor.nodes(*OPERATORS):
        made = node.output[0]
        alpha, beta, zero, one = (
            editor.add_constant(np.array(number, np.float32), f"{made}.{name}")
            for name, number in (
                ("alpha", attribute(node, "alpha", 0.2)),
                ("beta", attribute(node, "beta", 0.5)),
                ("zero", 0),
                ("one", 1),
            )
        )
        names = [editor.new_name(f"{made}.{name}") for name in ("scaled", "shifted")]
        editor.remove(node)
        editor.add_node("Mul", [node.input[0], alpha], names[0])
        editor.add_node("Add", [names[0], beta], names[1])
        editor.add_node("Clip", [names[1], zero, one], made)
        replaced.append(made)
    return replaced
