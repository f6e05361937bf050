"""Shapes: values that get other axes, are joined, or are divided."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..call import Call
from ..registry import UnsupportedError, translates
from ..values import Value


@translates("reshape2", "reshape")
def reshape(call: Call) -> None:
    """Write the value in another shape, where 0 keeps a size and one -1 stands for the rest."""
    call.give(call.reshape(call.operand(), call.integers("shape", "Shape", "ShapeTensor")))


@translates("transpose2", "transpose")
def transpose(call: Call) -> None:
    """Write the value with its axes in another order."""
    x = call.operand()
    order = [x.axis(axis) for axis in call.attribute("axis", [])]
    if sorted(order) != list(range(x.rank)):
        raise UnsupportedError(f"its order {order} isn't one of {x.rank} axes")
    call.give(call.transpose(x, order))


def _joined(call: Call, x: Value, first: int, last: int) -> Value:
    """Join neighbouring axes into one."""
    sizes = x.shape[first : last + 1]
    joined = -1 if min(sizes, default=1) < 0 else int(np.prod(sizes))
    before, after = list(x.shape[:first]), list(x.shape[last + 1 :])
    wanted = [0] * len(before) + [joined, *after]
    if sum(size < 0 for size in wanted) <= 1:
        return call.reshape(x, wanted)
    rest = [call.size(x, axis) for axis in range(last + 1, x.rank)]
    shape = call.vector([call.constant([0] * len(before) + [joined]), *rest])
    return call.reshape(x, shape)


@translates("flatten_contiguous_range")
def flatten(call: Call) -> None:
    """Join neighbouring axes into one."""
    x = call.operand()
    if x.rank == 0:
        call.give(call.reshape(x, [1]))
        return
    first = x.axis(call.attribute("start_axis", 1))
    last = x.axis(call.attribute("stop_axis", 1))
    if first > last:
        raise UnsupportedError(f"it joins the axes {first} to {last}")
    call.give(_joined(call, x, first, last))


@translates("flatten2")
def flatten_to_matrix(call: Call) -> None:
    """Join all axes before one, and all from it on."""
    x, axis = call.operand(), call.attribute("axis", 1)
    if not 0 <= axis <= x.rank:
        raise UnsupportedError(f"it divides {x.rank} axes at {axis}")
    sizes = [
        int(np.prod(part)) if min(part, default=1) >= 0 else -1
        for part in (x.shape[:axis], x.shape[axis:])
    ]
    call.give(call.add("Flatten", x, axis=axis, shape=sizes))


@translates("squeeze2")
def squeeze(call: Call) -> None:
    """Remove axes of size 1, all or the listed ones; listed axes of another size stay."""
    x, tensor = call.operand(), call.operands("AxesTensor") + call.operands("AxesTensorList")
    listed = call.vector(tensor) if tensor else None
    axes = call.attribute("axes", [])
    if x.rank == 0:
        call.give(x)
        return
    if listed is not None:
        if listed.array is None:
            raise UnsupportedError("its axes are computed from the input")
        axes = [int(axis) for axis in listed.array]
    wanted = (
        sorted({x.axis(axis) for axis in axes}) if axes or listed is not None else range(x.rank)
    )
    gone = [axis for axis in wanted if x.shape[axis] == 1]
    opened = [axis for axis in wanted if x.shape[axis] < 0]
    if call.scope.inside and opened == [0]:
        opened = []  # the batch stays; shapes that are declared inside loops don't show it
    # Whether axes of an open size go is shown by the number of axes that the result has.
    rank = len(call.result_shape())
    if opened and rank == x.rank - len(gone) - len(opened):
        gone = sorted(gone + opened)
    elif opened and rank != x.rank - len(gone):
        raise UnsupportedError("whether its axes have the size 1 is known when it runs")
    call.give(call.squeeze(x, gone))


@translates("unsqueeze2")
def unsqueeze(call: Call) -> None:
    """Insert axes of size 1, one after the other, so that each counts those before it."""
    x = call.operand()
    listed = call.integers("axes", "AxesTensor", "AxesTensorList")
    if listed.array is None:
        raise UnsupportedError("its axes are computed from the input")
    order = [False] * x.rank
    for axis in listed.array.tolist():
        length = len(order) + 1
        if not -length <= axis < length:
            raise UnsupportedError(f"it inserts axis {axis} into {len(order)} axes")
        order.insert(axis % length, True)
    call.give(call.unsqueeze(x, [axis for axis, new in enumerate(order) if new]))


def _axis(call: Call, x: Value, extra: int = 0) -> int:
    """Return the axis that an attribute or a constant tensor gives, from 0."""
    tensor, axis = call.optional("AxisTensor"), call.attribute("axis", 0)
    if tensor is not None:
        if tensor.array is None:
            raise UnsupportedError("its axis is computed from the input")
        axis = int(tensor.array.item())
    rank = x.rank + extra
    if not -rank <= axis < rank:
        raise UnsupportedError(f"there is no axis {axis} in {rank} axes")
    found: int = axis % rank
    return found


def _concat(call: Call, values: Sequence[Value], axis: int) -> Value:
    if len(values) == 1:
        return values[0]
    if len({value.dtype for value in values}) > 1:
        raise UnsupportedError("its operands have different types")
    known = [value.array for value in values if value.array is not None]
    if len(known) == len(values):
        return call.constant(np.concatenate(known, axis))
    shape = list(values[0].shape)
    for place in range(len(shape)):
        sizes = [value.shape[place] for value in values]
        if place == axis:
            shape[place] = -1 if min(sizes) < 0 else sum(sizes)
        else:
            shape[place] = max(sizes)
    return call.add("Concat", *values, axis=axis, shape=shape)


@translates("concat")
def concat(call: Call) -> None:
    """Join values along an axis."""
    values = call.operands("X")
    if not values:
        raise UnsupportedError("it has no operands")
    call.give(_concat(call, values, _axis(call, values[0])))


@translates("stack")
def stack(call: Call) -> None:
    """Join values along a new axis."""
    values = call.operands("X")
    if not values:
        raise UnsupportedError("it has no operands")
    axis = _axis(call, values[0], 1)
    call.give(_concat(call, [call.unsqueeze(value, [axis]) for value in values], axis), "Y")


@translates("split")
def split(call: Call) -> None:
    """Divide a value along an axis: into equal parts, or into sections of which one may be -1."""
    x = call.operand()
    axis = _axis(call, x)
    count = len(call.operator.output("Out"))
    tensors = call.operands("SectionsTensorList")
    sections = call.attribute("sections", [])
    number = call.attribute("num", 0)
    size = x.shape[axis]
    if tensors:
        lengths: Value | None = _sections(call, x, axis, tensors)
    elif sections and not number:
        lengths = _sections(call, x, axis, [call.constant(sections)])
    elif number != count or (size >= 0 and size % number):
        raise UnsupportedError(f"it can't divide {size} into {number} equal parts")
    else:
        lengths = call.constant([size // number] * number) if size >= 0 else None
    if lengths is not None and lengths.shape != (count,):
        raise UnsupportedError(f"it has {count} results for {lengths.shape[0]} sections")
    known = [-1] * count if lengths is None or lengths.array is None else lengths.array.tolist()
    if count == 1:
        call.give(x)
        return
    outputs = [
        (x.dtype, [length if each == axis else s for each, s in enumerate(x.shape)])
        for length in known
    ]
    equal = {"num_outputs": count} if lengths is None and call.opset >= 18 else {}
    call.give(call.writer.add_many("Split", [x, lengths], outputs, axis=axis, **equal))


def _sections(call: Call, x: Value, axis: int, sections: Sequence[Value]) -> Value:
    """Return the lengths of sections, int64 [n]; that of -1 is what the others leave."""
    lengths, size = call.vector(sections), call.size(x, axis)
    if lengths.array is None:
        others = call.reduce("ReduceSum", call.combine("Max", lengths, 0), [0], keep=True)
        rest = call.combine("Sub", size, others)
        return call.select(call.combine("Less", lengths, 0, bool), rest, lengths)
    known = lengths.array.tolist()
    rests = [place for place, length in enumerate(known) if length < 0]
    if not rests:
        return lengths
    if len(rests) > 1:
        raise UnsupportedError(f"more than one of its sections {known} is open")
    (place,) = rests
    left = call.combine("Sub", size, sum(length for length in known if length >= 0))
    before, after = (
        [call.constant(part)] if part else [] for part in (known[:place], known[place + 1 :])
    )
    return call.vector([*before, left, *after])


def _unstacked(call: Call, slot: str) -> None:
    """Give the parts of a value at each position of an axis, without the axis."""
    x = call.operand()
    axis = _axis(call, x)
    count = len(call.operator.output(slot))
    if x.shape[axis] not in (count, -1):
        raise UnsupportedError(f"it has {count} results for a size of {x.shape[axis]}")
    positions = (call.constant(np.array(index, np.int64)) for index in range(count))
    call.give([call.gather(x, position, axis) for position in positions], slot)


@translates("unbind")
def unbind(call: Call) -> None:
    """Divide a value into its parts along an axis."""
    _unstacked(call, "Out")


@translates("unstack")
def unstack(call: Call) -> None:
    """Divide a value into its parts along an axis."""
    _unstacked(call, "Y")


@translates("shape")
def shape(call: Call) -> None:
    """Write the sizes of a value."""
    call.give(call.cast(call.sizes(call.operand("Input")), call.result_dtype(np.int32)))


@translates("size")
def size(call: Call) -> None:
    """Write the number of elements of a value."""
    x = call.operand("Input")
    if min(x.shape, default=0) >= 0:
        call.give(call.constant(np.array(np.prod(x.shape, dtype=np.int64))))
    else:
        call.give(call.add("Size", x, dtype=np.int64))
