"""Remove nodes that pass a value on unchanged, and pairs of nodes that do so together.

    Identity(x)                                      →  x
    Transpose(Transpose(x)), back to the first order →  x
    Unsqueeze(Squeeze(x)), over the same axes        →  x
    Squeeze(Unsqueeze(x)), over the same axes        →  x

ONNX Runtime removes most of them too, but the other rewrites would not see past them. Pairs come
from layers that turn a sequence into a map and back: between two layers of the same kind, the
second one takes back what the first one has done.
"""

from __future__ import annotations

import onnx

from ..graph.editor import Editor, attribute

WHY = "nodes that change nothing are removed"

# Operator → the operator that takes it back.
OPPOSITES = {"Transpose": "Transpose", "Squeeze": "Unsqueeze", "Unsqueeze": "Squeeze"}


def rewrite(editor: Editor) -> list[str]:
    """Apply the rewrite that the module describes; return the nodes that were taken out."""
    removed = []
    for node in editor.nodes("Identity"):
        if _replaced(editor, node, node.input[0]):
            removed.append(node.name or node.output[0])
    editor.tidy()
    for second in editor.nodes(*OPPOSITES):
        first = editor.producer(second.input[0], OPPOSITES[second.op_type])
        if first is not None and _cancel(editor, first, second):
            named = [node.name or node.output[0] for node in (first, second)]
            target = second.output[0]
            if _replaced(editor, second, first.input[0]):
                removed += named
                # The pair around it may be visible now. The index still tells which node makes a
                # value, unless an output's name has gone to another node.
                if editor.is_output(target):
                    editor.tidy()
    return removed


def _replaced(editor: Editor, node: onnx.NodeProto, source: str) -> bool:
    """Remove a node whose output equals a value; tell whether that was possible."""
    target = node.output[0]
    if editor.is_output(target) and (editor.is_output(source) or not editor.is_computed(source)):
        return False  # an output has to have a node of its own
    editor.remove(node)
    editor.replace(target, source)
    return True


def _cancel(editor: Editor, first: onnx.NodeProto, second: onnx.NodeProto) -> bool:
    """Tell whether the second of two opposite nodes takes back what the first one does."""
    if second.op_type == "Transpose":
        order, back = attribute(first, "perm"), attribute(second, "perm")
        if order is None or back is None:  # each turns the order of the axes round
            return order is None and back is None
        return [order[axis] for axis in back] == list(range(len(order)))
    axes, same = _axes(editor, first), _axes(editor, second)
    return axes is not None and axes == same


def _axes(editor: Editor, node: onnx.NodeProto) -> list[int] | None:
    """Return the axes of a Squeeze or Unsqueeze if the graph states them.

    Negative axes count from the same end in both nodes of a pair, because the value with more axes
    has the same number of them before and after.
    """
    stated = attribute(node, "axes") if len(node.input) < 2 else editor.constant(node.input[1])
    return None if stated is None else sorted(map(int, stated))
