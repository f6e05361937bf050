"""Check that a graph's constant tensors have exactly the data that their shapes need."""

from __future__ import annotations

import math

from ..errors import BundleError
from .limits import MAX_RANK, MAX_SIDE
from .messages import Tensor, shown
from .operators import ELEMENT_BYTES, FLOAT32, FLOAT64, INT64, SIGNED, UINT32, UINT64


def check_tensor(tensor: Tensor) -> None:
    """Check that a constant tensor has the data that its shape and type need, and no others.

    Raises:
        BundleError: No edge graph has such a type, a dimension is out of its range, or the data
            don't fit the shape.
    """
    name, dims, element, raw, typed, integers = tensor
    size = ELEMENT_BYTES.get(element)
    if size is None:
        raise _refusal(name, f"the element type {element}, which no edge graph has")
    if dims and (len(dims) > MAX_RANK or min(dims) < 0 or max(dims) >= MAX_SIDE):
        raise _refusal(name, f"the shape {str(dims)[:60]}")
    needed = math.prod(dims) * size
    if raw is not None and not typed and raw[1] - raw[0] == needed:
        return
    given = sum(typed.values()) * size + (0 if raw is None else raw[1] - raw[0])
    if given != needed or raw is not None or typed.keys() - {_data_field(element)}:
        raise _refusal(name, f"{given} bytes of data, but its shape and its type need {needed}")
    # A reader that cuts such an integer to its type would see another number than this check.
    low = -1 << (8 * size - 1) if element in SIGNED else 0
    if not all(low <= integer < low + (1 << 8 * size) for integer in integers):
        raise _refusal(name, "an integer that its element type doesn't hold")


def _refusal(name: bytes, what: str) -> BundleError:
    return BundleError(f"{f'the tensor {shown(name)!r}' if name else 'a tensor'} has {what}")


def _data_field(element: int) -> int:
    """Return the number of the field that has the data of an element type if they aren't raw."""
    return {FLOAT32: 4, INT64: 7, FLOAT64: 10, UINT32: 11, UINT64: 11}.get(element, 5)
