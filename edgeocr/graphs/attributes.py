"""Limits of a node's attributes.

ONNX Runtime trusts many of them: a kernel that is larger than its weights ends the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
from .messages import Tensor, Value
from .operators import ELEMENT_BYTES
from .tensors import check_tensor


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
# Attributes with limits, by name.
RANGES: Mapping[str, Range] = {
    "axis": _AXIS,
    "axes": _AXIS,
    "batch_axis": Range(0, MAX_RANK),
    "batch_dims": Range(0, MAX_RANK),
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
    "output_padding": Range(0, MAX_WINDOW, 3),
    "output_shape": Range(0, MAX_CHANNELS),
    # The range is that of `Pad`, whose pads may be negative. `weights` checks those of windows.
    "pads": Range(-MAX_CHANNELS, MAX_CHANNELS, 2 * MAX_RANK),
    "perm": Range(0, MAX_RANK - 1),
    "q_num_heads": _CHANNELS,
    "repeats": Range(1, MAX_FACTOR),
    "size": Range(1, MAX_WINDOW),
    "split": Range(0, MAX_SIDE, MAX_OUTPUTS),
    "storage_order": Range(0, 1),
    "strides": _WINDOW,
    "time_axis": Range(0, MAX_RANK),
    "to": Range(1, 16),
}
# Attributes that are element types.
TYPES = ("dtype", "to")
# Attributes of `Constant` that make tensors of strings.
STRINGS = ("value_string", "value_strings")


def problem(name: str, value: Value) -> str:
    """Return what is wrong with an attribute, for an error message; empty if it is allowed.

    Args:
        name: The attribute's name, which means the same for all operators that have it.
        value: Its value.

    Raises:
        BundleError: The value is a malformed tensor.
    """
    if isinstance(value, Tensor):
        check_tensor(value)
        return ""
    if name in STRINGS:
        return f"has {name}, and no edge graph has strings"
    return (
        "" if _fits(name, value) else f"has {name} = {str(value)[:60]}, which is out of its range"
    )


def _fits(name: str, value: Value) -> bool:
    """Return whether a value is within the limits for its name."""
    if isinstance(value, bytes):
        return len(value) <= MAX_TEXT
    if isinstance(value, tuple) and value and isinstance(value[0], bytes):
        return len(value) <= MAX_RANK and all(
            isinstance(each, bytes) and len(each) <= MAX_TEXT for each in value
        )
    if name == "scales":  # of `Upsample` before version 9, later ones are an input
        return isinstance(value, tuple) and all(
            isinstance(each, (int, float)) and 0 < each <= MAX_BLOCK for each in value
        )
    if (limits := RANGES.get(name)) is None:
        return not isinstance(value, tuple) or len(value) <= MAX_CHANNELS
    if not limits.check(value):
        return False
    if name in TYPES:
        return value in ELEMENT_BYTES
    return name != "perm" or (isinstance(value, tuple) and set(value) == {*range(len(value))})
