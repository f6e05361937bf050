"""Fold the affine steps before convolutions into their weights, or into one step.

    Conv(x * scale + offset)                  →  Conv'(x)               without padding
    Conv(x * scale)                           →  Conv'(x)
    Conv(x * scale + offset)                  →  Conv(Conv 1x1 (x))     otherwise

PP-LCNetV3 has such a pair after every activation. Where a convolution pads, its zeros don't have
the offset, so the pair stays, but as one depthwise 1x1 convolution: a single pass, which ONNX
Runtime does in its blocked layout, so that the values need not be reordered for it and back.
"""

from __future__ import annotations

import numpy as np
import onnx

from .. import exact
from ..graph.editor import Editor, attribute, is_unpadded
from . import affine
from .affine_after_convolution import set_weights
from .concatenated_input import channels

WHY = "the affine steps before convolutions are folded into their weights, or into one step"

# The operators that have no weights to fold into. Products are not among them: a GELU ends with a
# factor after a product, and folding this factor would hide the GELU from ONNX Runtime.
ACTIVATIONS = ("Relu", "HardSwish", "HardSigmoid", "Sigmoid", "Tanh", "Clip", "LeakyRelu")


def rewrite(editor: Editor) -> list[str]:
    """Apply the rewrite that the module describes; return the steps that were folded."""
    folded: list[str] = []
    for node in editor.nodes(*affine.OPERATORS):
        step = affine.read(editor, node)
        if step is None or node.op_type == "BatchNormalization":
            continue
        before = editor.producer(step.value, *affine.OPERATORS)
        is_first = before is None or affine.read(editor, before) is None
        if not is_first and editor.sole_consumer(step.value, *affine.OPERATORS) is not None:
            continue  # was read with the first of its chain
        activation = editor.producer(step.value, *ACTIVATIONS)
        if activation is None:
            continue
        steps, step = chain(editor, node, step)
        many = max(step.scale.size, step.offset.size) > 1
        if many and channels(editor, activation.input[0]) == 1:
            continue  # a single channel becomes many
        if names := _fold(editor, steps, step):
            editor.tidy()
            folded += names
    return folded


def chain(
    editor: Editor, node: onnx.NodeProto, step: affine.Affine
) -> tuple[list[onnx.NodeProto], affine.Affine]:
    """Return all affine steps from a node on, and the one step that they amount to."""
    steps = [node]
    while (after := editor.sole_consumer(steps[-1].output[0], *affine.OPERATORS)) is not None:
        found = affine.read(editor, after)
        if found is None:
            break
        step = step.then(found.scale, found.offset)
        steps.append(after)
    return steps, step


def _fold(editor: Editor, steps: list[onnx.NodeProto], step: affine.Affine) -> list[str]:
    end = steps[-1].output[0]
    consumers = editor.consumers(end)
    convolutions = [node for node in consumers if takes(editor, node, end)]
    names = [node.name or node.output[0] for node in steps]
    if not convolutions:
        return []
    only_read_by_them = len(convolutions) == len(consumers) and not editor.is_output(end)
    passes = not step.offset.any() or all(map(is_unpadded, convolutions))
    if only_read_by_them and passes:
        for convolution in convolutions:
            fold_into(editor, convolution, step)
            convolution.input[0] = step.value
        return names
    if len(steps) == 1:
        return []
    taken = _channels(editor, convolutions[0])
    scale, offset = (np.broadcast_to(each, taken) for each in (step.scale, step.offset))
    like = steps[0].name or steps[0].output[0]
    weights = editor.add_constant(scale.reshape(-1, 1, 1, 1).astype(np.float32), f"{like}.scale")
    bias = editor.add_constant(offset.astype(np.float32), f"{like}.offset")
    editor.remove(*steps)
    editor.add_node("Conv", [step.value, weights, bias], end, group=taken, kernel_shape=[1, 1])
    return names


def takes(editor: Editor, node: onnx.NodeProto, value: str) -> bool:
    """Return whether a node is a convolution of the value with constant weights."""
    if node.op_type != "Conv" or node.input[0] != value:
        return False
    weights = editor.constant(node.input[1])
    has_bias = len(node.input) > 2 and node.input[2] != ""
    return (
        weights is not None
        and weights.ndim == 4
        and (not has_bias or editor.constant(node.input[2]) is not None)
    )


def _channels(editor: Editor, convolution: onnx.NodeProto) -> int:
    weights = editor.constant(convolution.input[1])
    assert weights is not None
    return int(weights.shape[1] * attribute(convolution, "group", 1))


def fold_into(editor: Editor, convolution: onnx.NodeProto, step: affine.Affine) -> None:
    """Make an affine step part of the weights of the convolution that reads its result."""
    weights = editor.constant(convolution.input[1])
    assert weights is not None
    has_bias = len(convolution.input) > 2 and convolution.input[2] != ""
    bias = editor.constant(convolution.input[2]) if has_bias else np.zeros(len(weights))
    assert bias is not None
    groups = attribute(convolution, "group", 1)
    # Each group has its own part of the input channels.
    by_group = weights.astype(np.float64).reshape(groups, -1, *weights.shape[1:])
    scale, offset = (
        np.broadcast_to(each, _channels(editor, convolution)).reshape(groups, 1, -1, 1, 1)
        for each in (step.scale, step.offset)
    )
    added = exact.summed((by_group * offset).reshape(len(weights), -1))
    set_weights(editor, convolution, (by_group * scale).reshape(weights.shape), bias + added)
