"""Replace transposed convolutions without overlap by 1x1 convolutions and a rearrangement.

    ConvTranspose 2x2, stride 2                  →  Conv 1x1, DepthToSpace
    ConvTranspose, Relu, ConvTranspose, Sigmoid  →  Conv 1x1, Relu, Conv 1x1, Sigmoid, DepthToSpace

Each pixel becomes 2 x 2 pixels that depend on it alone, so a pixel's four results can be channels
instead, and operators that work pixel by pixel can continue on them: DB's head enlarges its map
twice, and all of it is computed at the smaller size. The second convolution is block-diagonal.
"""

from __future__ import annotations

import numpy as np
import onnx

from ..graph.editor import Editor, attribute
from .affine import Numbers

WHY = "transposed convolutions without overlap are 1x1 convolutions at the smaller size"

POINTWISE = ("Relu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "LeakyRelu")
# Weights of a block-diagonal convolution up to which its zeros cost less than a pass at full size.
LARGEST = 1 << 14


def rewrite(editor: Editor) -> list[str]:
    """Apply the rewrite that the module describes; return the replaced convolutions."""
    replaced: list[str] = []
    for first in editor.nodes("ConvTranspose"):
        if first not in editor.graph.node:
            continue  # was part of a chain
        found = _numbers(editor, first)
        if found is None:
            continue
        weights, bias = found
        block = 2
        value = _add_convolution(editor, first, first.input[0], *_dense(weights, bias, 1))
        replaced.append(first.name or first.output[0])
        last = first
        while (after := _next(editor, last, block)) is not None:
            editor.remove(last)
            if after.op_type == "ConvTranspose":
                weights, bias = _numbers(editor, after) or (weights, bias)
                value = _add_convolution(editor, after, value, *_dense(weights, bias, block))
                block *= 2
                replaced.append(after.name or after.output[0])
            else:
                output = editor.new_name(f"{after.output[0]}.apart")
                node = editor.add_node(after.op_type, [value], output)
                node.attribute.extend(after.attribute)
                value = output
            last = after
        editor.remove(last)
        editor.add_node("DepthToSpace", [value], last.output[0], blocksize=block, mode="DCR")
        editor.tidy()
    return replaced


def _numbers(editor: Editor, node: onnx.NodeProto) -> tuple[Numbers, Numbers] | None:
    """Return weights [C, M, 2, 2] and bias [M], None for a convolution that can't be replaced."""
    weights = editor.constant(node.input[1])
    has_bias = len(node.input) > 2 and node.input[2] != ""
    bias = editor.constant(node.input[2]) if has_bias else np.zeros(1)
    if weights is None or bias is None or weights.dtype != np.float32:
        return None
    if weights.ndim != 4 or weights.shape[2:] != (2, 2):
        return None
    plain = (
        list(attribute(node, "strides", [1, 1])) == [2, 2]
        and not any(attribute(node, "pads", [0]))
        and not any(attribute(node, "output_padding", [0]))
        and list(attribute(node, "dilations", [1, 1])) == [1, 1]
        and attribute(node, "group", 1) == 1
        and attribute(node, "auto_pad", b"NOTSET") in (b"NOTSET", b"VALID")
        and attribute(node, "output_shape") is None
    )
    if not plain:
        return None
    return weights.astype(np.float64), np.broadcast_to(bias, weights.shape[1]).astype(np.float64)


def _next(editor: Editor, node: onnx.NodeProto, block: int) -> onnx.NodeProto | None:
    """Return the next node if it can work on the rearranged channels, None otherwise."""
    after = editor.sole_consumer(node.output[0], "ConvTranspose", *POINTWISE)
    if after is None or after.op_type != "ConvTranspose":
        return after
    found = _numbers(editor, after)
    if after.input[0] != node.output[0] or found is None:
        return None
    inputs, outputs = found[0].shape[:2]
    return after if 4 * block**4 * inputs * outputs <= LARGEST else None


def _dense(weights: Numbers, bias: Numbers, block: int) -> tuple[Numbers, Numbers]:
    """Return a 2x2 transposed convolution of all pixels of a block whose pixels are channels.

    Channels are ordered by the row and column of the pixel within its block, then by the pixel's
    own channel. Returns weights [4 block² M, block² C, 1, 1] and bias.
    """
    inputs, outputs = weights.shape[:2]
    dense = np.zeros((block, 2, block, 2, outputs, block, block, inputs))
    for row in range(block):
        for column in range(block):
            # [C, M, 2, 2] → [2, 2, M, C]
            dense[row, :, column, :, :, row, column] = weights.transpose(2, 3, 1, 0)
    count = 4 * block * block
    return dense.reshape(count * outputs, block * block * inputs, 1, 1), np.tile(bias, count)


def _add_convolution(
    editor: Editor, like: onnx.NodeProto, value: str, weights: Numbers, bias: Numbers
) -> str:
    name = like.input[1]
    inputs = [value, editor.add_constant(weights.astype(np.float32), name)]
    if bias.any():
        inputs.append(editor.add_constant(bias.astype(np.float32), f"{name}.bias"))
    output = editor.new_name(f"{like.output[0]}.apart")
    editor.add_node("Conv", inputs, output, kernel_shape=[1, 1])
    return output
