"""Functions of one value, element by element: roots, rounding, scaling, tests for NaN, casts."""

from __future__ import annotations

import math

import numpy as np

from ..call import Call
from ..registry import UnsupportedError, translates
from ..values import Value

# Paddle's operator → ONNX's operator without attributes that computes the same.
_SAME = {
    "abs": "Abs", "sign": "Sign", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "erf": "Erf",
    "reciprocal": "Reciprocal", "sin": "Sin", "cos": "Cos", "tan": "Tan", "asin": "Asin",
    "acos": "Acos", "atan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "asinh": "Asinh",
    "acosh": "Acosh", "atanh": "Atanh",
}  # fmt: skip
_OF_INTEGERS = ("abs", "sign")


def floating(call: Call) -> Value:
    """Return the operand as a floating-point number; Paddle 3 takes integers too."""
    x = call.operand()
    if x.is_float:
        return x
    wanted = call.result_dtype(np.float32)
    if wanted.kind != "f":
        raise UnsupportedError("Paddle declares integers for it, but computes other numbers")
    return call.cast(x, wanted)


def _same(call: Call) -> None:
    kind = call.operator.type
    call.give(call.each(_SAME[kind], call.operand() if kind in _OF_INTEGERS else floating(call)))


for _type in _SAME:
    translates(_type)(_same)


def _rounded(call: Call) -> None:
    """Write each value rounded down or up; integers stay as they are."""
    x = call.operand()
    kind = {"floor": "Floor", "ceil": "Ceil"}[call.operator.type]
    call.give(call.each(kind, x) if x.is_float else x)


translates("floor", "ceil")(_rounded)


@translates("trunc")
def trunc(call: Call) -> None:
    """Write each value rounded towards 0."""
    x = call.operand()
    if x.is_float:
        x = call.combine("Mul", call.each("Sign", x), call.each("Floor", call.each("Abs", x)))
    call.give(x)


@translates("round")
def round_(call: Call) -> None:
    """Write the nearest whole number, or the nearest number of some decimals.

    Paddle 2 rounds a half away from 0. Paddle 3, which writes `decimals`, rounds it to the even
    neighbour.
    """
    x = call.operand()
    decimals = call.attribute("decimals")
    if not x.is_float:
        if decimals is not None and decimals < 0:
            raise UnsupportedError("it rounds integers to tens or hundreds")
        call.give(x)
        return
    factor = 10.0 ** (decimals or 0)
    scaled = call.combine("Mul", x, factor) if decimals else x
    rounded = call.each("Round", scaled)  # a half to the even neighbour
    if decimals is None:  # as in Paddle 2, which rounds a half away from 0
        amount = call.each("Abs", x)
        part = call.combine("Sub", amount, call.each("Floor", amount))
        away = call.combine("Mul", call.each("Sign", x), call.each("Ceil", amount))
        half = call.combine("Equal", part, 0.5, bool)
        rounded = call.each("Where", half, away, rounded, dtype=x.dtype)
    call.give(call.combine("Div", rounded, factor) if decimals else rounded)


@translates("square")
def square(call: Call) -> None:
    """Write x * x."""
    x = call.operand()
    call.give(call.combine("Mul", x, x))


@translates("rsqrt")
def rsqrt(call: Call) -> None:
    """Write 1 / √x."""
    call.give(call.each("Reciprocal", call.each("Sqrt", floating(call))))


def _logarithm(call: Call) -> None:
    base = {"log2": 2.0, "log10": 10.0}[call.operator.type]
    natural = call.each("Log", floating(call))
    call.give(call.combine("Mul", natural, 1 / math.log(base)))


translates("log2", "log10")(_logarithm)


@translates("log1p")
def log1p(call: Call) -> None:
    """Write log(1 + x), near 0 as x · log(u) / (u - 1) with u = 1 + x, which keeps the digits."""
    x = floating(call)
    u = call.combine("Add", x, 1.0)
    logarithm = call.each("Log", u)
    difference = call.combine("Sub", u, 1.0)
    near = call.combine("Less", call.each("Abs", x), 0.5, bool)
    flat = call.combine("Equal", difference, 0.0, bool)
    quotient = call.combine("Div", call.combine("Mul", x, logarithm), difference)
    exact = call.each("Where", flat, x, quotient, dtype=x.dtype)
    call.give(call.each("Where", near, exact, logarithm, dtype=x.dtype))


@translates("expm1")
def expm1(call: Call) -> None:
    """Write exp(x) - 1, near 0 as (u - 1) · x / log(u) with u = exp(x), which keeps the digits."""
    x = floating(call)
    u = call.each("Exp", x)
    difference, logarithm = call.combine("Sub", u, 1.0), call.each("Log", u)
    near = call.combine("Less", call.each("Abs", x), 0.5, bool)
    flat = call.combine("Equal", logarithm, 0.0, bool)
    quotient = call.combine("Div", call.combine("Mul", difference, x), logarithm)
    exact = call.each("Where", flat, x, quotient, dtype=x.dtype)
    call.give(call.each("Where", near, exact, difference, dtype=x.dtype))


@translates("pow")
def pow_(call: Call) -> None:
    """Write x to the power of a number."""
    x, factor = call.operand(), call.optional("FactorTensor")
    if factor is not None:
        call.give(call.combine("Pow", x, call.cast(call.reshape(factor, [1]), x.dtype)))
        return
    number = call.attribute("factor", 1.0)
    if not x.is_float and not (float(number).is_integer() and number >= 0):
        raise UnsupportedError(f"it raises integers to the power of {number}")
    squared = number == 2
    call.give(call.combine("Mul", x, x) if squared else call.combine("Pow", x, number))


@translates("scale")
def scale(call: Call) -> None:
    """Write x * scale + bias, or (x + bias) * scale."""
    x, tensor = call.operand(), call.optional("ScaleTensor")
    first = call.attribute("scale", 1.0)
    bias = call.attribute("bias", 0.0)
    if not x.is_float:  # Paddle truncates both numbers
        first, bias = int(first), int(bias)
    factor: Value | float = first
    if tensor is not None:
        factor = call.cast(call.number(tensor), x.dtype)

    def scaled(value: Value) -> Value:
        return value if tensor is None and first == 1 else call.combine("Mul", value, factor)

    def moved(value: Value) -> Value:
        return value if bias == 0 else call.combine("Add", value, bias)

    after = call.attribute("bias_after_scale", True)
    call.give(moved(scaled(x)) if after else scaled(moved(x)))


@translates("clip")
def clip(call: Call) -> None:
    """Write min(max(x, min), max) with bounds from attributes or tensors."""
    x = call.operand()
    bounds = [_bound(call, x, slot) for slot in ("Min", "Max")]
    call.give(call.each("Clip", x, *bounds) if any(bounds) else x)


def _bound(call: Call, x: Value, slot: str) -> Value | None:
    """Return a bound without axes; None where it is beyond all numbers of the operand's type."""
    tensor = call.optional(slot)
    if tensor is not None:
        return call.number(call.cast(tensor, x.dtype))
    number = call.attribute(slot.lower())
    if number is None:
        raise UnsupportedError(f"it has no {slot.lower()}")
    if x.is_float and math.isinf(number) and (number < 0) == (slot == "Min"):
        return None
    if not x.is_float:
        limits = np.iinfo(x.dtype)
        if number <= limits.min if slot == "Min" else number >= limits.max:
            return None
    return call.constant(np.array(number).astype(x.dtype))


def _tested(call: Call) -> None:
    """Write whether each value is NaN, infinite, or neither."""
    kind, x = call.operator.type, call.operand()
    if not x.is_float:  # integers are finite
        zero = call.combine("Sub", x, x)
        call.give(call.combine("Equal" if kind == "isfinite_v2" else "Less", zero, 0, bool))
        return
    missing = call.each("IsNaN", x, dtype=bool) if kind != "isinf_v2" else None
    infinite = call.each("IsInf", x, dtype=bool) if kind != "isnan_v2" else None
    if missing is not None and infinite is not None:
        call.give(call.each("Not", call.combine("Or", missing, infinite)))
        return
    found = missing or infinite
    assert found is not None
    call.give(found)


translates("isnan_v2", "isinf_v2", "isfinite_v2")(_tested)


@translates("increment")
def increment(call: Call) -> None:
    """Write x + step."""
    x = call.operand()
    step = call.attribute("step", 1.0)
    call.give(call.combine("Add", x, step if x.is_float else int(step)))


@translates("cast")
def cast(call: Call) -> None:
    """Write the values in another type."""
    call.give(call.cast(call.operand(), call.dtype("out_dtype", call.result_dtype(np.float32))))


@translates("assign", "share_data")
def assign(call: Call) -> None:
    """Give the value another name."""
    call.give(call.operand())
