"""Limits of a node's attributes.

ONNX Runtime trusts many of them: a kernel that is larger than its weights ends the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import BundleError
from .limits import (
    MAX_BLOCK,
    MAX_CHANNELS,
    MAX_FACTOR,
    MAX_OUTPUTS,
    MAX_RANK,
    MAX_SIDE,
    MAX_TEXT,
    MAX_WINDOW,
)
from .messages import Node, Tensor, Value
from .operators import ELEMENT_BYTES


@dataclass(frozen=True)
class Range:
    """The values that an integer attribute, or each integer of a list, may have.

    Attributes:
        low: The least value.
        high: The greatest value.
        most: The most values of a list.
    """

    low: int
    high: int
    most: int = MAX_RANK

    def check(self, value: Value) -> bool:
        """Return whether a value is an integer or a list of integers within the limits."""
        values = value if isinstance(value, tuple) else (value,)
        return len(values) <= self.most and all(
            isinstance(each, int) and self.low <= each <= self.high for each in values
        )


_AXIS = Range(-MAX_RANK, MAX_RANK)
_WINDOW = Range(1, MAX_WINDOW, 3)
_CHANNELS = Range(1, MAX_CHANNELS)
# Attributes with limits, by name. A name means the same for all operators that have it.
RANGES: Mapping[str, Range] = {
    "axis": _AXIS,
    "axes": _AXIS,
    "batch_axis": _AXIS,
    "batch_dims": _AXIS,
    "blocksize": Range(1, MAX_BLOCK),
    "dilations": _WINDOW,
    "dtype": Range(1, 16),
    "group": _CHANNELS,
    "hidden_size": _CHANNELS,
    "kernel_shape": _WINDOW,
    "kv_num_heads": _CHANNELS,
    "num_groups": _CHANNELS,
    "num_heads": _CHANNELS,
    "num_outputs": Range(1, MAX_OUTPUTS),
    "offset_group": _CHANNELS,
    "output_height": Range(1, MAX_WINDOW),
    "output_padding": Range(0, MAX_WINDOW, 3),
    "output_shape": Range(0, MAX_CHANNELS),
    "output_width": Range(1, MAX_WINDOW),
    "pads": Range(0, MAX_WINDOW, 6),
    "perm": Range(0, MAX_RANK - 1),
    "q_num_heads": _CHANNELS,
    "repeats": Range(1, MAX_FACTOR),
    "rotary_embedding_dim": Range(0, MAX_CHANNELS),
    "sampling_ratio": Range(0, MAX_WINDOW),
    "size": Range(1, MAX_WINDOW),
    "split": Range(0, MAX_SIDE, MAX_OUTPUTS),
    "storage_order": Range(0, 1),
    "strides": _WINDOW,
    "to": Range(1, 16),
}
# `Pad` until opset 10: pads of all dimensions, negative ones cut.
_PADS_OF_PAD = Range(-MAX_CHANNELS, MAX_CHANNELS, 2 * MAX_RANK)
# Attributes that are element types.
TYPES = ("dtype", "to")
# Attributes of `Constant` that make tensors of strings.
STRINGS = ("value_string", "value_strings")


def check_attributes(node: Node, passed: set[tuple[bool, str, Value]]) -> None:
    """Check the attributes of a node, each for itself.

    Args:
        node: The node.
        passed: The attributes of earlier nodes, most of which come again; this node's are added.

    Raises:
        BundleError: A value is out of its range.
    """
    is_pad = node.operator == "Pad"
    for name, value in node.attributes.items():
        if isinstance(value, Tensor) or (is_pad, name, value) in passed:
            continue
        if not _fits(name, value, is_pad):
            raise BundleError(f"{node} has {name} = {str(value)[:60]}, which is out of its range")
        passed.add((is_pad, name, value))


def _fits(name: str, value: Value, is_pad: bool) -> bool:
    """Return whether an attribute of a node, which may be a `Pad`, is within its limits."""
    if name in STRINGS:
        return False
    if isinstance(value, bytes):
        return len(value) <= MAX_TEXT
    if isinstance(value, tuple) and value and isinstance(value[0], bytes):
        return len(value) <= MAX_RANK and all(len(str(each)) <= MAX_TEXT for each in value)
    limits = _PADS_OF_PAD if is_pad and name == "pads" else RANGES.get(name)
    if limits is None:
        return not isinstance(value, tuple) or len(value) <= MAX_CHANNELS
    if not limits.check(value):
        return False
    if name in TYPES:
        return value in ELEMENT_BYTES
    return name != "perm" or (isinstance(value, tuple) and set(value) == {*range(len(value))})
