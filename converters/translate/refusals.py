"""What paddle2onnx translates without a word into something else, and no repair mends: refused."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..paddle.program import Operator, Program


def refused(program: Program) -> list[str]:
    """The operators of a program that would be translated wrongly, each with what is wrong."""
    found = []
    for operator in program.operators:
        reason = _REASONS.get(operator.type, _fine)(program, operator)
        if reason:
            found.append(f"{operator}: {reason}")
    return found


def _fine(program: Program, operator: Operator) -> str:
    return ""


def _rnn(program: Program, operator: Operator) -> str:
    if operator.attribute("mode") not in ("LSTM", "GRU"):
        return "of recurrent networks only LSTM and GRU are translated"
    if operator.input("SequenceLength"):
        return "the lengths of its sequences would be ignored"
    states = set(operator.output("State"))
    read = any(states.intersection(other.inputs()) for other in program.operators)
    if read and operator.attribute("num_layers", 1) > 1:
        return "of its final states only the last layer's would be there"
    return ""


def _transposed(program: Program, operator: Operator) -> str:
    if operator.attribute("padding_algorithm") == "SAME":
        return "its padding SAME would give another size"
    if operator.attribute("output_size") or operator.input("OutputSize"):
        return "its output size would be ignored"
    return ""


def _softplus(program: Program, operator: Operator) -> str:
    # From a threshold of 15 on the two branches are the same in float32.
    exact = operator.attribute("beta", 1.0) == 1 and operator.attribute("threshold", 20.0) >= 15
    return "" if exact else "its beta and threshold would be ignored"


def _norm(program: Program, operator: Operator) -> str:
    order = operator.attribute("porder", 2.0)
    if operator.attribute("asvector"):
        return "it would be a norm along one axis instead of one of all values"
    return "" if order and math.isfinite(order) else f"its order {order} would give other numbers"


def _gather(program: Program, operator: Operator) -> str:
    column = len(program.shape(operator.input("Index")[0])) > 1
    return "the axis of its index of the shape [N, 1] would stay" if column else ""


def _padding(program: Program, operator: Operator) -> str:
    return "ONNX can't pad circularly" if operator.attribute("mode") == "circular" else ""


_REASONS: dict[str, Callable[[Program, Operator], str]] = {
    "rnn": _rnn,
    "conv2d_transpose": _transposed,
    "depthwise_conv2d_transpose": _transposed,
    "softplus": _softplus,
    "p_norm": _norm,
    "gather": _gather,
    "pad3d": _padding,
}
