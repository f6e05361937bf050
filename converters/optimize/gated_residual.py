"""Keep the sum of a gated map and a branch of it within the branch's last convolution.

    y = x * gate;  y + Conv(f(y))  →  y = MaxPool 1x1 (x * gate);  y + Conv(f(y))

ONNX Runtime multiplies by a gate outside its blocked layout (NCHWc), and then adds outside of it as
well: it brings the result of the convolution into the ordinary layout, adds, and brings the sum
back. A 1x1 pooling changes nothing, but it is an operator of that layout, so that the addition
becomes part of the convolution. The blocks of PP-OCRv6's backbone have this pattern.

Where ONNX Runtime has no blocked layout, as on Arm, the pooling is one more pass over the map.
"""

from __future__ import annotations

import onnx

from ..graph.editor import Editor, is_pointwise
from . import equal_sizes
from .concatenated_input import channels
from .residual_gate import is_pooled

WHY = "sums of a gated map and a branch of it are computed within a convolution"

# A branch ends with its first value within this many steps.
LONGEST = 12
ENTRYWISE = ("Mul", "Div", "Add", "Erf", "Relu", "HardSwish", "HardSigmoid", "Sigmoid")


def rewrite(editor: Editor) -> list[str]:
    """Apply the rewrite that the module describes; return the gated maps that were replaced."""
    replaced = []
    for product in editor.nodes("Mul"):
        value = product.output[0]
        total = _sum_with_branch(editor, product)
        size = None if total is None else channels(editor, value)
        if total is None or size is None or editor.is_output(value):
            continue
        gated, same = editor.new_name(f"{value}.gated"), value
        branch = next(name for name in total.input if name != value)
        name = product.name or value
        product.name = product.output[0] = gated
        editor.add_node("MaxPool", [gated], same, kernel_shape=[1, 1])
        equal_sizes.declare(editor, [same, branch], size, total.output[0])
        editor.tidy()
        replaced.append(name)
    return replaced


def _sum_with_branch(editor: Editor, product: onnx.NodeProto) -> onnx.NodeProto | None:
    """Return the sum of a gated map and a branch of 1x1 convolutions that begins with it."""
    if not any(is_pooled(editor, name) for name in product.input):
        return None
    value = product.output[0]
    for total in editor.consumers(value):
        others = [name for name in total.input if name != value]
        if total.op_type == "Add" and len(others) == 1 and _is_branch(editor, others[0], value):
            return total
    return None


def _is_branch(editor: Editor, value: str, begin: str) -> bool:
    """Return whether a convolution ends a branch of operators that keep the map's size."""
    if editor.producer(value, "Conv") is None or editor.sole_consumer(value, "Add") is None:
        return False
    for _ in range(LONGEST):
        node = editor.producer(value, "Conv", *ENTRYWISE)
        if node is None:
            return value == begin
        if node.op_type == "Conv" and not is_pointwise(node):
            return False
        computed = [name for name in node.input if editor.constant(name) is None]
        if value != begin and begin in computed:
            return True
        value = computed[0]
    return False
