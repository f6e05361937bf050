"""Gather with one constant index: Slice, and Squeeze where the axis disappears.

The elements are the same, so the values are too, bit by bit.
"""

from __future__ import annotations

import numpy as np

from ...graph.editor import Editor, attribute
from ..known import Known

OPERATORS = frozenset({"Gather"})
NEEDS = frozenset({"Slice", "Squeeze"})
# The values stay the same, bit by bit, so that the rewrite is good for every compiler.
SIMPLIFIES = True
WHY = "an element at a constant place is a slice of one element"


def rewrite(editor: Editor, known: Known) -> list[str]:
    """Apply the rewrite that the module describes; return the nodes that were replaced."""
    replaced = []
    for node in editor.nodes(*OPERATORS):
        indices = editor.constant(node.input[1])
        if indices is None or indices.size != 1 or editor.constant(node.input[0]) is not None:
            continue
        if indices.ndim > 1:  # the result has further axes of size 1
            continue
        made, axis, place = node.output[0], attribute(node, "axis", 0), int(indices.reshape(-1)[0])
        # -1 is the last element: its slice has no end that can be counted from the end.
        end = place + 1 if place != -1 else np.iinfo(np.int64).max
        bounds = [
            editor.add_constant(np.array([number], np.int64), f"{made}.{name}")
            for name, number in (("start", place), ("end", end), ("axis", axis))
        ]
        editor.remove(node)
        cut = made if indices.ndim else editor.new_name(f"{made}.cut")
        editor.add_node("Slice", [node.input[0], *bounds], cut)
        if not indices.ndim:
            editor.add_node("Squeeze", [cut, bounds[2]], made)
        replaced.append(made)
    return replaced
