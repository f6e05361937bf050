"""LayerNormalization: its definition, with ReduceMean, Sub, Mul, Add, Sqrt and Div."""

from __future__ import annotations

import numpy as np

from ...graph.editor import Editor, attribute
from ..known import Known

OPERATORS = frozenset({"LayerNormalization"})
NEEDS = frozenset({"ReduceMean", "Sub", "Mul", "Add", "Sqrt", "Div"})
# It costs nodes, so it is for compilers that need it.
SIMPLIFIES = False
WHY = "it is the value minus its mean, divided by its standard deviation, scaled and shifted"


def rewrite(editor: Editor, known: Known) -> list[str]:
    """Apply the rewrite that the module describes; return the nodes that were replaced."""
    replaced = []
    for node in editor.nodes(*OPERATORS):
        sizes = known.get(node.input[0])
        if sizes is None or len([name for name in node.output if name]) > 1:
            continue
        value, made, rank = node.input[0], node.output[0], len(sizes)
        axes = list(range(attribute(node, "axis", -1) % rank, rank))

        def add(operator: str, *inputs: str, made: str = made) -> str:
            name = editor.new_name(f"{made}.{operator.lower()}")
            editor.add_node(operator, inputs, name)
            return name

        def mean(value: str, made: str = made, axes: list[int] = axes) -> str:
            name = editor.new_name(f"{made}.mean")
            if editor.opset >= 18:  # the axes became an input
                listed = editor.add_constant(np.array(axes, np.int64), f"{made}.axes")
                editor.add_node("ReduceMean", [value, listed], name)
            else:
                editor.add_node("ReduceMean", [value], name, axes=axes)
            return name

        epsilon = np.array(attribute(node, "epsilon", 1e-5), np.float32)
        centred = add("Sub", value, mean(value))
        spread = mean(add("Mul", centred, centred))
        deviation = add("Sqrt", add("Add", spread, editor.add_constant(epsilon, f"{made}.epsilon")))
        result = add("Div", centred, deviation)
        result = add("Mul", result, node.input[1])
        if len(node.input) > 2 and node.input[2]:
            result = add("Add", result, node.input[2])
        editor.remove(node)
        editor.replace(made, result)
        replaced.append(made)
    return replaced
