"""Repetition and moves: values expanded, tiled, reversed and shifted."""

from __future__ import annotations

import numpy as np

from ..call import Call
from ..registry import UnsupportedError, translates
from ..values import Value

# The position before the first element, for slices that go backwards.
BEFORE_THE_FIRST = int(np.iinfo(np.int32).min)


@translates("expand_v2")
def expand(call: Call) -> None:
    """Repeat axes of size 1, and insert axes before the first; -1 keeps a size."""
    x = call.operand()
    sizes = call.integers("shape", "Shape", "expand_shapes_tensor")
    # ONNX keeps a size where 1 is wanted.
    if sizes.array is not None:
        sizes = call.constant(np.where(sizes.array == -1, 1, sizes.array))
    else:
        sizes = call.each("Abs", sizes)
    call.give(call.expand(x, sizes))


@translates("expand_as_v2")
def expand_as(call: Call) -> None:
    """Repeat a value so that it gets the shape of another."""
    x, other = call.operand(), call.optional("Y") or call.optional("target_tensor")
    if other is not None:
        call.give(call.expand(x, call.sizes(other)))
        return
    wanted = call.attribute("target_shape", [])
    if not wanted or min(wanted) < 0:
        raise UnsupportedError(f"its target shape {wanted} isn't known")
    call.give(call.expand(x, wanted))


@translates("broadcast_tensors")
def broadcast_tensors(call: Call) -> None:
    """Repeat values so that all get the shape that they have together."""
    values = call.operands("X")
    given = []
    for index, value in enumerate(values):
        for other in values[:index] + values[index + 1 :]:
            # ONNX's Expand gives the shape of both.
            value = call.expand(value, call.sizes(other))
        given.append(value)
    call.give(given)


@translates("tile")
def tile(call: Call) -> None:
    """Repeat a value along axes; of its shape and the numbers, the shorter gets leading ones."""
    x = call.operand()
    times = call.integers("repeat_times", "RepeatTimes", "repeat_times_tensor")
    length = times.shape[0]
    if length < 0:
        raise UnsupportedError("how many axes it repeats is computed from the input")
    if length < x.rank:
        times = call.vector([call.constant([1] * (x.rank - length)), times])
    x = call.unsqueeze(x, range(length - x.rank))
    shape = [-1] * x.rank
    if times.array is not None:
        numbers = times.array.tolist()
        if set(numbers) <= {1}:
            call.give(x)
            return
        shape = [
            size * number if size >= 0 else -1
            for size, number in zip(x.shape, numbers, strict=True)
        ]
    call.give(call.add("Tile", x, times, shape=shape))


@translates("repeat_interleave")
def repeat_interleave(call: Call) -> None:
    """Repeat each position of an axis, the copies behind each other."""
    x, times = call.operand(), call.attribute("Repeats", 1)
    if call.operands("RepeatsTensor"):
        raise UnsupportedError("how often it repeats is computed from the input")
    axis = x.axis(call.attribute("dim", 0))
    copies = [1] * (x.rank + 1)
    copies[axis + 1] = times
    wide = call.expand(call.unsqueeze(x, [axis + 1]), copies)
    sizes = [call.size(x, each) for each in range(x.rank)]
    sizes[axis] = call.combine("Mul", sizes[axis], times)
    call.give(call.reshape(wide, call.vector(sizes)))


@translates("flip")
def flip(call: Call) -> None:
    """Reverse a value along axes."""
    x = call.operand()
    axes = sorted({x.axis(axis) for axis in call.attribute("axis", [])})
    count = len(axes)
    if axes:
        x = call.slice(x, axes, [-1] * count, [BEFORE_THE_FIRST] * count, [-1] * count)
    call.give(x)


@translates("roll")
def roll(call: Call) -> None:
    """Shift a value along axes, or all its elements in their order.

    What is shifted out at one end comes in at the other.
    """
    x = call.operand()
    shifts = call.integers("shifts", "ShiftsTensor")
    axes = call.attribute("axis", [])
    if shifts.array is None:
        raise UnsupportedError("its shifts are computed from the input")
    whole = x
    if not axes:
        x, axes = call.reshape(x, [-1]), [0]
    if len(axes) != len(shifts.array):
        raise UnsupportedError(f"it has {len(shifts.array)} shifts for {len(axes)} axes")
    for axis, shift in zip(axes, shifts.array.tolist(), strict=True):
        x = _shifted(call, x, x.axis(axis), shift)
    if x.rank != whole.rank:
        x = call.reshape(x, call.sizes(whole))
    call.give(x)


def _shifted(call: Call, x: Value, axis: int, shift: int) -> Value:
    """Rotate a value along an axis, so that its last elements come first."""
    size = call.size(x, axis)
    if size.array is not None:
        moved = call.constant(np.mod([shift], np.maximum(size.array, 1)))
        if not moved.array:
            return x
    else:
        # The remainder isn't negative, as the size isn't; 1 spares a division by an empty axis.
        moved = call.combine("Mod", call.constant([shift]), call.combine("Max", size, 1))
    start = call.combine("Sub", size, moved)
    last = call.slice(x, [axis], start, size)
    first = call.slice(x, [axis], [0], start)
    return call.add("Concat", last, first, axis=axis, shape=x.shape)
