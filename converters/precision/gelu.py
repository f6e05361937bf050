"""Write each Gelu as one operator, so that ONNX Runtime needs one for it in an int8 graph as well.

    x ─┬─ Div(√2) ─ Erf ─ Add(1) ─┐
       └──────────────────────── Mul ─ Mul(½)      →      Gelu(x)

ONNX Runtime finds this pattern itself, but only if all of it reads the same value. In an int8 graph
it first gives each reader of a `DequantizeLinear` one of its own, so Gelu stays five operators. In
PP-OCRv6 these take longer than int8 saves in the convolutions beside them.
"""

from __future__ import annotations

import math

import onnx

from ..graph.editor import Editor

# The first opset that has the operator Gelu.
OPSET = 20
# How far a constant in a graph may be from the one of the formula.
CLOSE = 1e-4


def fused(model: onnx.ModelProto) -> int:
    """Replace the patterns in a model of at least this opset; return their number."""
    editor = Editor(model)
    number = 0
    for erf in editor.nodes("Erf"):
        found = _pattern(editor, erf)
        if found is not None:
            value, nodes = found
            editor.remove(*nodes)
            editor.add_node("Gelu", [value], nodes[-1].output[0])
            number += 1
    editor.tidy()
    return number


def has_any(model: onnx.ModelProto) -> bool:
    """Tell whether a model has such a pattern."""
    editor = Editor(model)
    return any(_pattern(editor, erf) is not None for erf in editor.nodes("Erf"))


def _pattern(editor: Editor, erf: onnx.NodeProto) -> tuple[str, list[onnx.NodeProto]] | None:
    """Return the value of which an Erf helps to compute Gelu, and the nodes that do; else None."""
    division = editor.producer(erf.input[0], "Div")
    if division is None or not _is_constant(editor, division.input[1], math.sqrt(2)):
        return None
    value = division.input[0]
    if editor.sole_consumer(division.output[0], "Erf") is None:
        return None
    nodes, factors = [division, erf], []
    for operator in ("Add", "Mul", "Mul"):
        after = editor.sole_consumer(nodes[-1].output[0], operator)
        if after is None:
            return None
        others = [name for name in after.input if name != nodes[-1].output[0]]
        if len(others) != 1:
            return None
        if operator == "Add":
            if not _is_constant(editor, others[0], 1.0):
                return None
        else:
            factors.append(others[0])
        nodes.append(after)
    if value not in factors:
        return None
    factors.remove(value)
    return (value, nodes) if _is_constant(editor, factors[0], 0.5) else None


def _is_constant(editor: Editor, value: str, wanted: float) -> bool:
    found = editor.constant(value)
    return (
        found is not None and found.size == 1 and abs(float(found.reshape(-1)[0]) - wanted) < CLOSE
    )
