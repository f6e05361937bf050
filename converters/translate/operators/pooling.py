"""Pooling: the largest or the mean value of each window."""

from __future__ import annotations

import numpy as np

from ...paddle.files import require_affordable
from ..call import Call
from ..registry import UnsupportedError, translates
from ..values import Value
from .convolution import explicit_padding, same_padding
from .layouts import channels_first, give_in_layout

# The most cells along an axis of adaptive pooling; each may become a node of its own.
MOST_CELLS = 1024


@translates("pool2d")
def pool2d(call: Call) -> None:
    """Write pooling over windows, over the whole plane, or over a grid of cells."""
    x = channels_first(call, "data_format", "X")
    kind = call.attribute("pooling_type", "max")
    if kind not in ("max", "avg"):
        raise UnsupportedError(f"its pooling type {kind!r:.20} is unknown")
    cells = [int(size) for size in call.attribute("ksize", [])]
    adaptive = call.attribute("adaptive", False)
    if call.attribute("global_pooling", False) or (adaptive and cells == [1, 1]):
        whole = {"max": "GlobalMaxPool", "avg": "GlobalAveragePool"}[kind]
        made = call.add(whole, x, shape=(*x.shape[:2], 1, 1))
    elif adaptive:
        made = _cells(call, x, cells, kind)
    else:
        made = _windows(call, x, kind)
    give_in_layout(call, made, "data_format", "Out")


def _windows(call: Call, x: Value, kind: str) -> Value:
    kernel = call.attribute("ksize", [])
    sides = len(kernel)
    strides = call.attribute("strides", [1] * sides)
    before, after = explicit_padding(call, sides)
    same = call.attribute("padding_algorithm", "EXPLICIT") == "SAME"
    counts_padding = kind == "avg" and not call.attribute("exclusive", True)
    # ONNX Runtime's own SAME fails where a stride skips the end of the input.
    skips = any(reach < stride for reach, stride in zip(kernel, strides, strict=True))
    if same and (counts_padding or skips):
        before, after = same_padding(x, kernel, strides)
        same = False
    longer = call.attribute("ceil_mode", False) and not same
    if longer:  # the last window may reach beyond the padding, so more is added behind
        after = [size + stride - 1 for size, stride in zip(after, strides, strict=True)]
    if counts_padding and after != before:
        # Paddle counts the padding behind the input only up to the amount before the input.
        counted = [min(one, other) for one, other in zip(before, after, strict=True)]
        x = _surrounded(call, x, before, counted)
        after = [size - part for size, part in zip(after, counted, strict=True)]
        before = [0] * sides
        counts_padding = False
    if any(size >= width for size, width in zip([*before, *after], [*kernel] * 2, strict=True)):
        extended = ", with what ceil_mode adds," if longer else ""
        raise UnsupportedError(f"its padding{extended} is as wide as its window")
    spatial = []
    for size, reach, stride, one, other in zip(
        x.shape[2:], kernel, strides, before, after, strict=True
    ):
        padded = (size + one + other - reach) // stride + 1
        spatial.append(-1 if size < 0 else -(-size // stride) if same else padded)
    settings = {
        "kernel_shape": kernel,
        "strides": strides,
        "pads": None if same else [*before, *after],
        "auto_pad": "SAME_UPPER" if same else None,
    }
    if kind == "avg":
        settings["count_include_pad"] = int(counts_padding)
    operator = {"max": "MaxPool", "avg": "AveragePool"}[kind]
    return call.add(operator, x, shape=(*x.shape[:2], *spatial), **settings)


def _surrounded(call: Call, x: Value, before: list[int], after: list[int]) -> Value:
    """Put zeros before and behind a value along its spatial axes."""
    if not any([*before, *after]):
        return x
    sizes = [
        size + one + other if size >= 0 else -1
        for size, one, other in zip(x.shape[2:], before, after, strict=True)
    ]
    pads, zero = call.constant([0, 0, *before, 0, 0, *after]), call.constant(0.0, x.dtype)
    return call.add("Pad", x, pads, zero, mode="constant", shape=(*x.shape[:2], *sizes))


def _cells(call: Call, x: Value, cells: list[int], kind: str) -> Value:
    """Pool over a grid of cells, which overlap if their number doesn't divide the input's size."""
    if len(cells) != 2 or not 1 <= min(cells) <= max(cells) <= MOST_CELLS:
        raise UnsupportedError(f"its numbers of cells, {cells}, aren't two from 1 to {MOST_CELLS}")
    sizes = x.shape[2:]
    if min(sizes) > 0 and all(
        size % number == 0 for size, number in zip(sizes, cells, strict=True)
    ):
        window = [size // number for size, number in zip(sizes, cells, strict=True)]
        if window == [1, 1]:
            return x
        operator = {"max": "MaxPool", "avg": "AveragePool"}[kind]
        shape = (*x.shape[:2], *cells)
        return call.add(operator, x, kernel_shape=window, strides=window, shape=shape)
    for axis, number in zip((2, 3), cells, strict=True):
        x = (_means if kind == "avg" else _maxima)(call, x, axis, number)
    return x


def _means(call: Call, x: Value, axis: int, number: int) -> Value:
    """Average over cells along an axis: a product with a matrix that has the cells' shares."""
    if number == 1:
        return call.reduce("ReduceMean", x, [axis], keep=True)
    shape = list(x.shape)
    shape[axis] = number
    weights = _shares(call, x, axis, number)  # [positions, cells]
    if axis == 3:
        return call.add("MatMul", x, weights, shape=shape)
    return call.add("MatMul", call.transpose(weights, [1, 0]), x, shape=shape)


def _shares(call: Call, x: Value, axis: int, number: int) -> Value:
    """Return the share that each position has in each cell, float [positions, cells].

    Cell i reaches from floor(i · size / number) to ceil((i + 1) · size / number).
    """
    cells = np.arange(number)
    size = x.shape[axis]
    if size >= 0:
        require_affordable(size, number)
        first, end = cells * size // number, -(-(cells + 1) * size // number)
        position = np.arange(size)[:, None]
        inside = (position >= first) & (position < end)
        return call.constant((inside / (end - first)).astype(x.dtype))
    length = call.size(x, axis)
    starts = call.combine("Div", call.combine("Mul", call.constant(cells), length), number)
    beyond = call.combine("Mul", call.constant(cells + 1), length)
    ends = call.combine("Div", call.combine("Add", beyond, number - 1), number)
    zero, one = (call.constant(np.array(value, np.int64)) for value in (0, 1))
    positions = call.add("Range", zero, call.number(length), one, shape=(-1,))
    rows = call.unsqueeze(positions, [1])
    in_cell = call.combine(
        "And",
        call.combine("GreaterOrEqual", rows, starts, bool),
        call.combine("Less", rows, ends, bool),
    )
    width = call.cast(call.combine("Sub", ends, starts), x.dtype)
    return call.combine("Div", call.cast(in_cell, x.dtype), width)


def _maxima(call: Call, x: Value, axis: int, number: int) -> Value:
    if number == 1:
        return call.reduce("ReduceMax", x, [axis], keep=True)
    size = x.shape[axis]
    if size < 0:
        raise UnsupportedError("its cells depend on the size of its input")
    parts = []
    for cell in range(number):
        first, end = cell * size // number, -(-(cell + 1) * size // number)
        part = call.slice(x, [axis], [first], [end])
        parts.append(call.reduce("ReduceMax", part, [axis], keep=True))
    shape = list(x.shape)
    shape[axis] = number
    return call.add("Concat", *parts, axis=axis, shape=shape)
