"""Compute values that don't depend on the input at conversion.

    Constant, or a node that reads constants only  →  an initializer

ONNX Runtime does the same whenever it opens a graph, which a device then need not. Results that are
much larger than what they are made of stay as they are: they would only make the file larger. So do
those whose last digits depend on the processor: a bundle has to come out the same on any.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

from ..graph.editor import IR_VERSION, Editor
from ..graph.reading import blocks

WHY = "constants are computed at conversion"

# The number of bytes by which a result may be larger than its operands.
GROWTH = 4096
# Operators that move numbers, or round one sum, product, quotient or root: their results are the
# same on every processor. ONNX Runtime computes what else doesn't depend on the input.
EXACT = {
    *("Constant", "ConstantOfShape", "Identity", "Cast", "Range", "Shape", "Size", "NonZero"),
    *("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Expand", "Tile", "Pad"),
    *("Concat", "Split", "Slice", "Gather", "GatherElements", "GatherND", "Where", "Trilu"),
    *("Add", "Sub", "Mul", "Div", "Sqrt", "Neg", "Abs", "Floor", "Ceil", "Min", "Max", "Relu"),
    *("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Not", "And", "Or"),
    *("ReduceMax", "ReduceMin", "ArgMax", "ArgMin"),
}


def rewrite(editor: Editor) -> list[str]:
    """Apply the rewrite that the module describes; return the nodes that were replaced."""
    folded = []
    for node in list(editor.graph.node):
        read = [name for name in node.input if name]
        if not _is_suited(node) or not all(map(editor.is_constant, read)):
            continue
        operands = [editor.constant(name) for name in read]
        results = _evaluate(node, editor)
        size = sum(operand.nbytes for operand in operands if operand is not None)
        if node.op_type != "Constant" and sum(each.nbytes for each in results) > size + GROWTH:
            continue
        for name, value in zip(node.output, results, strict=True):
            editor.set_constant(name, value)
        folded.append(node.name or node.output[0])
        editor.remove(node)
    return folded


def _is_suited(node: onnx.NodeProto) -> bool:
    return not blocks(node) and not node.domain and node.op_type in EXACT


def _evaluate(node: onnx.NodeProto, editor: Editor) -> list[np.ndarray]:
    inputs = {name: editor.constant(name) for name in node.input if name}
    declared = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
        )
        for name, value in inputs.items()
        if value is not None
    ]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output]
    graph = helper.make_graph([node], "constant", declared, outputs)
    version = helper.make_opsetid("", editor.opset)
    model = helper.make_model(graph, opset_imports=[version], ir_version=IR_VERSION)
    return [np.asarray(each) for each in ReferenceEvaluator(model).run(None, inputs)]
