"""Check that a graph's constant tensors have exactly the data that their shapes need."""

from __future__ import annotations

import math

from ..errors import BundleError
from .limits import MAX_RANK, MAX_SIDE
from .messages import Tensor
from .operators import ELEMENT_BYTES, FLOAT32, FLOAT64, INT64, SIGNED, UINT32, UINT64


def check_tensor(tensor: Tensor, owner: str) -> None:
    """Check that a constant tensor has the data that its shape and type need, and no others.

    Args:
        tensor: The tensor.
        owner: What error messages call it.

    Raises:
        BundleError: The type is none of a graph, a dimension is out of its range, or the data
            don't fit the shape.
    """
    size = ELEMENT_BYTES.get(tensor.element)
    if size is None:
        raise BundleError(f"{owner} has the element type {tensor.element}, which no edge graph has")
    if len(tensor.dims) > MAX_RANK or not all(0 <= side < MAX_SIDE for side in tensor.dims):
        raise BundleError(f"{owner} has the shape {str(tensor.dims)[:60]}")
    parts = [count * size for count in tensor.typed.values()]
    if tensor.raw is not None:
        parts.append(tensor.raw[1] - tensor.raw[0])
    needed = math.prod(tensor.dims) * size
    if sum(parts) != needed or len(parts) > 1 or tensor.typed.keys() - {_data_field(tensor)}:
        raise BundleError(
            f"{owner} has {sum(parts)} bytes of data, but its shape {list(tensor.dims)} and its "
            f"element type {tensor.element} need {needed}"
        )
    # A reader that cuts such an integer to its type would see another number than this check.
    low = -1 << (8 * size - 1) if tensor.element in SIGNED else 0
    if not all(low <= integer < low + (1 << 8 * size) for integer in tensor.integers):
        raise BundleError(f"{owner} has an integer that its element type doesn't hold")


def _data_field(tensor: Tensor) -> int:
    """Return the number of the field that has a tensor's data if they aren't raw."""
    own = {FLOAT32: 4, INT64: 7, FLOAT64: 10, UINT32: 11, UINT64: 11}
    return own.get(tensor.element, 5)
