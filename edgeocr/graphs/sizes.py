"""Check the constant inputs of a node that say how large its output is, and constant divisors.

A size that a graph computes when it runs can't be checked here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from ..errors import BundleError
from .limits import MAX_BLOCK, MAX_CHANNELS, MAX_ELEMENTS, MAX_FACTOR
from .messages import Node, Tensor
from .operators import INTEGERS


def check_sizes(node: Node, constants: Mapping[bytes, Tensor], data: bytes) -> None:
    """Check the constant inputs that say how large a node's output is.

    Args:
        node: The node.
        constants: The constant tensors by name.
        data: The file.

    Raises:
        BundleError: The output would fill the memory, or a division by zero would end the process.
    """
    if node.operator not in _CHECKED:
        return
    if node.operator in ("Div", "Mod"):
        _check_divisor(node, constants, data)

    def numbers(index: int) -> tuple[float, ...] | None:
        if index >= len(node.inputs) or node.inputs[index] not in constants:
            return None
        return constants[node.inputs[index]].numbers(data)

    for index, fits in _SIZES.get(node.operator, {}).items():
        found = numbers(index)
        if found is not None and not fits(found):
            raise BundleError(f"{node} has an input of {str(list(found))[:60]}, out of its range")
    if node.operator == "Range":
        start, limit, step = (numbers(index) for index in range(3))
        if start and limit and step:
            count = (limit[0] - start[0]) / step[0] if step[0] else math.inf
            if not count <= MAX_ELEMENTS:
                raise BundleError(f"{node} makes {count:g} numbers")


def _check_divisor(node: Node, constants: Mapping[bytes, Tensor], data: bytes) -> None:
    """Check an integer divisor: 0 ends the process, as does the least integer divided by -1."""
    for name in node.inputs[1:2]:
        if name in constants and constants[name].element in INTEGERS:
            divisor = constants[name].numbers(data)
            if divisor is None or not {0, -1}.isdisjoint(divisor):
                raise BundleError(f"{node} divides integers by 0, by -1 or by many numbers")


def _shape_fits(values: tuple[float, ...]) -> bool:
    return all(value >= -1 for value in values) and math.prod(map(abs, values)) <= MAX_ELEMENTS


_SIZES: Mapping[str, Mapping[int, Callable[[tuple[float, ...]], bool]]] = {
    "ConstantOfShape": {0: _shape_fits},
    "Expand": {1: _shape_fits},
    "Reshape": {1: _shape_fits},
    "Tile": {1: lambda repeats: all(n >= 0 for n in repeats) and math.prod(repeats) <= MAX_FACTOR},
    "Upsample": {1: lambda scales: all(0 < n <= MAX_BLOCK for n in scales)},
    "Resize": {
        2: lambda scales: all(0 < n <= MAX_BLOCK for n in scales),
        3: lambda sizes: all(0 < n <= MAX_CHANNELS for n in sizes),
    },
    "Pad": {1: lambda pads: all(abs(n) <= MAX_CHANNELS for n in pads)},
    "OneHot": {1: lambda depth: all(abs(n) <= MAX_CHANNELS for n in depth)},
    "TopK": {1: lambda k: all(0 <= n <= MAX_ELEMENTS for n in k)},
    "AffineGrid": {1: _shape_fits},
}
_CHECKED = {*_SIZES, "Div", "Mod", "Range"}
