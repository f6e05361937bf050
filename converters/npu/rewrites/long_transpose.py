"""Transpose of more than four axes: one of fewer axes, where some axes stay side by side.

Axes that stay side by side in the same order move as one. A Reshape joins them before the
transpose and another one divides them after it, so the values are the same, bit by bit.
"""

from __future__ import annotations

import numpy as np

from ...graph.editor import Editor, attribute
from ..known import Known

OPERATORS = frozenset({"Transpose"})
NEEDS = frozenset({"Transpose", "Reshape"})
# The values stay the same, bit by bit, so that the rewrite is good for every compiler.
SIMPLIFIES = True
WHY = "axes that stay side by side move as one"
# NPUs hold pictures, which have four axes.
MOST_AXES = 4


def rewrite(editor: Editor, known: Known) -> list[str]:
    """Apply the rewrite that the module describes; return the nodes that were replaced."""
    replaced = []
    for node in editor.nodes(*OPERATORS):
        order = attribute(node, "perm", [])
        if len(order) <= MOST_AXES:
            continue
        sizes = known.get(node.input[0])
        if sizes is None or None in sizes:
            continue
        numbers = [int(size or 0) for size in sizes]
        groups = joined(order, numbers)
        if len(groups) > MOST_AXES:
            continue
        made = node.output[0]
        # The groups in the order in which their axes come in the input.
        places = sorted(range(len(groups)), key=lambda i: groups[i][0])
        before = [int(np.prod([numbers[axis] for axis in groups[i]])) for i in places]
        shapes = [
            editor.add_constant(np.array(shape, np.int64), f"{made}.shape")
            for shape in (before, [numbers[axis] for axis in order])
        ]
        editor.remove(node)
        flat, turned = editor.new_name(f"{made}.flat"), editor.new_name(f"{made}.turned")
        editor.add_node("Reshape", [node.input[0], shapes[0]], flat)
        editor.add_node(
            "Transpose", [flat], turned, perm=[places.index(i) for i in range(len(groups))]
        )
        editor.add_node("Reshape", [turned, shapes[1]], made)
        replaced.append(made)
    return replaced


def joined(order: list[int], sizes: list[int]) -> list[list[int]]:
    """Return the axes in their new order, those that stay side by side in one group.

    Args:
        order: For each axis of the output, the input's axis.
        sizes: The sizes of the input's axes; axes of size 1 don't keep others apart.
    """
    long = [axis for axis in range(len(sizes)) if sizes[axis] != 1]
    groups: list[list[int]] = []
    for axis in order:
        if sizes[axis] == 1:
            continue
        follows = bool(groups) and long.index(axis) == long.index(groups[-1][-1]) + 1
        if follows:
            groups[-1].append(axis)
        else:
            groups.append([axis])
    return groups or [[0]]
