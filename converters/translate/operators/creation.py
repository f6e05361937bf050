"""Creation: values made of constants, or of a shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...paddle.files import require_affordable
from ..call import Call
from ..registry import UnsupportedError, translates
from ..values import Value

# The attributes that may list values: one for each type, or one for all types since Paddle 2.5.
VALUES = ("fp32_values", "fp64_values", "int32_values", "int64_values", "bool_values", "values")


def _filled(call: Call, sizes: Value, number: Value) -> Value:
    """Write a value of some sizes that has the same number everywhere."""
    if sizes.array is not None and number.array is not None:
        require_affordable(*sizes.array)
        content = np.full(sizes.array, number.array.reshape(()))
        return call.constant(content)
    return call.expand(number, sizes)


def _number(call: Call, dtype: np.dtype[Any]) -> Value:
    """Return the number that `str_value` gives as a text, or, if that is empty, `value`."""
    text = call.attribute("str_value", "")
    value: Any = call.attribute("value", 0.0)
    if text:
        try:
            value = int(text)
        except ValueError:
            value = float(text)
    return call.constant(np.array(value).astype(dtype))


@translates("fill_constant")
def fill_constant(call: Call) -> None:
    """Write a value of a shape with the same number everywhere; tensors may give both."""
    dtype = call.dtype("dtype", call.result_dtype(np.float32))
    sizes = call.integers("shape", "ShapeTensor", "ShapeTensorList")
    tensor = call.optional("ValueTensor")
    number = _number(call, dtype) if tensor is None else call.number(call.cast(tensor, dtype))
    call.give(_filled(call, sizes, number))


@translates("fill_any_like", "fill_zeros_like")
def fill_like(call: Call) -> None:
    """Write a number in the shape of a value, and in its type unless another is given."""
    x = call.operand()
    number = call.constant(call.attribute("value", 0.0), call.dtype("dtype", x.dtype))
    call.give(_filled(call, call.sizes(x), number))


@translates("fill_constant_batch_size_like")
def fill_like_batch(call: Call) -> None:
    """Write a number in a shape of which one size is that of a value's axis."""
    x, sizes = call.operand("Input"), call.attribute("shape", [])
    given, taken = call.attribute("input_dim_idx", 0), call.attribute("output_dim_idx", 0)
    parts = [call.constant([size]) for size in sizes]
    parts[taken] = call.size(x, given)
    dtype = call.dtype("dtype", call.result_dtype(np.float32))
    call.give(_filled(call, call.vector(parts), _number(call, dtype)))


@translates("assign_value")
def assign_value(call: Call) -> None:
    """Write the values that an attribute lists."""
    dtype = call.dtype("dtype", call.result_dtype(np.float32))
    sizes = call.attribute("shape", [])
    for name in VALUES:
        if listed := call.attribute(name):
            call.give(call.constant(np.array(listed).astype(dtype).reshape(sizes)))
            return
    require_affordable(*sizes)
    call.give(call.constant(np.zeros(sizes, dtype)))


@translates("eye")
def eye(call: Call) -> None:
    """Write a matrix with 1 on the diagonal and 0 elsewhere."""
    rows, columns = call.attribute("num_rows"), call.attribute("num_columns", -1)
    columns = rows if columns < 0 else columns
    require_affordable(rows, columns)
    dtype = call.dtype("dtype", call.result_dtype(np.float32))
    call.give(call.constant(np.eye(rows, columns, dtype=dtype)))


@translates("range")
def range_(call: Call) -> None:
    """Translate a range: the numbers from a start in equal steps, all of them before an end."""
    bounds = [call.number(call.operand(slot)) for slot in ("Start", "End", "Step")]
    dtype = bounds[0].dtype
    bounds = [call.cast(bound, dtype) for bound in bounds]
    call.give(call.add("Range", *bounds, shape=(-1,)))


@translates("linspace")
def linspace(call: Call) -> None:
    """Write a number of equally distant values from a start to a stop.

    As in Paddle, the first half is counted from the start, and the second back from the stop.
    """
    start, stop = (call.number(call.operand(slot)) for slot in ("Start", "Stop"))
    count = call.operand("Num")
    if count.array is None:
        raise UnsupportedError("how many values it has is computed from the input")
    number = int(count.array.item())
    dtype = call.dtype("dtype", call.result_dtype(start.dtype))
    if dtype.kind != "f":
        raise UnsupportedError("it makes integers of numbers that depend on the input")
    require_affordable(number)
    start, stop = call.cast(start, dtype), call.cast(stop, dtype)
    if number == 1:
        call.give(call.reshape(start, [1]))
        return
    places = np.arange(number)
    step = call.combine("Div", call.combine("Sub", stop, start), number - 1)
    forward = call.combine("Mul", step, call.constant(places.astype(dtype)))
    back = call.combine("Mul", step, call.constant((number - 1 - places).astype(dtype)))
    halves = call.constant(places < number // 2)
    first, second = call.combine("Add", start, forward), call.combine("Sub", stop, back)
    call.give(call.each("Where", halves, first, second, dtype=dtype))


@translates("meshgrid")
def meshgrid(call: Call) -> None:
    """Translate a grid: each list of coordinates becomes a tensor with the shape of the grid."""
    lists = [call.reshape(value, [-1]) for value in call.operands("X")]
    sizes = call.vector(call.size(value, 0) for value in lists)
    grids = []
    for axis, value in enumerate(lists):
        others = [other for other in range(len(lists)) if other != axis]
        grids.append(call.expand(call.unsqueeze(value, others), sizes))
    call.give(grids)


def _random(call: Call) -> None:
    raise UnsupportedError("its values are drawn at random, so that no two translations agree")


translates("gaussian_random", "uniform_random", "randint", "randperm", "bernoulli")(_random)
