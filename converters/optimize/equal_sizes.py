"""Declare that two maps have the same size.

ONNX Runtime makes an addition part of a convolution only where it knows that both terms have the
same shape, and it can't derive that for maps whose size depends on the picture. Rewrites that make
such sums know it. They declare both terms with the same names for rows and columns, and ONNX
Runtime then takes these sizes for equal.
"""

from __future__ import annotations

from collections.abc import Sequence

import onnx
from onnx import TensorProto

from ..graph.editor import Editor

ROWS, COLUMNS = ".rows", ".columns"


def declare(editor: Editor, values: Sequence[str], channels: int, name: str) -> None:
    """Declare that float32 maps [N, `channels`, rows, columns] have the same size.

    Args:
        editor: The graph.
        values: The names of the maps.
        channels: Their number of channels.
        name: The name of a value, after which their sizes are named. No other declaration of the
            graph may use it, or its maps would count as equally large, too.
    """
    number = editor.graph.input[0].type.tensor_type.shape.dim[0]  # pictures of the batch
    for value in values:
        item = editor.graph.value_info.add(name=value)
        tensor = item.type.tensor_type
        tensor.elem_type = TensorProto.FLOAT
        tensor.shape.dim.add().CopyFrom(number)
        tensor.shape.dim.add(dim_value=channels)
        tensor.shape.dim.add(dim_param=name + ROWS)
        tensor.shape.dim.add(dim_param=name + COLUMNS)


def remove_others(graph: onnx.GraphProto) -> None:
    """Remove all declarations but those that `declare` made for values that a node computes."""
    computed = {name for node in graph.node for name in node.output}
    for i in range(len(graph.value_info) - 1, -1, -1):
        item = graph.value_info[i]
        if item.name not in computed or not _is_ours(item):
            del graph.value_info[i]


def _is_ours(item: onnx.ValueInfoProto) -> bool:
    sizes = item.type.tensor_type.shape.dim
    return len(sizes) == 4 and sizes[2].dim_param.endswith(ROWS)
