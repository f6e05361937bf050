"""Arithmetic, comparison and logic of two values, which are broadcast against each other."""

from __future__ import annotations

import numpy as np

from ..call import Call
from ..registry import UnsupportedError, translates
from ..values import Value, broadcast

# Paddle's operator → ONNX's for numbers, and ONNX's for booleans.
_BINARY = {
    "elementwise_add": ("Add", "Or"),
    "elementwise_sub": ("Sub", ""),
    "minus": ("Sub", ""),
    "elementwise_mul": ("Mul", "And"),
    "elementwise_max": ("Max", "Or"),
    "elementwise_min": ("Min", "And"),
    "elementwise_pow": ("Pow", ""),
}
_COMPARISONS = {
    "equal": "Equal", "not_equal": "Equal", "less_than": "Less", "less_equal": "LessOrEqual",
    "greater_than": "Greater", "greater_equal": "GreaterOrEqual",
}  # fmt: skip
_LOGIC = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}
_BITWISE = {"bitwise_and": "And", "bitwise_or": "Or", "bitwise_xor": "Xor"}
# The first opset with operators on the bits of integers.
_BITWISE_OPSET = 18


def operands(call: Call) -> tuple[Value, Value]:
    """Return both operands, that of fewer axes aligned with the other by the attribute `axis`."""
    x, y = call.operand("X"), call.operand("Y")
    axis = call.attribute("axis", -1)
    if axis != -1 and x.rank != y.rank:
        if y.rank < x.rank:
            y = _aligned(call, y, x.rank, axis)
        else:
            x = _aligned(call, x, y.rank, axis)
    if x.dtype != y.dtype:
        raise UnsupportedError(f"its operands have different types, {x.dtype} and {y.dtype}")
    return x, y


def _aligned(call: Call, value: Value, rank: int, axis: int) -> Value:
    """Align the first axis of a value with the axis `axis` of a value of more axes.

    Trailing axes of size 1 that reach beyond the other's last axis, as Paddle allows, are removed.

    Args:
        call: The operator.
        value: The value.
        rank: The number of the other's axes.
        axis: The other's axis that the value's first axis belongs to.
    """
    surplus = max(axis + value.rank - rank, 0)
    value = call.squeeze(value, range(value.rank - surplus, value.rank))
    return call.unsqueeze(value, range(value.rank, rank - axis))


def _binary(call: Call) -> None:
    x, y = operands(call)
    of_numbers, of_truths = _BINARY[call.operator.type]
    kind = of_truths if x.dtype == bool else of_numbers
    if not kind:
        raise UnsupportedError("its operands are booleans")
    call.give(call.combine(kind, x, y))


for _type in _BINARY:
    translates(_type)(_binary)


def _ignoring_nan(call: Call) -> None:
    """Write the greater or smaller value; the other one where one is NaN."""
    x, y = operands(call)
    found = call.combine(
        {"elementwise_fmax": "Max", "elementwise_fmin": "Min"}[call.operator.type], x, y
    )
    if x.is_float:
        found = call.each("Where", call.each("IsNaN", y, dtype=bool), x, found, dtype=x.dtype)
        found = call.each("Where", call.each("IsNaN", x, dtype=bool), y, found, dtype=x.dtype)
    call.give(found)


translates("elementwise_fmax", "elementwise_fmin")(_ignoring_nan)


@translates("elementwise_div")
def divide(call: Call) -> None:
    """Write x / y: of integers rounded towards 0, or a float if the program declares one."""
    x, y = operands(call)
    wanted = call.result_dtype(x.dtype)
    if wanted.kind == "f":
        x, y = call.cast(x, wanted), call.cast(y, wanted)
    call.give(call.combine("Div", x, y))


@translates("elementwise_floordiv")
def floor_divide(call: Call) -> None:
    """Write the quotient rounded down."""
    x, y = operands(call)
    if x.is_float:
        call.give(call.each("Floor", call.combine("Div", x, y)))
        return
    # Without the remainder, which has the divisor's sign, the quotient is exact.
    exact = call.combine("Sub", x, call.each("Mod", x, y))
    call.give(call.combine("Div", exact, y))


@translates("elementwise_mod")
def modulo(call: Call) -> None:
    """Write the remainder of the quotient rounded down, which has the divisor's sign."""
    x, y = operands(call)
    if not x.is_float:
        call.give(call.each("Mod", x, y))
        return
    rest = call.each("Mod", x, y, fmod=1)  # it has the dividend's sign
    signs = (call.combine("Less", rest, 0.0, bool), call.combine("Less", y, 0.0, bool))
    other = call.combine("Xor", *signs)
    some = call.each("Not", call.combine("Equal", rest, 0.0, bool))
    moved = call.combine("Add", rest, y)
    call.give(call.each("Where", call.combine("And", other, some), moved, rest, dtype=x.dtype))


@translates("sum")
def add_all(call: Call) -> None:
    """Write the sum of any number of values."""
    first, *others = call.operands("X")
    for other in others:
        first = call.combine("Add", first, other)
    call.give(first)


def _comparison(call: Call) -> None:
    x, y = operands(call)
    kind = _COMPARISONS[call.operator.type]
    if x.dtype == bool and kind != "Equal":
        x, y = call.cast(x, np.int32), call.cast(y, np.int32)
    found = call.combine(kind, x, y, bool)
    call.give(call.each("Not", found) if call.operator.type == "not_equal" else found)


for _type in _COMPARISONS:
    translates(_type)(_comparison)


@translates("equal_all")
def equal_all(call: Call) -> None:
    """Write whether two values have the same shape and the same elements."""
    x, y = operands(call)
    if x.rank != y.rank or (min(x.shape + y.shape, default=0) >= 0 and x.shape != y.shape):
        call.give(call.constant(np.array(False)), typed=True)
        return
    parts = [x, y]
    same_shape = None
    if min(x.shape + y.shape, default=0) < 0:
        # Only as many elements as both have are compared: different shapes must not be an error.
        sizes = [call.sizes(value) for value in parts]
        same_shape = call.combine("Equal", sizes[0], sizes[1], bool)
        flat = [call.reshape(value, [-1]) for value in parts]
        count = call.combine("Min", *(call.size(value, 0) for value in flat))
        parts = [call.slice(value, [0], [0], count) for value in flat]
    same = call.reshape(call.combine("Equal", parts[0], parts[1], bool), [-1])
    if same_shape is not None:
        same = call.add("Concat", same, same_shape, axis=0, shape=(-1,))
    found = call.reduce("ReduceMin", call.cast(same, np.int32), [], keep=False)
    call.give(call.cast(found, bool), typed=True)


def _logic(call: Call) -> None:
    """Write and, or, xor of booleans; numbers other than 0 are true."""
    x, y = (call.cast(call.operand(slot), bool) for slot in "XY")
    # A constant that decides alone: a loop then ends at a known step, whatever else would end it.
    decisive = {"logical_and": False, "logical_or": True}.get(call.operator.type)
    for one, other in ((x, y), (y, x)):
        known = None if one.array is None or one.array.size != 1 else one.array.item()
        decides = decisive is not None and known is decisive
        if decides and min(other.shape, default=0) >= 0:
            call.give(call.constant(np.full(broadcast(x, y), decisive)))
            return
    call.give(call.combine(_LOGIC[call.operator.type], x, y))


for _type in _LOGIC:
    translates(_type)(_logic)


@translates("logical_not")
def logical_not(call: Call) -> None:
    """Write whether a value is false, or 0."""
    call.give(call.each("Not", call.cast(call.operand(), bool)))


def _bitwise(call: Call) -> None:
    x, y = operands(call)
    kind = _BITWISE[call.operator.type]
    call.give(call.combine(kind if x.dtype == bool else _of_bits(call, kind), x, y))


for _type in _BITWISE:
    translates(_type)(_bitwise)


@translates("bitwise_not")
def bitwise_not(call: Call) -> None:
    """Write a value with each bit inverted."""
    x = call.operand()
    call.give(call.each("Not" if x.dtype == bool else _of_bits(call, "Not"), x))


def _of_bits(call: Call, kind: str) -> str:
    call.require_opset(_BITWISE_OPSET)
    return f"Bitwise{kind}"
