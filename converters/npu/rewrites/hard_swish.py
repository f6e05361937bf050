"""HardSwish: x * clip(x + 3, 0, 6) / 6, as ONNX defines it, with Add, Clip and Mul."""

from __future__ import annotations

import numpy as np

from ...graph.editor import Editor
from ..known import Known

OPERATORS = frozenset({"HardSwish"})
NEEDS = frozenset({"Add", "Clip", "Mul"})
# It costs nodes, so it is for compilers that need it.
SIMPLIFIES = False
WHY = "it is x * clip(x + 3, 0, 6) / 6"


def rewrite(editor: Editor, known: Known) -> list[str]:
    """Apply the rewrite that the module describes; return the nodes that were replaced."""
    replaced = []
    for node in editor.nodes(*OPERATORS):
        value, made = node.input[0], node.output[0]
        three, zero, six, sixth = (
            editor.add_constant(np.array(number, np.float32), f"{made}.{name}")
            for name, number in (("three", 3), ("zero", 0), ("six", 6), ("sixth", 1 / 6))
        )
        names = [editor.new_name(f"{made}.{name}") for name in ("shifted", "clipped", "gate")]
        editor.remove(node)
        editor.add_node("Add", [value, three], names[0])
        editor.add_node("Clip", [names[0], zero, six], names[1])
        editor.add_node("Mul", [names[1], sixth], names[2])
        editor.add_node("Mul", [value, names[2]], made)
        replaced.append(made)
    return replaced
