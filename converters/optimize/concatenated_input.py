"""Replace a convolution over concatenated parts by the sum of convolutions over the parts.

    Conv(Concat(a, b), W)  →  Conv(a, W[:, :A]) + Conv(b, W[:, A:])

where that moves less through memory: a sum is as large as the convolution's result, a concatenation
as all of its inputs. The stem of PP-LCNetV4 puts two large maps together and halves them at once.
"""

from __future__ import annotations

import math

import numpy as np
import onnx

from ..graph.editor import Editor, attribute

WHY = "a convolution over concatenated parts is a sum of convolutions over the parts"


def rewrite(editor: Editor) -> list[str]:
    """Apply the rewrite that the module describes; return the concatenations that were replaced."""
    replaced = []
    for concat in editor.nodes("Concat"):
        convolution = editor.sole_consumer(concat.output[0], "Conv")
        if convolution is None or attribute(concat, "axis") not in (1, -3):
            continue
        weights = editor.constant(convolution.input[1])
        if weights is None or weights.ndim != 4 or attribute(convolution, "group", 1) != 1:
            continue
        sizes = [channels(editor, part) for part in concat.input]
        known = [size for size in sizes if size is not None]
        if len(known) < max(len(sizes), 2) or sum(known) != weights.shape[1]:
            continue
        steps = math.prod(attribute(convolution, "strides", [1, 1]))
        sums = 2 * (len(known) - 1) * weights.shape[0] / steps
        if sums > sum(known):
            continue
        _split(editor, concat, convolution, known, weights)
        replaced.append(concat.name or concat.output[0])
    return replaced


def channels(editor: Editor, value: str) -> int | None:
    """Return a value's number of channels, None where the nodes before it don't tell."""
    node = editor.producer(
        value, "Conv", "Relu", "HardSwish", "Sigmoid", "MaxPool", "AveragePool", "Add", "Mul",
        "Resize", "DepthToSpace", "Slice",
    )  # fmt: skip
    if node is None:
        return None
    if node.op_type == "Conv":
        weights = editor.constant(node.input[1])
        return None if weights is None else int(weights.shape[0])
    if node.op_type == "DepthToSpace":
        inside = channels(editor, node.input[0])
        return None if inside is None else inside // attribute(node, "blocksize") ** 2
    if node.op_type == "Slice":
        axes = editor.constant(node.input[3]) if len(node.input) > 3 else None
        if axes is None or {1, -3} & set(axes.tolist()):
            return None
    found = [channels(editor, name) for name in node.input[:2] if editor.constant(name) is None]
    return max((each for each in found if each is not None), default=None)


def _split(
    editor: Editor,
    concat: onnx.NodeProto,
    convolution: onnx.NodeProto,
    sizes: list[int],
    weights: np.ndarray,
) -> None:
    total, begin = "", 0
    for part, size in zip(concat.input, sizes, strict=True):
        name = convolution.input[1]
        inputs = [part, editor.add_constant(weights[:, begin : begin + size], name)]
        if not total:
            inputs += convolution.input[2:]
        begin += size
        output = editor.new_name(f"{convolution.output[0]}.part")
        node = editor.add_node("Conv", inputs, output)
        node.attribute.extend(convolution.attribute)
        if total:
            is_last = begin == weights.shape[1]
            summed = convolution.output[0] if is_last else editor.new_name(f"{output}.sum")
            editor.add_node("Add", [total, output], summed)
            output = summed
        total = output
    editor.remove(concat, convolution)
    editor.tidy()
