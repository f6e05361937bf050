"""The nodes that the translations of many operators write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from onnx import helper

from .values import Value, broadcast
from .writer import Writer


class Nodes:
    """Writes the nodes that many operators need; what follows from constants is computed at once.

    Attributes:
        writer: The graph so far.
        opset: The version of ONNX's operators that is written.
    """

    def __init__(self, writer: Writer) -> None:
        """Write into a graph."""
        self.writer = writer
        self.opset = writer.opset

    def add(self, kind: str, *inputs: Value | None, **settings: Any) -> Value:
        """Add a node with one output; see `Writer.add`."""
        return self.writer.add(kind, inputs, **settings)

    def constant(self, array: Any, dtype: Any = None) -> Value:
        """Return a constant; see `Writer.constant`."""
        return self.writer.constant(array, dtype)

    def cast(self, value: Value, dtype: Any) -> Value:
        """Return a value with elements of another type; the value itself if it has that type."""
        wanted = np.dtype(dtype)
        if value.dtype == wanted:
            return value
        if value.array is not None:
            return self.constant(value.array.astype(wanted))
        kind = helper.np_dtype_to_tensor_dtype(wanted)
        return self.add("Cast", value, dtype=wanted, shape=value.shape, to=kind)

    # Sizes: constants, or numbers that are known only when the graph runs

    def sizes(self, value: Value) -> Value:
        """Return the shape of a value, int64 [rank]; a constant if all sizes are known."""
        if min(value.shape, default=0) >= 0:
            return self.constant(np.array(value.shape, np.int64))
        return self.add("Shape", value, dtype=np.int64, shape=(value.rank,))

    def size(self, value: Value, axis: int) -> Value:
        """Return the size of an axis, int64 [1]; a constant if it is known."""
        axis = value.axis(axis)
        if value.shape[axis] >= 0:
            return self.constant([value.shape[axis]])
        shape = self.add("Shape", value, dtype=np.int64, shape=(value.rank,))
        return self.add("Gather", shape, self.constant([axis]), axis=0, shape=(1,))

    def vector(self, parts: Iterable[Value]) -> Value:
        """Join numbers and lists of numbers into int64 [n]; a constant if all are known."""
        flat = []
        for part in parts:
            part = self.cast(part, np.int64)
            if part.rank == 0:
                # By Unsqueeze, which optimizers remove together with the Squeeze before it.
                part = self.unsqueeze(part, [0])
            flat.append(part if part.rank == 1 else self.reshape(part, [-1]))
        known = [part.array for part in flat if part.array is not None]
        if len(known) == len(flat):
            return self.constant(np.concatenate(known))
        if len(flat) == 1:
            return flat[0]
        length = sum(part.shape[0] for part in flat) if min(p.shape[0] for p in flat) >= 0 else -1
        return self.add("Concat", *flat, axis=0, shape=(length,))

    # Other shapes

    def reshape(self, value: Value, sizes: Value | Sequence[int]) -> Value:
        """Return a value in another shape; 0 keeps a size, and -1 stands for the rest."""
        if not isinstance(sizes, Value):
            sizes = self.constant(np.array(sizes, np.int64))
        if value.array is not None and sizes.array is not None:
            wanted = [
                value.shape[axis] if size == 0 else int(size)
                for axis, size in enumerate(sizes.array)
            ]
            return self.constant(value.array.reshape(wanted))
        length = sizes.shape[0]
        shape: tuple[int, ...] = (-1,) * max(length, 0)
        if sizes.array is not None:
            shape = tuple(
                (value.shape[axis] if axis < value.rank else -1) if size == 0 else int(size)
                for axis, size in enumerate(sizes.array)
            )
        return self.add("Reshape", value, sizes, shape=shape)

    def transpose(self, value: Value, order: Sequence[int]) -> Value:
        """Return a value with its axes in another order."""
        if list(order) == list(range(value.rank)):
            return value
        if value.array is not None:
            return self.constant(np.ascontiguousarray(value.array.transpose(order)))
        shape = tuple(value.shape[axis] for axis in order)
        return self.add("Transpose", value, perm=list(order), shape=shape)

    # Frequent nodes; those of constants are computed at once

    def combine(self, kind: str, x: Value, y: Value | float, dtype: Any = None) -> Value:
        """Return what an operator gives for two values, which are broadcast.

        Args:
            kind: ONNX's operator.
            x: The first value.
            y: The second value, or a number, which gets the type of `x`.
            dtype: NumPy's type of the result; by default that of `x`.
        """
        if not isinstance(y, Value):
            y = self.constant(y, x.dtype)
        folds = kind in _INTEGERS and x.dtype.kind == "i"
        if folds and x.array is not None and y.array is not None:
            return self.constant(_INTEGERS[kind](x.array, y.array))
        return self.add(kind, x, y, dtype=dtype, shape=broadcast(x, y))

    def each(self, kind: str, *values: Value | None, dtype: Any = None, **attributes: Any) -> Value:
        """Return what an operator gives for each element of values, which are broadcast.

        Args:
            kind: ONNX's operator.
            values: The values; None leaves an optional one out.
            dtype: NumPy's type of the result; by default that of the first value.
            attributes: The node's attributes.
        """
        shape = broadcast(*(value for value in values if value is not None))
        return self.add(kind, *values, dtype=dtype, shape=shape, **attributes)

    def select(self, condition: Value, x: Value, y: Value) -> Value:
        """Return the elements of one value where a condition is true, and of another elsewhere."""
        if x.dtype != bool:
            return self.each("Where", condition, x, y, dtype=x.dtype)
        # ONNX Runtime has no Where for booleans.
        rest = self.combine("And", self.each("Not", condition), y)
        return self.combine("Or", self.combine("And", condition, x), rest)

    def reduce(self, kind: str, value: Value, axes: Iterable[int], *, keep: bool) -> Value:
        """Return a reduction over axes, or over all axes if none are given.

        Args:
            kind: ONNX's operator.
            value: The value.
            axes: The axes.
            keep: Whether they stay, with the size 1.
        """
        listed = sorted({value.axis(axis) for axis in axes}) or list(range(value.rank))
        sizes = enumerate(value.shape)
        shape = [
            1 if axis in listed else size for axis, size in sizes if keep or axis not in listed
        ]
        if not listed:
            return value
        if kind == "ReduceSum" or self.opset >= 18:
            over = self.constant(listed)
            return self.add(kind, value, over, keepdims=int(keep), shape=shape)
        return self.add(kind, value, axes=listed, keepdims=int(keep), shape=shape)

    def number(self, value: Value) -> Value:
        """Return a value of one element as a number, which has no axes."""
        return value if value.rank == 0 else self.reshape(value, [])

    def squeeze(self, value: Value, axes: Iterable[int]) -> Value:
        """Return a value without some axes of size 1."""
        gone = sorted({value.axis(axis) for axis in axes})
        if not gone:
            return value
        if value.array is not None:
            return self.constant(value.array.squeeze(tuple(gone)))
        shape = [size for axis, size in enumerate(value.shape) if axis not in gone]
        return self.add("Squeeze", value, self.constant(gone), shape=shape)

    def unsqueeze(self, value: Value, axes: Iterable[int]) -> Value:
        """Return a value with further axes of size 1, which are numbered as in the result."""
        listed = list(axes)
        rank = value.rank + len(listed)
        new = sorted(axis % rank for axis in listed)
        if not new:
            return value
        if value.array is not None:
            return self.constant(np.expand_dims(value.array, tuple(new)))
        sizes = iter(value.shape)
        shape = [1 if axis in new else next(sizes) for axis in range(rank)]
        return self.add("Unsqueeze", value, self.constant(new), shape=shape)

    def slice(
        self,
        value: Value,
        axes: Sequence[int],
        starts: Value | Sequence[int],
        ends: Value | Sequence[int],
        steps: Value | Sequence[int] | None = None,
    ) -> Value:
        """Return a part of a value; starts, ends and steps as ONNX's Slice takes them."""
        axes = [value.axis(axis) for axis in axes]
        given = [starts, ends, [1] * len(axes) if steps is None else steps]
        bounds = [item if isinstance(item, Value) else self.constant(item) for item in given]
        shape = list(value.shape)
        known = [item.array for item in bounds if item.array is not None]
        if len(known) == 3:
            parts = [_part(*map(int, item)) for item in zip(*known, strict=True)]
            if value.array is not None:
                index = [slice(None)] * value.rank
                for axis, part in zip(axes, parts, strict=True):
                    index[axis] = part
                return self.constant(np.ascontiguousarray(value.array[tuple(index)]))
            for axis, part in zip(axes, parts, strict=True):
                if shape[axis] >= 0:
                    shape[axis] = len(range(*part.indices(shape[axis])))
        else:
            for axis in axes:
                shape[axis] = -1
        if steps is None:
            bounds.pop()
        return self.add("Slice", value, *bounds[:2], self.constant(axes), *bounds[2:], shape=shape)

    def gather(self, value: Value, index: Value, axis: int = 0) -> Value:
        """Return the parts of a value along an axis that an index of any shape chooses."""
        axis = value.axis(axis)
        if value.array is not None and index.array is not None and value.array.size <= 4096:
            return self.constant(value.array.take(index.array, axis))
        shape = value.shape[:axis] + index.shape + value.shape[axis + 1 :]
        return self.add("Gather", value, index, axis=axis, shape=shape)

    def expand(self, value: Value, sizes: Value | Sequence[int]) -> Value:
        """Return a value broadcast to sizes, where 1 keeps the value's size."""
        if not isinstance(sizes, Value):
            sizes = self.constant(np.array(sizes, np.int64))
        length = sizes.shape[0]
        shape: tuple[int, ...] = (-1,) * max(length, value.rank)
        if sizes.array is not None:
            wanted = Value("", value.dtype, tuple(int(size) for size in sizes.array))
            shape = broadcast(value, wanted)
            if shape == value.shape and -1 not in shape:
                return value
        return self.add("Expand", value, sizes, shape=shape)


_INTEGERS = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply}


def _part(start: int, end: int, step: int) -> slice:
    """Return Python's slice for one of ONNX: an end before the first element is None in Python."""
    return slice(start, None if step < 0 and end < -(2**30) else end, step)
