"""A graph that rewrites look around in and change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from .onnx_graph import outer_names, producers, remove_dead, rename_reads


class Editor:
    """The main graph of a model, with what rewrites ask of it.

    Values are known by their names. After a change call `tidy` before asking again.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self.graph = model.graph
        self.opset = next(item.version for item in model.opset_import if item.domain == "")
        self._made = 0
        self._constants: dict[str, NDArray[Any]] = {}
        self.tidy()

    def tidy(self) -> None:
        """Put the nodes in order, drop what nobody uses, and look at everything again."""
        _sort(self.graph)
        remove_dead(self.graph)
        self._producers = producers(self.graph)
        self._consumers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        for node in self.graph.node:
            for name in reads(node):
                self._consumers[name].append(node)
        self._initializers = {item.name: item for item in self.graph.initializer}
        self._outputs = {item.name for item in self.graph.output}

    def nodes(self, *operators: str) -> list[onnx.NodeProto]:
        """The nodes of these operators, in order."""
        return [node for node in self.graph.node if node.op_type in operators]

    def producer(self, value: str, *operators: str) -> onnx.NodeProto | None:
        """The node that computes a value, if it is of one of these operators."""
        node = self._producers.get(value)
        return node if node is not None and node.op_type in operators else None

    def is_output(self, value: str) -> bool:
        """Whether the outside reads a value."""
        return value in self._outputs

    def is_computed(self, value: str) -> bool:
        """Whether a node computes a value."""
        return value in self._producers

    def consumers(self, value: str) -> list[onnx.NodeProto]:
        """The nodes that read a value."""
        return list(self._consumers.get(value, ()))

    def sole_consumer(self, value: str, *operators: str) -> onnx.NodeProto | None:
        """The only node that reads a value, if it is of one of these operators and nobody outside
        the graph reads the value too.
        """
        readers = self._consumers.get(value, ())
        if value in self._outputs or len(readers) != 1 or readers[0].op_type not in operators:
            return None
        return readers[0]

    def constant(self, value: str) -> NDArray[Any] | None:
        """A constant's array, None for what is computed."""
        if value not in self._constants:
            if value not in self._initializers:
                return None
            self._constants[value] = numpy_helper.to_array(self._initializers[value])
        return self._constants[value]

    def add_constant(self, array: NDArray[Any], like: str) -> str:
        """A new constant; its name tells where it comes from."""
        name = self.new_name(like)
        self.set_constant(name, array)
        return name

    def set_constant(self, name: str, array: NDArray[Any]) -> None:
        """Make a value, which no node computes any more, a constant."""
        contiguous = np.asarray(array, order="C")  # keeps a number's shape []
        self.graph.initializer.append(numpy_helper.from_array(contiguous, name))
        self._initializers[name] = self.graph.initializer[-1]

    def add_node(
        self, operator: str, inputs: Iterable[str], output: str, **attributes: Any
    ) -> onnx.NodeProto:
        """A new node somewhere; `tidy` puts it in its place."""
        made = helper.make_node(operator, list(inputs), [output], name=output, **attributes)
        self.graph.node.append(made)
        node: onnx.NodeProto = self.graph.node[-1]  # the list has a copy
        return node

    def remove(self, *nodes: onnx.NodeProto) -> None:
        """Remove nodes whose outputs others compute now."""
        for node in nodes:
            self.graph.node.remove(node)

    def new_name(self, like: str) -> str:
        """A name that nobody has."""
        taken = self._initializers.keys() | self._producers.keys()
        taken |= {item.name for item in self.graph.input}
        while (name := f"{like}.{self._made}") in taken:
            self._made += 1
        self._made += 1
        return name

    def replace(self, old: str, new: str) -> None:
        """Let everybody who reads `old` read `new`, which a node of the graph computes."""
        rename_reads(self.graph, {old: new})
        if old in self._outputs:
            # The outside goes on calling it as it did.
            rename_reads(self.graph, {new: old})
            for node in self.graph.node:
                node.output[:] = [old if name == new else name for name in node.output]


def attribute(node: onnx.NodeProto, name: str, default: Any = None) -> Any:
    """An attribute's value, or what the operator takes where it is not given."""
    for item in node.attribute:
        if item.name == name:
            return helper.get_attribute_value(item)
    return default


def is_unpadded(convolution: onnx.NodeProto) -> bool:
    """Whether a convolution sees nothing but its input, so that constants pass through it."""
    automatic = attribute(convolution, "auto_pad", b"NOTSET")
    if automatic == b"VALID":
        return True
    if automatic != b"NOTSET":
        return attribute(convolution, "kernel_shape") == [1, 1] and not any(
            step > 1 for step in attribute(convolution, "strides", [1, 1])
        )
    return not any(attribute(convolution, "pads", [0]))


def reads(node: onnx.NodeProto) -> list[str]:
    """What a node reads, the blocks of a control-flow node included."""
    inner = [name for item in node.attribute for name in outer_names(item)]
    return list(dict.fromkeys([*(name for name in node.input if name), *sorted(inner)]))


def _sort(graph: onnx.GraphProto) -> None:
    """Nodes after those that they read of, else as they stand. References to nodes stay good."""
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
    """A name that no other node has; outputs that nobody wants have none."""
    name: str = next(filter(None, node.output))
    return name
