"""Layouts with the channels last, which ONNX's layers don't have."""

from __future__ import annotations

from ..call import Call
from ..values import Value


def channels_first(call: Call, attribute: str, slot: str) -> Value:
    """Return an operand with its channels in axis 1.

    Args:
        call: The operator.
        attribute: Its attribute with the layout, such as "NHWC".
        slot: The operand's slot.
    """
    x = call.operand(slot)
    if not _is_last(call, attribute, x):
        return x
    return call.transpose(x, [0, x.rank - 1, *range(1, x.rank - 1)])


def give_in_layout(call: Call, value: Value, attribute: str, slot: str) -> None:
    """Give a result whose channels are in axis 1, in the layout that the operator has."""
    if _is_last(call, attribute, value):
        value = call.transpose(value, [0, *range(2, value.rank), 1])
    call.give(value, slot)


def _is_last(call: Call, attribute: str, value: Value) -> bool:
    return value.rank > 2 and str(call.attribute(attribute, "NCHW")).endswith("C")
