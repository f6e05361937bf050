"""Slices: parts of values between positions, and values that are written into such parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...paddle.files import require_affordable
from ..call import Call
from ..registry import UnsupportedError, translates
from ..values import Value, contradict
from .creation import VALUES
from .repetition import BEFORE_THE_FIRST

_TO_THE_END = int(np.iinfo(np.int32).max)


@translates("slice")
def slice_(call: Call) -> None:
    """Write a part of a value; axes in `decrease_axis`, each of one position, are removed."""
    x = call.operand("Input")
    axes = [x.axis(axis) for axis in call.attribute("axes", [])]
    starts = call.integers("starts", "StartsTensor", "StartsTensorList")
    ends = call.integers("ends", "EndsTensor", "EndsTensorList")
    if not starts.shape == ends.shape == (len(axes),):
        raise UnsupportedError(f"it has not one start and one end for each of {len(axes)} axes")
    gone = [x.axis(axis) for axis in call.attribute("decrease_axis", [])]
    if starts.array is not None and ends.array is not None:
        # Where one position is taken, a start of -1 and an end of 0 mean the last position.
        last = [
            axis in gone and start == -1 and end == 0
            for axis, start, end in zip(axes, starts.array, ends.array, strict=True)
        ]
        ends = call.constant(np.where(last, _TO_THE_END, ends.array))
    else:
        x, axes, starts, ends = _taken(call, x, axes, starts, ends, gone)
    if axes:
        x = call.slice(x, axes, starts, ends)
    call.give(call.squeeze(x, gone))


def _taken(
    call: Call, x: Value, axes: list[int], starts: Value, ends: Value, gone: list[int]
) -> tuple[Value, list[int], Value, Value]:
    """Take single positions along the axes that are removed; return what is left to slice.

    They aren't sliced, because for a computed start of -1, the last position, the end would be 0,
    which is before all positions.
    """
    places = [place for place, axis in enumerate(axes) if axis in gone]
    for place in places:
        position = call.gather(starts, call.constant([place]))
        x = call.gather(x, position, axes[place])
    rest = [place for place in range(len(axes)) if place not in places]
    kept = call.constant(np.array(rest, np.int64))
    if places:
        starts, ends = call.gather(starts, kept), call.gather(ends, kept)
    return x, [axes[place] for place in rest], starts, ends


@translates("strided_slice")
def strided_slice(call: Call) -> None:
    """Write every n-th position, forwards or backwards."""
    x = call.operand("Input")
    axes = [x.axis(axis) for axis in call.attribute("axes", [])]
    starts = call.integers("starts", "StartsTensor", "StartsTensorList")
    ends = call.integers("ends", "EndsTensor", "EndsTensorList")
    steps = call.integers("strides", "StridesTensor", "StridesTensorList")
    if not starts.shape == ends.shape == steps.shape == (len(axes),):
        raise UnsupportedError(f"it has not one start, end and step for each of {len(axes)} axes")
    back = _backwards(steps)
    ends = _before_the_first(call, ends, back)
    if axes:
        x = call.slice(x, axes, starts, ends, steps)
    x = call.squeeze(x, call.attribute("decrease_axis", []))
    declared = call.result_shape()
    if back.any() and len(declared) == x.rank and contradict(x.shape, declared):
        # Paddle 2.6 leaves the first position out if the end is a number far before it.
        raise UnsupportedError(
            "it ends before the first position, which Paddle 2 and 3 understand differently"
        )
    call.give(x)


def _backwards(steps: Value) -> NDArray[np.bool_]:
    """Return which steps go backwards, bool [n].

    Raises:
        UnsupportedError: If the steps aren't constant, or one of them is 0.
    """
    if steps.array is None:
        raise UnsupportedError("its strides are computed from the input")
    if not steps.array.all():
        raise UnsupportedError("one of its strides is 0")
    return np.asarray(steps.array < 0)


def _before_the_first(call: Call, ends: Value, back: NDArray[np.bool_]) -> Value:
    """Return the ends of slices as ONNX counts them.

    Where the steps go backwards, an end of -1 is before the first position in Paddle 2's programs.
    In Paddle 3's, whose lowering sets an attribute, it is the last position, as in ONNX.
    """
    if not back.any() or call.attribute("ends_from_the_end", False):
        return ends
    if ends.array is not None:
        return call.constant(np.where(back & (ends.array == -1), BEFORE_THE_FIRST, ends.array))
    first = call.each("And", call.combine("Equal", ends, -1, bool), call.constant(back))
    return call.select(first, call.constant([BEFORE_THE_FIRST]), ends)


@translates("crop_tensor")
def crop(call: Call) -> None:
    """Write the part of a shape from an offset on; a size of -1 goes to the end."""
    x = call.operand()
    shape = call.integers("shape", "Shape", "ShapeTensor")
    offsets = call.integers("offsets", "Offsets", "OffsetsTensor")
    if not shape.shape == offsets.shape == (x.rank,):
        raise UnsupportedError("its shape and offsets aren't those of its operand's axes")
    ends = call.combine("Add", offsets, shape)
    if shape.array is not None:
        to_end = shape.array == -1
        if to_end.any():
            ends = call.each(
                "Where", call.constant(to_end), call.constant([_TO_THE_END]), ends, dtype=np.int64
            )
    call.give(call.slice(x, range(x.rank), offsets, ends))


@translates("set_value")
def set_value(call: Call) -> None:
    """Write a value with a part replaced.

    The part's positions among all elements are found by slicing their numbers in the same way.
    """
    x = call.operand("Input")
    if call.attribute("none_axes", []):
        raise UnsupportedError("it inserts axes into the part that it replaces")
    new = call.optional("ValueTensor")
    if new is None:
        new = _listed(call, x)
    if new.dtype != x.dtype:
        raise UnsupportedError(f"it puts {new.dtype} into {x.dtype}")
    axes = [x.axis(axis) for axis in call.attribute("axes", [])]
    starts = call.integers("starts", "StartsTensorList")
    ends = call.integers("ends", "EndsTensorList")
    steps = call.integers("steps", "StepsTensorList")
    places = _places(call, x)
    if axes:
        ends = _before_the_first(call, ends, _backwards(steps))
        places = call.slice(places, axes, starts, ends, steps)
    gone = [x.axis(axis) for axis in call.attribute("decrease_axes", [])]
    part = call.squeeze(places, gone)
    # Paddle lets the new value have more axes than the part; those are of size 1.
    surplus = max(new.rank - part.rank, 0)
    new = call.expand(call.squeeze(new, range(surplus)), call.sizes(part))
    flat = call.add(
        "ScatterElements", call.reshape(x, [-1]), call.reshape(places, [-1]),
        call.reshape(new, [-1]), axis=0, shape=(-1,),
    )  # fmt: skip
    call.give(replace(call.reshape(flat, call.sizes(x)), shape=x.shape))


def _listed(call: Call, x: Value) -> Value:
    """Return the new value that attributes list."""
    sizes = call.attribute("shape", [])
    for name in VALUES:
        if listed := call.attribute(name):
            return call.constant(np.array(listed).reshape(sizes).astype(x.dtype))
    raise UnsupportedError("its new values are missing")


def _places(call: Call, x: Value) -> Value:
    """Return the number of each element, int64 in the shape of a value."""
    if min(x.shape, default=0) >= 0:
        require_affordable(*x.shape)
        count = int(np.prod(x.shape))
        return call.constant(np.arange(count, dtype=np.int64).reshape(x.shape))
    zero, one = (call.constant(np.array(number, np.int64)) for number in (0, 1))
    count_of_all = call.add("Size", x, dtype=np.int64)
    numbers = call.add("Range", zero, count_of_all, one, shape=(-1,))
    return call.reshape(numbers, call.sizes(x))
