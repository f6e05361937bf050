"""Apply the gate once where a gated value is added to the value itself.

    x + x * gate  →  x * (gate + 1)

The gate has one number for each channel, so adding to it costs nothing, while the sum took a pass
over the whole feature map. RSE blocks of PP-OCR's feature pyramids have this pattern (PaddleOCR's
db_fpn.py).
"""

from __future__ import annotations

import numpy as np
import onnx

from ..graph.editor import Editor, attribute

WHY = "x + x * gate is x * (gate + 1), with one pass less over the feature map"


def rewrite(editor: Editor) -> list[str]:
    """Apply the rewrite that the module describes; return the sums that were replaced."""
    replaced = []
    for total in editor.nodes("Add"):
        for position in (0, 1):
            value, product = total.input[position], total.input[1 - position]
            gated = editor.producer(product, "Mul")
            if gated is None or editor.sole_consumer(product, "Add") is None:
                continue
            if value not in gated.input or gated.input[0] == gated.input[1]:
                continue
            gate = gated.input[1] if gated.input[0] == value else gated.input[0]
            if not is_pooled(editor, gate):
                continue
            one = editor.add_constant(np.ones(1, np.float32), f"{gate}.one")
            more = editor.new_name(f"{gate}.more")
            editor.add_node("Add", [gate, one], more)
            editor.remove(total, gated)
            editor.add_node("Mul", [value, more], total.output[0])
            editor.tidy()
            replaced.append(total.name or total.output[0])
            break
    return replaced


def is_pooled(editor: Editor, value: str) -> bool:
    """Return whether a value comes from a pooling over the map: one number for each channel.

    The weights on the way from the pooling tell that the numbers are float32.
    """
    node: onnx.NodeProto | None
    known = False
    while (node := editor.producer(value, "HardSigmoid", "Sigmoid", "Relu", "Conv")) is not None:
        if node.op_type == "Conv":
            weights = editor.constant(node.input[1])
            known = weights is not None and weights.dtype == np.float32
        value = node.input[0]
    if editor.producer(value, "GlobalAveragePool") is not None:
        return known
    mean = editor.producer(value, "ReduceMean")
    return known and mean is not None and _is_over_map(editor, mean)


def _is_over_map(editor: Editor, mean: onnx.NodeProto) -> bool:
    """Return whether a mean is taken over rows and columns, which remain as axes of size one."""
    axes = attribute(mean, "axes")
    if axes is None and len(mean.input) > 1:
        constant = editor.constant(mean.input[1])
        axes = None if constant is None else constant.tolist()
    return (
        axes is not None
        and sorted(axes) in ([2, 3], [-2, -1])
        and attribute(mean, "keepdims", 1) == 1
    )
