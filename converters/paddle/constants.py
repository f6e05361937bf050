"""Compute the values of a program that don't depend on its input.

Each value is computed in its own precision, and with the same digits on every processor; see
`converters.exact`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .. import exact
from .files import NUMPY, require_affordable
from .program import Operator, Program

Array: TypeAlias = NDArray[Any]


def fold(program: Program) -> list[str]:
    """Replace the results of all constant operators by parameters.

    Args:
        program: The program, which is changed. It has no loops and no conditions.

    Returns:
        The operators that were replaced, as strings.
    """
    operators = list(program.operators)
    # A variable that is written twice, as by `increment`, has two values, one after the other.
    writes = Counter(name for operator in operators for name in operator.outputs())
    writes.update(program.parameters.keys())
    values = {name: program.parameters[name] for name in program.constants if writes[name] == 1}
    folded = []
    for operator in operators:
        found = evaluate(operator, values)
        if found is None or any(writes[name] > 1 for name in found):
            continue
        values.update(found)
        folded.append(str(operator))
        for name, value in found.items():
            program.replace_by_constant(name, value)
    if folded:
        program.remove_dead()
    return folded


def evaluate(operator: Operator, values: dict[str, Array]) -> dict[str, Array] | None:
    """Compute an operator's results by name, or return None if that isn't possible.

    It isn't possible if an operand isn't constant, the operator isn't supported, an attribute is
    missing, the operands don't fit, the result would have more than `MAX_CONSTANT` values, or a
    number has no counterpart in the result's type.

    Args:
        operator: The operator.
        values: Name → content of each variable that is known.
    """
    function = _FUNCTIONS.get(operator.type)
    if function is None or not all(name in values for name in operator.inputs()):
        return None
    slots = {
        item.parameter: [values[name] for name in item.arguments] for item in operator.desc.inputs
    }
    operands = _Operands(operator, slots)
    try:
        # Paddle gives infinity and NaN without a warning, and networks mask with them.
        with np.errstate(all="ignore"):
            results = function(operands)
    except (KeyError, IndexError, TypeError, ValueError, ArithmeticError, MemoryError):
        return None
    names = [
        name for item in operator.desc.outputs if item.parameter != "XShape"
        for name in item.arguments
    ]  # fmt: skip
    listed = results if isinstance(results, list) else [results]
    if len(listed) != len(names):
        return None
    return dict(zip(names, (np.asarray(item, order="C") for item in listed), strict=True))


def cast(values: Array, dtype: Any) -> Array:
    """Convert values to another type.

    Raises:
        ValueError: A value doesn't fit into an integer type. What a processor makes of it differs
            from one to the next.
    """
    kind = np.dtype(dtype)
    if values.dtype.kind == "f" and kind.kind in "iu" and values.size:
        limits = np.iinfo(kind)
        # As a float64, the largest integer of 64 bits becomes 2**63, which doesn't fit any more.
        if not (values.min() >= limits.min and values.max() < float(limits.max) + 1):
            raise ValueError(f"a value doesn't fit into {kind}")
    return values.astype(kind)


class _Operands:
    """What the functions below see of an operator: its operands and attributes."""

    def __init__(self, operator: Operator, slots: dict[str, list[Array]]) -> None:
        self._operator = operator
        self.slots = slots

    def __getattr__(self, slot: str) -> Array:
        array: Array = self.slots[slot][0]
        return array

    def __getitem__(self, attribute: str) -> Any:
        value = self._operator.attribute(attribute)
        if value is None:
            raise KeyError(f"{self._operator} has no attribute {attribute}")
        return value

    @property
    def dtype(self) -> Any:
        return NUMPY[self["dtype"]]

    def integers(self, attribute: str, *slots: str) -> list[int]:
        """Read a list of integers from the first slot that is filled, or from the attribute."""
        for slot in slots:
            if given := self.slots.get(slot):
                return [int(item) for array in given for item in array.reshape(-1)]
        return [int(item) for item in self[attribute]]


def _binary(function: Callable[[Array, Array], Array]) -> Callable[[_Operands], Array]:
    def run(op: _Operands) -> Array:
        if op["axis"] != -1 and op.X.ndim != op.Y.ndim:
            shape = [1] * op.X.ndim
            shape[op["axis"] : op["axis"] + op.Y.ndim] = op.Y.shape
            other = op.Y.reshape(shape)
        else:
            other = op.Y
        require_affordable(*np.broadcast_shapes(op.X.shape, other.shape))
        return cast(function(op.X, other), op.X.dtype)

    return run


def _number(text: str) -> int | float:
    """Parse a number, an integer as an int, because a float can't keep all digits of 64 bits."""
    try:
        return int(text)
    except ValueError:
        return float(text)


def _fill(op: _Operands) -> Array:
    if op.slots.get("ValueTensor"):
        value = cast(op.ValueTensor, op.dtype)
    else:
        text = op["str_value"]
        value = np.asarray(_number(text) if text else float(op["value"]), op.dtype)
    shape = op.integers("shape", "ShapeTensor", "ShapeTensorList")
    require_affordable(*shape)
    return np.full(shape, value)


def _assign_value(op: _Operands) -> Array:
    for attribute in ("fp32_values", "fp64_values", "int32_values", "int64_values", "bool_values"):
        if listed := op._operator.attribute(attribute):
            array: Array = cast(np.array(listed), op.dtype).reshape(op["shape"])
            return array
    require_affordable(*op["shape"])
    return np.zeros(op["shape"], op.dtype)


def _reshape(op: _Operands) -> Array:
    sizes = op.integers("shape", "ShapeTensor", "Shape")
    return op.X.reshape([op.X.shape[i] if size == 0 else size for i, size in enumerate(sizes)])


def _unsqueeze(op: _Operands) -> Array:
    """Insert one axis after the other, as Paddle does."""
    result = op.X
    for axis in op.integers("axes", "AxesTensor", "AxesTensorList"):
        result = np.expand_dims(result, axis)
    return result


def _concat(op: _Operands) -> Array:
    axis = int(op.AxisTensor.item()) if op.slots.get("AxisTensor") else op["axis"]
    return np.concatenate(op.slots["X"], axis)


def _eye(op: _Operands) -> Array:
    rows, columns = op["num_rows"], op["num_columns"]
    columns = rows if columns < 0 else columns
    require_affordable(rows, columns)
    return np.eye(rows, columns, dtype=op.dtype)


def _scale(op: _Operands) -> Array:
    factor, bias = op.ScaleTensor if op.slots.get("ScaleTensor") else op["scale"], op["bias"]
    if op.X.dtype.kind != "f":  # Paddle truncates both numbers
        factor, bias = (cast(np.asarray(each), op.X.dtype) for each in (factor, bias))
    moved = op.X * factor + bias if op["bias_after_scale"] else (op.X + bias) * factor
    return np.asarray(moved, op.X.dtype)


def _compare(function: Callable[[Array, Array], Array]) -> Callable[[_Operands], Array]:
    def run(op: _Operands) -> Array:
        require_affordable(*np.broadcast_shapes(op.X.shape, op.Y.shape))
        return function(op.X, op.Y)

    return run


def _power(values: Array, exponents: Array) -> Array:
    if values.dtype.kind != "f":
        return np.power(values, exponents)
    return exact.power(values, exponents)


def _norm(op: _Operands) -> Array:
    values, axis = (op.X.reshape(-1), 0) if op["asvector"] else (op.X, op["axis"])
    found = exact.norm(values, op["porder"], axis).astype(op.X.dtype)
    if not op["keepdim"]:
        return found
    return found.reshape([1] * op.X.ndim) if op["asvector"] else np.expand_dims(found, axis)


def _inverse(op: _Operands) -> Array:
    # The elimination takes the cube of a matrix's size.
    require_affordable(*op.Input.shape, op.Input.shape[-1])
    return exact.inverse(op.Input).astype(op.Input.dtype)


def _range(op: _Operands) -> Array:
    start, end, step = (item.reshape(()).item() for item in (op.Start, op.End, op.Step))
    require_affordable(math.ceil((end - start) / step))
    return np.arange(start, end, step, dtype=op.Start.dtype)


def _linspace(op: _Operands) -> Array:
    start, stop, number = (item.reshape(()).item() for item in (op.Start, op.Stop, op.Num))
    require_affordable(int(number))
    return np.linspace(start, stop, int(number)).astype(op.dtype)


def _meshgrid(op: _Operands) -> list[Array]:
    require_affordable(*(item.size for item in op.slots["X"]))
    return list(np.meshgrid(*op.slots["X"], indexing="ij"))


def _tile(op: _Operands) -> Array:
    times = op.integers("repeat_times", "RepeatTimes", "repeat_times_tensor")
    require_affordable(op.X.size, *times)
    return np.tile(op.X, times)


_FUNCTIONS: dict[str, Callable[[_Operands], Array | list[Array]]] = {
    "fill_constant": _fill,
    "assign_value": _assign_value,
    "eye": _eye,
    "linspace": _linspace,
    "range": _range,
    "meshgrid": _meshgrid,
    "assign": lambda op: op.X,
    "cast": lambda op: cast(op.X, NUMPY[op["out_dtype"]]),
    "reshape2": _reshape,
    "transpose2": lambda op: op.X.transpose(op["axis"]),
    "unsqueeze2": _unsqueeze,
    "tile": _tile,
    "stack": lambda op: np.stack(op.slots["X"], op["axis"]),
    "concat": _concat,
    "scale": _scale,
    "elementwise_add": _binary(np.add),
    "elementwise_sub": _binary(np.subtract),
    "elementwise_mul": _binary(np.multiply),
    "elementwise_div": _binary(np.divide),
    "elementwise_pow": _binary(_power),
    "less_than": _compare(np.less),
    "less_equal": _compare(np.less_equal),
    "greater_than": _compare(np.greater),
    "greater_equal": _compare(np.greater_equal),
    "equal": _compare(np.equal),
    "not_equal": _compare(np.not_equal),
    "logical_and": _compare(np.logical_and),
    "logical_or": _compare(np.logical_or),
    "logical_not": lambda op: np.logical_not(op.X),
    "square": lambda op: np.square(op.X),
    "pow": lambda op: cast(_power(op.X, np.asarray(op["factor"])), op.X.dtype),
    "sqrt": lambda op: np.sqrt(op.X),
    "log": lambda op: exact.logarithm(op.X).astype(op.X.dtype),
    "p_norm": _norm,
    "inverse": _inverse,
}
