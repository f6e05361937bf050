"""The values of the graph that is being written: their names, types, shapes, and known contents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .registry import UnsupportedError


@dataclass(frozen=True)
class Value:
    """A tensor of the ONNX graph.

    Attributes:
        name: Its name in the graph.
        dtype: NumPy's type of its elements.
        shape: Its sizes, -1 for those that are open.
        array: Its content if the translation knows it, as for weights and folded constants.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    array: NDArray[Any] | None = None

    @property
    def rank(self) -> int:
        """The number of its axes."""
        return len(self.shape)

    @property
    def is_float(self) -> bool:
        """Whether its elements are floating-point numbers."""
        return self.dtype.kind == "f"

    def axis(self, number: int) -> int:
        """Return an axis, which may count from the end, as a number from 0.

        Raises:
            UnsupportedError: If the tensor is a single number, which has no axes.
            ValueError: If the tensor has no such axis.
        """
        if not self.shape:
            raise UnsupportedError("it works along an axis, but its operand is a single number")
        if not -self.rank <= number < self.rank:
            raise ValueError(f"there is no axis {number} in a tensor of {self.rank} axes")
        return number % self.rank


def broadcast(*values: Value) -> tuple[int, ...]:
    """Return the shape to which values are broadcast together, -1 for its open sizes."""
    rank = max(value.rank for value in values)
    shape = []
    for axis in range(-rank, 0):
        sizes = {value.shape[axis] for value in values if axis >= -value.rank} - {1}
        known = [size for size in sizes if size >= 0]
        shape.append(known[0] if known else -1 if sizes else 1)
    return tuple(shape)


def contradict(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Tell whether two shapes of the same rank have different known sizes of an axis."""
    return any(0 <= size != wanted >= 0 for size, wanted in zip(one, other, strict=True))
