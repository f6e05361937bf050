"""Change an ONNX graph: single steps, and an editor for rewrites of several steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from .reading import blocks, producers, reads

# The IR version of all graphs that are written, unless their opset needs a later one. ONNX Runtime
# has read it since 1.11. The official exports of PP-OCRv6 declare 10, which ONNX Runtime 1.17
# refuses, but use nothing newer than 8.
IR_VERSION = 8


def checked(model: onnx.ModelProto) -> bytes:
    """Serialize a model and check it, with fewer copies of its weights than ONNX's checker makes.

    Raises:
        onnx.checker.ValidationError: The model isn't valid.
    """
    serialized: bytes = model.SerializeToString(deterministic=True)
    onnx.checker.check_model(serialized)
    return serialized


def remove_dead(graph: onnx.GraphProto) -> None:
    """Remove unused nodes and initializers; Python references to the others stay valid."""
    needed = {item.name for item in graph.output}
    dead = []
    for i in range(len(graph.node) - 1, -1, -1):
        node = graph.node[i]
        if any(name in needed for name in node.output):
            needed.update(reads(node))
        else:
            dead.append(i)
    for i in dead:
        del graph.node[i]
    for i in range(len(graph.initializer) - 1, -1, -1):
        if graph.initializer[i].name not in needed:
            del graph.initializer[i]


def rename(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    """Rename values, also where the blocks of control-flow nodes read them."""
    for declared in (graph.input, graph.output, graph.value_info, graph.initializer):
        for item in declared:
            item.name = names.get(item.name, item.name)
    for node in graph.node:
        for values in (node.input, node.output):
            values[:] = [names.get(name, name) for name in values]
        for block in blocks(node):
            rename(block, names)


def rename_reads(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    """Make nodes read other values, also in the blocks of control-flow nodes."""
    for node in graph.node:
        if not names.keys().isdisjoint(node.input):
            node.input[:] = [names.get(name, name) for name in node.input]
        for block in blocks(node):
            rename_reads(block, names)
            for item in block.output:
                item.name = names.get(item.name, item.name)


class Editor:
    """A model's main graph, with questions about it and steps that change it.

    Values are identified by their names. Answers describe the graph as it was when `tidy` was last
    called. `optimize` calls it after each rewrite; a rewrite that asks about nodes that it has
    changed itself calls it before.

    Attributes:
        graph: The graph, which is changed in place.
        opset: The version of ONNX's operators that the model uses.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        """Edit the main graph of a model in place."""
        self.graph = model.graph
        self.opset = next(item.version for item in model.opset_import if item.domain == "")
        self._made = 0
        self._constants: dict[str, NDArray[Any]] = {}
        self.tidy()

    def tidy(self) -> None:
        """Sort the nodes, remove unused ones, and index the graph anew."""
        _sort(self.graph)
        remove_dead(self.graph)
        self._producers = producers(self.graph)
        self._consumers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        for node in self.graph.node:
            for name in reads(node):
                self._consumers[name].append(node)
        self._initializers = {item.name: item for item in self.graph.initializer}
        self._constants.clear()  # arrays are copies of the initializers
        self._outputs = {item.name for item in self.graph.output}

    def nodes(self, *operators: str) -> list[onnx.NodeProto]:
        """Return the nodes of these operators, in order."""
        return [node for node in self.graph.node if node.op_type in operators]

    def producer(self, value: str, *operators: str) -> onnx.NodeProto | None:
        """Return the node that computes a value if it is one of these operators, else None."""
        node = self._producers.get(value)
        return node if node is not None and node.op_type in operators else None

    def is_output(self, value: str) -> bool:
        """Tell whether a value is an output of the graph."""
        return value in self._outputs

    def is_computed(self, value: str) -> bool:
        """Tell whether a node computes a value."""
        return value in self._producers

    def consumers(self, value: str) -> list[onnx.NodeProto]:
        """Return the nodes that read a value."""
        return list(self._consumers.get(value, ()))

    def sole_consumer(self, value: str, *operators: str) -> onnx.NodeProto | None:
        """Return the only node that reads a value if it is one of these operators, else None.

        A value that is also an output of the graph has no sole consumer.
        """
        readers = self._consumers.get(value, ())
        if value in self._outputs or len(readers) != 1 or readers[0].op_type not in operators:
            return None
        return readers[0]

    def is_constant(self, value: str) -> bool:
        """Tell whether a value is a constant, without reading it."""
        return value in self._constants or value in self._initializers

    def constant(self, value: str) -> NDArray[Any] | None:
        """Return the array of a constant, or None if the value is computed."""
        if value not in self._constants:
            if value not in self._initializers:
                return None
            self._constants[value] = numpy_helper.to_array(self._initializers[value])
        return self._constants[value]

    def add_constant(self, array: NDArray[Any], like: str) -> str:
        """Add a constant, named after the value `like`; return its name."""
        name = self.new_name(like)
        self.set_constant(name, array)
        return name

    def set_constant(self, name: str, array: NDArray[Any]) -> None:
        """Make a value that no node computes any more a constant."""
        contiguous = np.asarray(array, order="C")  # keeps the shape [] of a scalar
        self.graph.initializer.append(numpy_helper.from_array(contiguous, name))
        self._initializers[name] = self.graph.initializer[-1]

    def add_node(
        self, operator: str, inputs: Iterable[str], output: str, **attributes: Any
    ) -> onnx.NodeProto:
        """Add a node; `tidy` moves it to its place."""
        made = helper.make_node(operator, list(inputs), [output], name=output, **attributes)
        self.graph.node.append(made)
        node: onnx.NodeProto = self.graph.node[-1]  # `append` copies the node
        return node

    def remove(self, *nodes: onnx.NodeProto) -> None:
        """Remove nodes whose outputs other nodes compute now."""
        for node in nodes:
            self.graph.node.remove(node)

    def new_name(self, like: str) -> str:
        """Return a name, derived from the value `like`, that no value has."""
        taken = self._initializers.keys() | self._producers.keys()
        taken |= {item.name for item in self.graph.input}
        while (name := f"{like}.{self._made}") in taken:
            self._made += 1
        self._made += 1
        return name

    def replace(self, old: str, new: str) -> None:
        """Make all readers of `old` read `new`, which a node of the graph must compute."""
        rename_reads(self.graph, {old: new})
        if old in self._outputs:
            # An output keeps its name, so the node that computes `new` gets the name `old`.
            rename_reads(self.graph, {new: old})
            for node in self.graph.node:
                node.output[:] = [old if name == new else name for name in node.output]


def attribute(node: onnx.NodeProto, name: str, default: Any = None) -> Any:
    """Return an attribute's value, or `default` if the node doesn't have it."""
    for item in node.attribute:
        if item.name == name:
            return helper.get_attribute_value(item)
    return default


def is_unpadded(convolution: onnx.NodeProto) -> bool:
    """Tell whether a convolution pads nothing, so that constants can be moved through it."""
    automatic = attribute(convolution, "auto_pad", b"NOTSET")
    if automatic == b"VALID":
        return True
    if automatic != b"NOTSET":
        return attribute(convolution, "kernel_shape") == [1, 1] and not any(
            step > 1 for step in attribute(convolution, "strides", [1, 1])
        )
    return not any(attribute(convolution, "pads", [0]))


def is_pointwise(convolution: onnx.NodeProto) -> bool:
    """Tell whether a convolution has 1x1 kernels and keeps its map's size; it may have groups."""
    steps = list(attribute(convolution, "strides", [1, 1]))
    kernel = attribute(convolution, "kernel_shape")
    return kernel == [1, 1] and steps == [1, 1] and is_unpadded(convolution)


def _sort(graph: onnx.GraphProto) -> None:
    """Sort nodes after those that they read from; Python references to them stay valid."""
    made_by = producers(graph)
    place: dict[str, int] = {}
    for start in graph.node:
        stack = [start]
        while stack:
            node = stack[-1]
            waiting = [
                made_by[name]
                for name in reads(node)
                if name in made_by and _key(made_by[name]) not in place
            ]
            if waiting and _key(node) not in place:
                stack.extend(waiting)
            else:
                place.setdefault(_key(node), len(place))
                stack.pop()
    graph.node.sort(key=lambda node: place[_key(node)])


def _key(node: onnx.NodeProto) -> str:
    """Return a node's first named output, which no other node has; unused outputs are unnamed."""
    name: str = next(filter(None, node.output))
    return name
