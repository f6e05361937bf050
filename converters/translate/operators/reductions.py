"""Reductions: sums, means, norms, extreme values along axes, and running sums."""

from __future__ import annotations

import math

import numpy as np

from ..call import Call
from ..registry import UnsupportedError, translates
from ..values import Value

_REDUCTIONS = {
    "reduce_sum": "ReduceSum", "reduce_mean": "ReduceMean", "reduce_max": "ReduceMax",
    "reduce_min": "ReduceMin", "reduce_prod": "ReduceProd", "reduce_amax": "ReduceMax",
    "reduce_amin": "ReduceMin", "reduce_any": "ReduceMax", "reduce_all": "ReduceMin",
}  # fmt: skip


def _axes(call: Call, x: Value, attribute: str) -> list[int]:
    """Return the axes to reduce; none for a single number."""
    if call.operands("AxisTensor") or call.operands("AxisTensorList"):
        raise UnsupportedError("its axes are computed from the input")
    listed = call.attribute(attribute, [])
    listed = listed if isinstance(listed, list) else [listed]
    if call.attribute("reduce_all", False) or not listed or x.rank == 0:
        return list(range(x.rank))
    return [x.axis(axis) for axis in listed]


def _reduction(call: Call) -> None:
    kind, x = call.operator.type, call.operand()
    axes = _axes(call, x, "dim")
    if kind in ("reduce_any", "reduce_all"):
        x = call.cast(call.cast(x, bool), np.int32)
    elif kind in ("reduce_sum", "reduce_prod", "reduce_mean"):
        wanted = call.dtype("out_dtype", x.dtype)
        x = call.cast(x, call.result_dtype(wanted))
    elif x.dtype == bool:
        x = call.cast(x, np.int32)
    reduced = call.reduce(_REDUCTIONS[kind], x, axes, keep=call.attribute("keep_dim", False))
    truth = kind in ("reduce_any", "reduce_all")
    call.give(call.cast(reduced, bool) if truth else reduced, typed=truth)


for _type in _REDUCTIONS:
    translates(_type)(_reduction)


@translates("mean")
def mean(call: Call) -> None:
    """Write the mean of all elements."""
    call.give(call.reduce("ReduceMean", call.operand(), [], keep=False))


@translates("logsumexp")
def logsumexp(call: Call) -> None:
    """Write log(Σ exp(x)) along axes."""
    x = call.operand()
    axes = _axes(call, x, "axis")
    keep = call.attribute("keepdim", False)
    call.give(call.reduce("ReduceLogSumExp", x, axes, keep=keep))


def _norm(call: Call, x: Value, order: float, axes: list[int], keep: bool) -> Value:
    """Write the norm of an order along axes."""
    amounts = call.each("Abs", x)
    if math.isinf(order):
        return call.reduce("ReduceMax" if order > 0 else "ReduceMin", amounts, axes, keep=keep)
    if order == 0:
        some = call.each("Not", call.combine("Equal", x, 0.0, bool))
        return call.reduce("ReduceSum", call.cast(some, x.dtype), axes, keep=keep)
    if x.rank == 0:
        return amounts
    if order == 1:
        return call.reduce("ReduceSum", amounts, axes, keep=keep)
    if order == 2:
        return call.reduce("ReduceL2", x, axes, keep=keep)
    powers = call.reduce("ReduceSum", call.combine("Pow", amounts, order), axes, keep=keep)
    return call.combine("Pow", powers, 1 / order)


@translates("p_norm")
def p_norm(call: Call) -> None:
    """Write the norm of an order along one axis, or of all elements."""
    x = call.operand()
    axes = list(range(x.rank))
    if not call.attribute("asvector", False):
        axes = [x.axis(call.attribute("axis", -1))]
    order, keep = call.attribute("porder", 2.0), call.attribute("keepdim", False)
    call.give(_norm(call, x, order, axes, keep))


@translates("frobenius_norm")
def frobenius_norm(call: Call) -> None:
    """Write the square root of the sum of squares along axes."""
    x = call.operand()
    axes = _axes(call, x, "dim")
    call.give(_norm(call, x, 2.0, axes, call.attribute("keep_dim", False)))


@translates("norm")
def normalize(call: Call) -> None:
    """Write x divided by √(Σ x² + epsilon) along an axis, and this root."""
    x = call.operand()
    axis = x.axis(call.attribute("axis", -1))
    squares = call.reduce("ReduceSumSquare", x, [axis], keep=True)
    moved = call.combine("Add", squares, call.attribute("epsilon", 1e-10))
    root = call.each("Sqrt", moved)
    call.give(call.combine("Div", x, root))
    call.give(root, "Norm")


def _position(call: Call) -> None:
    """Write the position of the first greatest or smallest value."""
    x = call.operand()
    kind = {"arg_max": "ArgMax", "arg_min": "ArgMin"}[call.operator.type]
    keep = call.attribute("keepdims", False)
    rank = x.rank
    if call.attribute("flatten", False) or rank == 0:
        x = call.reshape(x, [-1])
        found = call.add(kind, x, axis=0, keepdims=0, dtype=np.int64, shape=())
        found = call.reshape(found, [1] * rank) if keep else found
    else:
        axis = x.axis(call.attribute("axis", -1))
        shape = [
            1 if each == axis else size for each, size in enumerate(x.shape) if keep or each != axis
        ]
        found = call.add(kind, x, axis=axis, keepdims=int(keep), dtype=np.int64, shape=shape)
    call.give(call.cast(found, call.dtype("dtype", np.int64)))


translates("arg_max", "arg_min")(_position)


@translates("cumsum")
def cumsum(call: Call) -> None:
    """Write the sum of the elements so far along an axis."""
    x = call.operand()
    flat = call.attribute("flatten", False)
    if flat:
        x = call.reshape(x, [-1])
    axis = call.constant(np.array(0 if flat else x.axis(call.attribute("axis", -1)), np.int64))
    settings = {name: int(call.attribute(name, False)) for name in ("exclusive", "reverse")}
    wanted = call.result_dtype(x.dtype)
    x = call.cast(x, wanted) if x.dtype == bool else x
    call.give(call.add("CumSum", x, axis, shape=x.shape, **settings))


def _best(call: Call, x: Value, count: Value, axis: int, largest: bool) -> None:
    """Give the greatest or smallest values along an axis, in their order, and their positions."""
    length = int(count.array[0]) if count.array is not None else -1
    shape = [length if each == axis else size for each, size in enumerate(x.shape)]
    outputs = call.writer.add_many(
        "TopK", [x, count], [(x.dtype, shape), (np.int64, shape)],
        axis=axis, largest=int(largest), sorted=1,
    )  # fmt: skip
    call.give(outputs[0])
    call.give(outputs[1], "Indices", typed=True)


@translates("top_k_v2")
def top_k(call: Call) -> None:
    """Write the greatest or smallest values along an axis, and their positions."""
    x, tensor = call.operand(), call.optional("K")
    if tensor is None:
        count = call.constant([call.attribute("k", 1)])
    else:
        count = call.reshape(call.cast(tensor, np.int64), [1])
    axis = x.axis(call.attribute("axis", -1))
    _best(call, x, count, axis, call.attribute("largest", True))


@translates("argsort")
def argsort(call: Call) -> None:
    """Write all values along an axis in their order, and their positions."""
    x = call.operand()
    axis = x.axis(call.attribute("axis", -1))
    _best(call, x, call.size(x, axis), axis, call.attribute("descending", False))
