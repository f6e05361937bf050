"""Refuse operators that paddle2onnx silently translates into something else.

These are the faults that no repair mends; see `repairs`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ..paddle.program import Operator, Program


def refused(program: Program) -> list[str]:
    """List the operators of a program that would be translated wrongly, each with the reason."""
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
        return "only LSTM and GRU are translated of all recurrent networks"
    if operator.input("SequenceLength"):
        return "its sequence lengths would be ignored"
    states = set(operator.output("State"))
    read = any(states.intersection(other.inputs()) for other in program.operators)
    if read and operator.attribute("num_layers", 1) > 1:
        return "only the last layer's final states would be returned"
    return ""


def _transposed(program: Program, operator: Operator) -> str:
    if operator.attribute("padding_algorithm") == "SAME":
        return "its padding SAME would produce another size"
    if operator.attribute("output_size") or operator.input("OutputSize"):
        return "its output size would be ignored"
    return ""


def _softplus(program: Program, operator: Operator) -> str:
    # From a threshold of 15 on, both branches of softplus are equal in float32.
    exact = operator.attribute("beta", 1.0) == 1 and operator.attribute("threshold", 20.0) >= 15
    return "" if exact else "its beta and threshold would be ignored"


def _norm(program: Program, operator: Operator) -> str:
    order = operator.attribute("porder", 2.0)
    if operator.attribute("asvector"):
        return "its norm of all values would become a norm along one axis"
    return "" if order and math.isfinite(order) else f"its order {order} would give other results"


def _gather(program: Program, operator: Operator) -> str:
    column = len(program.shape(operator.input("Index")[0])) > 1
    return "its index of shape [N, 1] would leave an axis too many" if column else ""


def _padding(program: Program, operator: Operator) -> str:
    circular = operator.attribute("mode") == "circular"
    return "ONNX's Pad can't pad circularly" if circular else ""


_REASONS: dict[str, Callable[[Program, Operator], str]] = {
    "rnn": _rnn,
    "conv2d_transpose": _transposed,
    "depthwise_conv2d_transpose": _transposed,
    "softplus": _softplus,
    "p_norm": _norm,
    "gather": _gather,
    "pad3d": _padding,
}
