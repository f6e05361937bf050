"""Small steps on ONNX graphs that repairs and reports share."""

from __future__ import annotations

from collections import Counter
from typing import Any

import onnx


def producers(graph: onnx.GraphProto) -> dict[str, onnx.NodeProto]:
    """Value → the node that computes it."""
    return {name: node for node in graph.node for name in node.output if name}


def remove_dead(graph: onnx.GraphProto) -> None:
    """Remove nodes and initializers that nothing uses; references to the others stay good."""
    needed = {item.name for item in graph.output}
    dead = []
    for i in range(len(graph.node) - 1, -1, -1):
        node = graph.node[i]
        if any(name in needed for name in node.output):
            needed.update(name for name in node.input if name)
            for attribute in node.attribute:
                needed.update(outer_names(attribute))
        else:
            dead.append(i)
    for i in dead:
        del graph.node[i]
    for i in range(len(graph.initializer) - 1, -1, -1):
        if graph.initializer[i].name not in needed:
            del graph.initializer[i]


def rename(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    """Give values other names, also where the blocks of control-flow nodes read them."""
    for declared in (graph.input, graph.output, graph.value_info, graph.initializer):
        for item in declared:
            item.name = names.get(item.name, item.name)
    for node in graph.node:
        for values in (node.input, node.output):
            values[:] = [names.get(name, name) for name in values]
        for attribute in node.attribute:
            for block in (attribute.g, *attribute.graphs):
                rename(block, names)


def rename_reads(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    """Let nodes read other values, also in the blocks of control-flow nodes."""
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        for attribute in node.attribute:
            for block in (attribute.g, *attribute.graphs):
                rename_reads(block, names)
                for item in block.output:
                    item.name = names.get(item.name, item.name)


def operator_counts(model: onnx.ModelProto) -> dict[str, int]:
    """Operator → how often it occurs, the most frequent first."""
    return dict(Counter(node.op_type for node in model.graph.node).most_common())


def shape(value: onnx.ValueInfoProto) -> list[int | None]:
    """Declared sizes, None for what may vary."""
    dimensions: Any = value.type.tensor_type.shape.dim
    return [item.dim_value if item.HasField("dim_value") else None for item in dimensions]


def inferred_shapes(model: onnx.ModelProto) -> dict[str, list[int | None]]:
    """Sizes of the values of the main graph, as far as the graph tells; None for what may vary."""
    while True:
        model = onnx.shape_inference.infer_shapes(model, data_prop=True)
        graph = model.graph
        declared = [*graph.input, *graph.output, *graph.value_info]
        known = {item.name: shape(item) for item in declared if _has_shape(item)}
        targets = {
            node.output[0]: node.input[1] for node in graph.node if node.op_type == "Reshape"
        }
        lengths = {item.name: list(item.dims) for item in graph.initializer} | known
        # ONNX's inference ends at a Reshape to computed sizes, though their number is known.
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


def outer_names(attribute: onnx.AttributeProto) -> set[str]:
    """What the blocks of a control-flow node read, which may be values of the graph around."""
    names: set[str] = set()
    for block in (attribute.g, *attribute.graphs):
        for node in block.node:
            names.update(node.input)
            for inner in node.attribute:
                names |= outer_names(inner)
        names.update(item.name for item in block.output)
    return names
