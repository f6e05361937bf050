"""Check that a graph's constant tensors have exactly the data that their shapes need."""

from __future__ import annotations

import math

from ..errors import BundleError
from .limits import MAX_RANK, MAX_SIDE
from .messages import FEW, Node, Tensor, shown
from .operators import ELEMENT_BYTES, FLOAT32, FLOAT64, INT64, SIGNED, UINT32, UINT64


def check_tensor(tensor: Tensor) -> None:
    """Check that a constant tensor has the data that its shape and type need, and no others.

    Raises:
        BundleError: No edge graph has such a type, a dimension is out of its range, or the data
            don't fit the shape.
    """
    name, dims, element, raw, typed, values = tensor
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
    if element in (FLOAT32, FLOAT64):
        return
    # A reader that cuts such an integer to its type would see another number than this check.
    low = -1 << (8 * size - 1) if element in SIGNED else 0
    if not all(low <= integer < low + (1 << 8 * size) for integer in values):
        raise _refusal(name, "an integer that its element type doesn't hold")


def constant_of(node: Node) -> Tensor | None:
    """Return the tensor that a `Constant` makes, in whichever attribute it stands; None if none.

    Raises:
        BundleError: It has several attributes, so that it depends on the reader which one counts.
    """
    if len(node.attributes) > 1:
        raise BundleError(f"{node} has several values")
    value = node.attributes.get("value")
    if isinstance(value, Tensor):
        return value
    for name, element in (("value_int", INT64), ("value_float", FLOAT32)):
        single, several = node.attributes.get(name), node.attributes.get(f"{name}s")
        if isinstance(single, (int, float)):
            return _tensor((), element, (single,))
        if isinstance(several, tuple):
            numbers = tuple(each for each in several if isinstance(each, (int, float)))
            return _tensor((len(numbers),), element, numbers)
    return None


def _tensor(dims: tuple[int, ...], element: int, values: tuple[float, ...]) -> Tensor:
    few = values if len(values) <= FEW else ()
    return Tensor(b"", dims, element, None, {_data_field(element): len(values)}, few)


def _refusal(name: bytes, what: str) -> BundleError:
    return BundleError(f"{f'the tensor {shown(name)!r}' if name else 'a tensor'} has {what}")


def _data_field(element: int) -> int:
    """Return the number of the field that has the data of an element type if they aren't raw."""
    return {FLOAT32: 4, INT64: 7, FLOAT64: 10, UINT32: 11, UINT64: 11}.get(element, 5)
