"""Read affine steps of a graph: a scale and an offset for each channel."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray

from ..graph.editor import Editor, attribute

OPERATORS = ("Mul", "Add", "Sub", "Div", "BatchNormalization")

Numbers = NDArray[np.float64]


class Affine(NamedTuple):
    """The step `value` * scale + offset; scale and offset are float64 [1], or [C] per channel."""

    value: str
    scale: Numbers
    offset: Numbers

    def then(self, scale: Numbers, offset: Numbers) -> Affine:
        """Return this step followed by another one as one step."""
        return Affine(self.value, self.scale * scale, self.offset * scale + offset)


def read(editor: Editor, node: onnx.NodeProto) -> Affine | None:
    """Return a node as an affine step on values [N, C, H, W], None if it is not one."""
    one, zero = np.ones(1), np.zeros(1)
    if node.op_type == "BatchNormalization":
        numbers = [editor.constant(name) for name in node.input[1:5]]
        if attribute(node, "training_mode", 0) or any(each is None for each in numbers):
            return None
        scale, bias, mean, variance = (np.asarray(each, np.float64) for each in numbers)
        factor = scale / np.sqrt(variance + attribute(node, "epsilon", 1e-5))
        return Affine(node.input[0], factor, bias - mean * factor)
    if node.op_type not in OPERATORS:
        return None
    for position in (1, 0):
        found = editor.constant(node.input[position])
        if found is None or (position == 0 and node.op_type in ("Sub", "Div")):
            continue
        constant = _per_channel(found)
        if constant is None or editor.constant(node.input[1 - position]) is not None:
            return None
        value = node.input[1 - position]
        if node.op_type in ("Mul", "Div"):
            return Affine(value, constant if node.op_type == "Mul" else 1 / constant, zero)
        return Affine(value, one, constant if node.op_type == "Add" else -constant)
    return None


def _per_channel(constant: NDArray[Any]) -> Numbers | None:
    """Return a constant that broadcasts over [N, C, H, W] along C only, as [C] or [1]."""
    if constant.dtype != np.float32:
        return None
    if constant.size == 1 and constant.ndim <= 4:
        return constant.reshape(1).astype(np.float64)
    shape = (1,) * (4 - constant.ndim) + constant.shape
    if len(shape) != 4 or shape[0] != 1 or shape[2:] != (1, 1):
        return None
    return constant.reshape(-1).astype(np.float64)
