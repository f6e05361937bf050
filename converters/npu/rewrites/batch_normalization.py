"""BatchNormalization: a factor and an offset for each channel, Mul and Add.

(x - mean) / sqrt(variance + epsilon) * scale + bias = x * factor + offset. The numbers are computed
in float64 and rounded once, so a value differs by the rounding of float32.
"""

from __future__ import annotations

import numpy as np

from ...graph.editor import Editor, attribute
from ..known import Known

OPERATORS = frozenset({"BatchNormalization"})
NEEDS = frozenset({"Mul", "Add"})
# It costs nodes, so it is for compilers that need it.
SIMPLIFIES = False
WHY = "its statistics are constant, so it is a factor and an offset for each channel"


def rewrite(editor: Editor, known: Known) -> list[str]:
    """Apply the rewrite that the module describes; return the nodes that were replaced."""
    replaced = []
    for node in editor.nodes(*OPERATORS):
        given = [editor.constant(name) for name in node.input[1:]]
        numbers = [each.astype(np.float64) for each in given if each is not None]
        sizes = known.get(node.input[0])
        if len(numbers) != 4 or sizes is None:
            continue
        scale, bias, mean, variance = numbers
        factor = scale / np.sqrt(variance + attribute(node, "epsilon", 1e-5))
        offset = bias - mean * factor
        made, shape = node.output[0], (-1, *(1,) * (len(sizes) - 2))
        names = [
            editor.add_constant(values.reshape(shape).astype(np.float32), f"{made}.{name}")
            for name, values in (("factor", factor), ("offset", offset))
        ]
        editor.remove(node)
        scaled = editor.new_name(f"{made}.scaled")
        editor.add_node("Mul", [node.input[0], names[0]], scaled)
        editor.add_node("Add", [scaled, names[1]], made)
        replaced.append(made)
    return replaced
