"""Make a gate part of the weights of the 1x1 convolution after a depthwise convolution.

    Conv 1x1 (depthwise Conv (x * m) + b)  →  MatMul(W * m, depthwise Conv (x)) + W b

`m` has one number for each channel, and a depthwise convolution keeps channels apart, so the gate
can be applied after it, and there it is a factor of the columns of a small matrix. That takes the
place of a pass over the whole map. The feature pyramids of PP-OCRv6 have this pattern.

The product is a MatMul because a convolution can't have other weights for each picture of a batch.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import onnx

from ..graph.editor import Editor, attribute, is_unpadded

WHY = "gates before depthwise convolutions are factors of the weights after them"


class Gated(NamedTuple):
    """The product `value` * `gate`; the gate [N, C, 1, 1] is at least one."""

    value: str
    gate: str


def rewrite(editor: Editor) -> list[str]:
    """Apply the rewrite that the module describes; return the convolutions that were replaced."""
    replaced = []
    for depthwise in editor.nodes("Conv"):
        found = gated(editor, depthwise.input[0])
        pointwise = follows(editor, depthwise)
        if found is None or pointwise is None:
            continue
        _replace(editor, found, depthwise, pointwise)
        editor.tidy()
        replaced.append(pointwise.name or pointwise.output[0])
    return replaced


def gated(editor: Editor, value: str) -> Gated | None:
    """Return the factors of a value that is a map times a gate plus one, None for any other."""
    product = editor.producer(value, "Mul")
    if product is None:
        return None
    for map_, gate in (product.input, product.input[::-1]):
        if _is_gate_plus_one(editor, gate):
            return Gated(map_, gate)
    return None


def follows(editor: Editor, depthwise: onnx.NodeProto) -> onnx.NodeProto | None:
    """Return the 1x1 convolution that alone reads a depthwise convolution.

    Returns:
        The 1x1 convolution, None if the first node is not a depthwise convolution, something else
        reads it, or the 1x1 convolution doesn't reduce the number of channels.
    """
    if depthwise.op_type != "Conv":
        return None
    kernels = editor.constant(depthwise.input[1])
    pointwise = editor.sole_consumer(depthwise.output[0], "Conv")
    weights = None if pointwise is None else editor.constant(pointwise.input[1])
    if pointwise is None or kernels is None or weights is None:
        return None
    biases = [editor.constant(name) for node in (depthwise, pointwise) for name in node.input[2:]]
    number = len(kernels)
    fits = (
        attribute(depthwise, "group", 1) == number
        and kernels.ndim == 4
        and weights.dtype == kernels.dtype == np.float32
        and weights.shape[1:] == (number, 1, 1)
        and len(weights) < number
        and attribute(pointwise, "group", 1) == 1
        and list(attribute(pointwise, "strides", [1, 1])) == [1, 1]
        and is_unpadded(pointwise)
        and all(bias is not None for bias in biases)
    )
    return pointwise if fits else None


def _is_gate_plus_one(editor: Editor, value: str) -> bool:
    """Return whether a value is what `residual_gate` leaves: a gate of a pooled map, plus one."""
    more = editor.producer(value, "Add")
    if more is None:
        return False
    for gate, one in (more.input, more.input[::-1]):
        constant = editor.constant(one)
        if constant is not None and constant.shape == (1,) and constant[0] == 1:
            return editor.producer(gate, "HardSigmoid", "Sigmoid") is not None
    return False


def _replace(
    editor: Editor, found: Gated, depthwise: onnx.NodeProto, pointwise: onnx.NodeProto
) -> None:
    kernels, weights = (editor.constant(node.input[1]) for node in (depthwise, pointwise))
    assert kernels is not None and weights is not None
    outputs, channels = weights.shape[:2]
    matrix = weights.reshape(1, outputs, channels)
    bias = np.zeros(outputs)
    if len(depthwise.input) > 2:
        inner = editor.constant(depthwise.input[2])
        assert inner is not None
        bias += matrix[0].astype(np.float64) @ inner.astype(np.float64)
    if len(pointwise.input) > 2:
        outer = editor.constant(pointwise.input[2])
        assert outer is not None
        bias += outer
    like = pointwise.output[0]

    def node(operator: str, inputs: list[str], what: str, **attributes: int) -> str:
        output = editor.new_name(f"{like}.{what}")
        editor.add_node(operator, inputs, output, **attributes)
        return output

    def numbers(values: list[int], what: str) -> str:
        return editor.add_constant(np.array(values, np.int64), f"{like}.{what}")

    filtered = editor.new_name(f"{like}.filtered")
    without_bias = editor.add_node("Conv", [found.value, depthwise.input[1]], filtered)
    without_bias.attribute.extend(depthwise.attribute)
    flat = node("Reshape", [filtered, numbers([0, channels, -1], "flat.shape")], "flat")
    row = node("Reshape", [found.gate, numbers([0, 1, channels], "row.shape")], "row")
    gated_weights = node("Mul", [row, editor.add_constant(matrix, pointwise.input[1])], "weights")
    product = node("MatMul", [gated_weights, flat], "product")
    # [N, outputs, rows * columns] → [N, outputs, rows, columns]
    sizes = node("Shape", [filtered], "sizes")
    begin, end = numbers([2], "begin"), numbers([4], "end")
    rows_and_columns = node("Slice", [sizes, begin, end], "slice")
    shape = node("Concat", [numbers([0, outputs], "outputs"), rows_and_columns], "shape", axis=0)
    editor.remove(depthwise, pointwise)
    if not bias.any():
        editor.add_node("Reshape", [product, shape], like)
        return
    map_ = node("Reshape", [product, shape], "map")
    offset = bias.astype(np.float32).reshape(1, outputs, 1, 1)
    editor.add_node("Add", [map_, editor.add_constant(offset, f"{like}.bias")], like)
