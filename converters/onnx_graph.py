"""Small steps on ONNX graphs that repairs and reports share."""

from __future__ import annotations

from collections import Counter
from typing import Any

import onnx


def producers(graph: onnx.GraphProto) -> dict[str, onnx.NodeProto]:
    """Value → the node that computes it."""
    return {name: node for node in graph.node for name in node.output if name}


def remove_dead(graph: onnx.GraphProto) -> None:
    """Remove nodes and initializers that nothing uses."""
    needed = {item.name for item in graph.output}
    alive = []
    for node in reversed(graph.node):
        if any(name in needed for name in node.output):
            needed.update(name for name in node.input if name)
            for attribute in node.attribute:
                needed.update(_outer_names(attribute))
            alive.append(node)
    del graph.node[:]
    graph.node.extend(reversed(alive))
    kept = [item for item in graph.initializer if item.name in needed]
    del graph.initializer[:]
    graph.initializer.extend(kept)


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


def operator_counts(model: onnx.ModelProto) -> dict[str, int]:
    """Operator → how often it occurs, the most frequent first."""
    return dict(Counter(node.op_type for node in model.graph.node).most_common())


def shape(value: onnx.ValueInfoProto) -> list[int | None]:
    """Declared sizes, None for what may vary."""
    dimensions: Any = value.type.tensor_type.shape.dim
    return [item.dim_value if item.HasField("dim_value") else None for item in dimensions]


def _outer_names(attribute: onnx.AttributeProto) -> set[str]:
    """What the blocks of a control-flow node read, which may be values of the graph around."""
    names: set[str] = set()
    for block in (attribute.g, *attribute.graphs):
        for node in block.node:
            names.update(node.input)
            for inner in node.attribute:
                names |= _outer_names(inner)
        names.update(item.name for item in block.output)
    return names
