"""Look up nodes, values and attributes of an ONNX graph without changing it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import onnx

_GRAPH, _GRAPHS = onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS


def producers(graph: onnx.GraphProto) -> dict[str, onnx.NodeProto]:
    """Map each value to the node that computes it."""
    return {name: node for node in graph.node for name in node.output if name}


def operator_counts(model: onnx.ModelProto) -> dict[str, int]:
    """Count the nodes of each operator of the main graph, the most frequent first."""
    return dict(Counter(node.op_type for node in model.graph.node).most_common())


def inputs(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """Return the inputs that a caller feeds: those that have no value in the graph itself."""
    held = {item.name for item in graph.initializer}
    return [item for item in graph.input if item.name not in held]


def shape(value: onnx.ValueInfoProto) -> list[int | None]:
    """Return the declared sizes of a value, None for open ones."""
    dimensions: Any = value.type.tensor_type.shape.dim
    return [item.dim_value if item.HasField("dim_value") else None for item in dimensions]


def inferred_shapes(model: onnx.ModelProto) -> dict[str, list[int | None]]:
    """Infer the sizes of the main graph's values as far as possible; open sizes are None."""
    while True:
        model = onnx.shape_inference.infer_shapes(model, data_prop=True)
        graph = model.graph
        declared = [*graph.input, *graph.output, *graph.value_info]
        known = {item.name: shape(item) for item in declared if _has_shape(item)}
        targets = {
            node.output[0]: node.input[1] for node in graph.node if node.op_type == "Reshape"
        }
        lengths = {item.name: list(item.dims) for item in graph.initializer} | known
        # ONNX's inference stops at a Reshape to computed sizes, even if their number is known.
        # Declaring that number of axes lets it go on.
        ended = [
            (item, lengths[targets[item.name]][0])
            for item in graph.value_info
            if not _has_shape(item) and targets.get(item.name) in lengths
        ]
        for item, number in ended:
            for _ in range(number or 0):
                item.type.tensor_type.shape.dim.add()
        if not any(_has_shape(item) for item, _ in ended):
            return known


def _has_shape(value: onnx.ValueInfoProto) -> bool:
    return bool(value.type.tensor_type.HasField("shape"))


def blocks(node: onnx.NodeProto) -> list[onnx.GraphProto]:
    """Return the graphs inside a control-flow node, such as an If's branches."""
    found = []
    for item in node.attribute:
        if item.type == _GRAPH:
            found.append(item.g)
        elif item.type == _GRAPHS:
            found.extend(item.graphs)
    return found


def reads(node: onnx.NodeProto) -> list[str]:
    """Return the values that a node reads, then those that its blocks read, their own included."""
    names = dict.fromkeys(filter(None, node.input))
    if inside := blocks(node):
        names |= dict.fromkeys(sorted(_read_inside(inside)))
    return list(names)


def _read_inside(inside: list[onnx.GraphProto]) -> set[str]:
    nodes = [node for block in inside for node in block.node]
    outputs = {item.name for block in inside for item in block.output}
    return outputs.union(*map(reads, nodes))
