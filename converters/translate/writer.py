"""Write an ONNX graph node by node."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from ..graph.editor import IR_VERSION
from .values import Value


class Writer:
    """The nodes and constants of a graph so far.

    Attributes:
        opset: The version of ONNX's operators that the nodes follow.
    """

    def __init__(self, opset: int) -> None:
        """Start an empty graph."""
        self.opset = opset
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, NDArray[Any]] = {}
        self._equal: dict[tuple[str, tuple[int, ...], bytes], Value] = {}
        self._taken: set[str] = set()
        self._makers: dict[str, onnx.NodeProto] = {}  # unread temporary value → its node
        self._count = 0

    def constant(
        self, array: NDArray[Any] | Sequence[int] | float | int, dtype: Any = None
    ) -> Value:
        """Return a constant; small constants of the same content share one tensor.

        Args:
            array: The content.
            dtype: NumPy's type of its elements; by default that of the array, and int64 for lists.
        """
        if dtype is None and not isinstance(array, (np.ndarray, np.generic)):
            dtype = np.float32 if isinstance(array, float) else np.int64
        content = np.ascontiguousarray(array, dtype).reshape(np.shape(array))
        key = (str(content.dtype), content.shape, content.tobytes() if content.size <= 64 else b"")
        if content.size <= 64 and key in self._equal:
            return self._equal[key]
        value = self.parameter(self._temporary("c"), content)
        if content.size <= 64:
            self._equal[key] = value
        return value

    def parameter(self, name: str, array: NDArray[Any]) -> Value:
        """Return a constant that has its own name. The graph holds it only if a node reads it."""
        self._constants[name] = array
        self._taken.add(name)
        return Value(name, array.dtype, array.shape, array)

    def add(
        self,
        kind: str,
        inputs: Iterable[Value | None],
        *,
        dtype: Any = None,
        shape: Sequence[int] = (),
        **attributes: Any,
    ) -> Value:
        """Add a node with one output.

        Args:
            kind: ONNX's operator.
            inputs: Its inputs; None leaves an optional one out.
            dtype: NumPy's type of the output; by default that of the first input.
            shape: The output's sizes, -1 for open ones.
            attributes: The node's attributes; those that are None are left out.

        Returns:
            The output.
        """
        given = list(inputs)
        if dtype is None:
            assert given[0] is not None
            dtype = given[0].dtype
        (value,) = self.add_many(kind, given, [(dtype, shape)], **attributes)
        return value

    def add_many(
        self,
        kind: str,
        inputs: Iterable[Value | None],
        outputs: Sequence[tuple[Any, Sequence[int]]],
        **attributes: Any,
    ) -> list[Value]:
        """Add a node with several outputs, each given by its NumPy type and its sizes."""
        names = ["" if value is None else value.name for value in inputs]
        while names and not names[-1]:
            names.pop()
        made = [
            Value(self._temporary("t"), np.dtype(dtype), tuple(shape)) for dtype, shape in outputs
        ]
        kept = {key: value for key, value in attributes.items() if value is not None}
        node = helper.make_node(kind, names, [value.name for value in made], **kept)
        node.name = made[0].name
        for name in names:
            self._makers.pop(name, None)
        self._makers.update(dict.fromkeys((value.name for value in made), node))
        self._nodes.append(node)
        return made

    def named(self, value: Value, name: str) -> Value:
        """Give a computed value that nothing has read the name of the program's variable.

        A value that was read, that is constant, or that has the name of another variable already,
        keeps its name. So does one whose wanted name is taken, because a program may assign a
        variable twice, or assign a parameter.
        """
        node = self._makers.pop(value.name, None)
        if node is None or name in self._taken:
            return value
        self._taken.add(name)
        position = list(node.output).index(value.name)
        if node.name == value.name:
            node.name = name
        node.output[position] = name
        return Value(name, value.dtype, value.shape)

    def model(
        self, inputs: Sequence[Value], outputs: Sequence[tuple[str, Value]], name: str
    ) -> onnx.ModelProto:
        """Return the finished model.

        Args:
            inputs: The graph's inputs.
            outputs: The graph's outputs, each with its name; it becomes NAME.output if a constant
                or another value has the name.
            name: The graph's name.
        """
        nodes, ports = list(self._nodes), []
        for wanted, value in outputs:
            # Constants, which aren't outputs of a node, and variables that are assigned twice.
            if wanted != value.name or value.array is not None:
                wanted = f"{wanted}.output" if wanted in self._taken else wanted
                nodes.append(helper.make_node("Identity", [value.name], [wanted], name=wanted))
            ports.append(_declared(wanted, value))
        nodes = _alive(nodes, {port.name for port in ports})
        read = {name for node in nodes for name in node.input}
        graph = helper.make_graph(
            nodes,
            name,
            [_declared(value.name, value) for value in inputs],
            ports,
            [
                numpy_helper.from_array(array, key)
                for key, array in self._constants.items()
                if key in read
            ],
        )
        opset = helper.make_opsetid("", self.opset)
        model = helper.make_model(graph, opset_imports=[opset], producer_name="edgeocr")
        model.ir_version = max(IR_VERSION, helper.find_min_ir_version_for([opset]))
        return model

    def take(self, name: str) -> None:
        """Reserve a name, so that no other value gets it."""
        self._taken.add(name)

    def _temporary(self, kind: str) -> str:
        self._count += 1
        return f"edge.{kind}{self._count}"


def _alive(nodes: list[onnx.NodeProto], needed: set[str]) -> list[onnx.NodeProto]:
    """Return the nodes that lead to the needed values."""
    alive = []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            needed.update(node.input)
            alive.append(node)
    return alive[::-1]


def _declared(name: str, value: Value) -> onnx.ValueInfoProto:
    kind = helper.np_dtype_to_tensor_dtype(value.dtype)
    return helper.make_tensor_value_info(
        name, kind, [None if size < 0 else size for size in value.shape]
    )
