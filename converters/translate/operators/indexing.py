"""Indexing: elements at places that indices or conditions name, taken out or put in."""

from __future__ import annotations

import numpy as np

from ...paddle.files import require_affordable
from ..call import Call
from ..registry import UnsupportedError, translates
from ..values import Value, broadcast

# The first opset whose scatter operators add, and the first with Trilu.
_ADDING_OPSET = 16
_TRILU_OPSET = 14


@translates("gather")
def gather(call: Call) -> None:
    """Write the parts along an axis that indices choose: a list, or a column [n, 1]."""
    x, index = call.operand(), call.operand("Index")
    tensor, axis = call.optional("Axis"), call.attribute("axis", 0)
    if tensor is not None:
        if tensor.array is None:
            raise UnsupportedError("its axis is computed from the input")
        axis = int(tensor.array.item())
    if index.rank > 1:
        index = call.reshape(index, [-1])
    call.give(call.gather(x, index, axis))


@translates("lookup_table_v2", "lookup_table")
def lookup_table(call: Call) -> None:
    """Write the rows of a table that indices choose; the row for padding is 0."""
    table, indices = call.operand("W"), call.operand("Ids")
    padding = call.attribute("padding_idx", -1)
    if padding >= 0:
        if table.array is None:
            raise UnsupportedError("its table has a row for padding and is not constant")
        zeroed = table.array.copy()
        zeroed[padding] = 0
        table = call.constant(zeroed)
    if call.operator.type == "lookup_table" and indices.shape[-1:] == (1,):
        indices = call.squeeze(indices, [-1])
    call.give(call.gather(table, indices))


@translates("index_select")
def index_select(call: Call) -> None:
    """Write the parts along an axis that a list of indices chooses."""
    call.give(call.gather(call.operand(), call.operand("Index"), call.attribute("dim", 0)))


@translates("gather_nd")
def gather_nd(call: Call) -> None:
    """Write the parts that a table chooses, each row of which indexes the first axes."""
    x, index = call.operand(), call.cast(call.operand("Index"), np.int64)
    depth = index.shape[-1] if index.rank else -1
    if not 0 < depth <= x.rank:
        raise UnsupportedError(f"it indexes {depth} of {x.rank} axes")
    call.give(call.add("GatherND", x, index, shape=index.shape[:-1] + x.shape[depth:]))


@translates("index_sample")
def index_sample(call: Call) -> None:
    """Write the elements of each row that a row of indices chooses."""
    x, index = call.operand(), call.operand("Index")
    call.give(call.add("GatherElements", x, index, axis=1, shape=index.shape))


@translates("take_along_axis")
def take_along_axis(call: Call) -> None:
    """Write, for each place of an index tensor, the element along an axis that it names."""
    x, index = call.operand("Input"), call.operand("Index")
    axis = x.axis(call.attribute("Axis", 0))
    call.give(call.add("GatherElements", x, index, axis=axis, shape=index.shape), "Result")


@translates("put_along_axis")
def put_along_axis(call: Call) -> None:
    """Write a value with elements replaced or added to, where a tensor of indices says."""
    x, index, new = call.operand("Input"), call.operand("Index"), call.operand("Value")
    how = call.attribute("Reduce", "assign")
    reductions = {"assign": None, "add": "add", "mul": "mul", "multiply": "mul"}
    if not call.attribute("Include_self", True):
        raise UnsupportedError("it reduces without the element that is there")
    if how not in reductions:
        raise UnsupportedError(f"its reduction {how!r:.20} isn't translated")
    reduction = reductions[how]
    if reduction is not None:
        call.require_opset(_ADDING_OPSET)
    new = call.expand(new, call.sizes(index))
    axis = x.axis(call.attribute("Axis", 0))
    put = call.add("ScatterElements", x, index, new, axis=axis, reduction=reduction, shape=x.shape)
    call.give(put, "Result")


@translates("scatter")
def scatter(call: Call) -> None:
    """Write a value with rows replaced, or, if not `overwrite`, set to the sum of new rows."""
    x, index = call.operand(), call.cast(call.operand("Ids"), np.int64)
    new = call.operand("Updates")
    if index.rank == 0:  # one row, without an axis for their number
        index = call.unsqueeze(index, [0])
        new = call.unsqueeze(new, range(x.rank - new.rank))
    if index.rank == 1:
        index = call.unsqueeze(index, [-1])
    if not call.attribute("overwrite", True):
        call.require_opset(_ADDING_OPSET)
        zeros = call.combine("Sub", new, new)
        x = call.add("ScatterND", x, index, zeros, shape=x.shape)
        call.give(call.add("ScatterND", x, index, new, reduction="add", shape=x.shape))
        return
    call.give(call.add("ScatterND", x, index, new, shape=x.shape))


@translates("scatter_nd_add")
def scatter_nd_add(call: Call) -> None:
    """Write a value with parts added where a table of indices says."""
    call.require_opset(_ADDING_OPSET)
    x, index = call.operand(), call.cast(call.operand("Index"), np.int64)
    new = call.operand("Updates")
    call.give(call.add("ScatterND", x, index, new, reduction="add", shape=x.shape))


@translates("index_put")
def index_put(call: Call) -> None:
    """Write a value with parts replaced or added to, at places that index tensors give together."""
    x, new = call.operand("x"), call.operand("value")
    indices = call.operands("indices")
    if any(index.dtype == bool for index in indices):
        if len(indices) > 1 or new.shape not in ((), (1,)) or call.attribute("accumulate", False):
            raise UnsupportedError("it puts several values where a condition is true")
        mask = call.unsqueeze(indices[0], range(indices[0].rank, x.rank))
        call.give(call.select(mask, new, x), "out")
        return
    indices = [call.cast(index, np.int64) for index in indices]
    whole = indices[0]
    for index in indices[1:]:
        whole = call.combine("Add", whole, index)  # only its shape is used
    sizes = call.sizes(whole)
    columns = [call.unsqueeze(call.expand(index, sizes), [-1]) for index in indices]
    table = columns[0]
    if len(columns) > 1:
        table = call.add("Concat", *columns, axis=-1, shape=(*whole.shape, len(columns)))
    rest = [call.size(x, axis) for axis in range(len(indices), x.rank)]
    new = call.expand(new, call.vector([sizes, *rest]))
    adding = call.attribute("accumulate", False)
    if adding:
        call.require_opset(_ADDING_OPSET)
    put = call.add("ScatterND", x, table, new, reduction="add" if adding else None, shape=x.shape)
    call.give(put, "out")


@translates("masked_fill")
def masked_fill(call: Call) -> None:
    """Write a value where a mask is true, and the elements of another elsewhere."""
    x, mask, new = call.operand(), call.operand("Mask"), call.operand("Value")
    call.give(call.select(mask, call.cast(new, x.dtype), x))


@translates("diag_v2")
def diagonal(call: Call) -> None:
    """Write a matrix with a list as a diagonal and a number elsewhere, or a matrix's diagonal."""
    x, offset = call.operand(), call.attribute("offset", 0)
    if min(x.shape, default=-1) < 0 or x.rank > 2:
        raise UnsupportedError("it needs a list or a matrix of a known size")
    down, right = max(-offset, 0), max(offset, 0)
    whole = min(x.shape[0] - down, x.shape[-1] - right)
    length = max(whole, 0) if x.rank == 2 else x.shape[0]
    steps = np.arange(length)
    places = call.constant(np.stack([steps + down, steps + right], axis=1))
    if x.rank == 2:
        call.give(call.add("GatherND", x, places, shape=(length,)))
        return
    require_affordable(length + abs(offset), length + abs(offset))
    size = (length + abs(offset),) * 2
    rest = np.full(size, call.attribute("padding_value", 0.0)).astype(x.dtype)
    if x.array is not None:
        rest[places.array[:, 0], places.array[:, 1]] = x.array  # type: ignore[index]
        call.give(call.constant(rest))
        return
    call.give(call.add("ScatterND", call.constant(rest), places, x, shape=size))


@translates("where")
def where(call: Call) -> None:
    """Write the elements of one value where a condition is true, and of another elsewhere."""
    condition, x, y = (call.operand(slot) for slot in ("Condition", "X", "Y"))
    if x.dtype != y.dtype:
        raise UnsupportedError(f"its operands have different types, {x.dtype} and {y.dtype}")
    call.give(call.select(call.cast(condition, bool), x, y))


@translates("where_index")
def where_index(call: Call) -> None:
    """Write the indices of the elements that aren't 0, a row for each."""
    x = call.operand("Condition")
    if x.rank == 0:
        raise UnsupportedError("its operand has no axes")
    found = call.add("NonZero", x, dtype=np.int64, shape=(x.rank, -1))
    call.give(call.transpose(found, [1, 0]))


@translates("masked_select")
def masked_select(call: Call) -> None:
    """Write the elements where a mask is true, as a list."""
    x, mask = call.operand(), call.operand("Mask")
    if x.shape != mask.shape:
        shape = broadcast(x, mask)
        x = call.expand(x, call.sizes(mask)) if x.shape != shape else x
        mask = call.expand(mask, call.sizes(x))
    flat = call.reshape(mask, [-1])
    call.give(call.add("Compress", call.reshape(x, [-1]), flat, axis=0, shape=(-1,)), "Y")


@translates("one_hot_v2")
def one_hot(call: Call) -> None:
    """Write 1 at the index of each element along a new last axis, or only 0 if it is too large."""
    x, tensor = call.operand(), call.optional("depth_tensor")
    wanted = call.dtype("dtype", np.float32)
    if tensor is None:
        count = call.attribute("depth", 1)
        require_affordable(count)
        numbers = call.constant(np.arange(count, dtype=x.dtype))
    else:
        zero, one = (call.constant(np.array(number, x.dtype)) for number in (0, 1))
        last = call.number(call.cast(tensor, x.dtype))
        numbers = call.add("Range", zero, last, one, shape=(-1,))
    same = call.combine("Equal", call.unsqueeze(x, [-1]), numbers, bool)
    call.give(call.cast(same, call.result_dtype(wanted)))


@translates("tril_triu")
def tril_triu(call: Call) -> None:
    """Write the values below or above a diagonal of the last two axes, and 0 elsewhere."""
    x, diagonal = call.operand(), call.attribute("diagonal", 0)
    lower = call.attribute("lower", True)
    if x.rank < 2:
        raise UnsupportedError(f"its operand has {x.rank} axes")
    if call.opset >= _TRILU_OPSET and x.dtype != np.int32:
        place = call.constant(np.array(diagonal, np.int64))
        call.give(call.add("Trilu", x, place, upper=int(not lower), shape=x.shape))
        return
    rows, columns = (_numbers(call, x, axis) for axis in (-2, -1))
    distance = call.combine("Sub", columns, call.unsqueeze(rows, [1]))
    kept = call.combine("LessOrEqual" if lower else "GreaterOrEqual", distance, diagonal, bool)
    if x.dtype == bool:
        call.give(call.combine("And", kept, x))
    else:
        call.give(call.select(kept, x, call.constant(0, x.dtype)))


def _numbers(call: Call, x: Value, axis: int) -> Value:
    """Return the positions along an axis, int64 [size]."""
    size = x.shape[x.axis(axis)]
    if size >= 0:
        require_affordable(size)
        return call.constant(np.arange(size, dtype=np.int64))
    zero, one = (call.constant(np.array(number, np.int64)) for number in (0, 1))
    return call.add("Range", zero, call.number(call.size(x, axis)), one, shape=(-1,))
