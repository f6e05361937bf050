"""Follow the axis of classes back through a graph, and cut classes out of it."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray

from ..errors import ConverterError
from ..graph.editor import Editor, attribute
from ..graph.reading import inferred_shapes

# The operators that move numbers and leave them unchanged.
MOVES = ("Identity", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Concat")
ENTRYWISE = ("Add", "Sub", "Mul", "Div")
PRODUCTS = ("MatMul", "Gemm", "Conv")

# Whether a softmax must lie on the way back, may, or may not because it was passed already.
Way: TypeAlias = Literal["must", "may", "not"]


class ClassAxis:
    """The classes of a network, and copies of its graph's values that hold the kept ones only.

    Attributes:
        editor: The graph.
        classes: The number of classes.
        kept: The classes that stay, int64 [K], ascending.
    """

    def __init__(self, model: onnx.ModelProto, classes: int, kept: NDArray[np.int64]) -> None:
        """Start with a model, its number of classes, and the classes that stay."""
        self._shapes = inferred_shapes(model)
        self.editor = Editor(model)
        self.classes = classes
        self.kept = kept
        self._kept_name: str | None = None
        self._made: dict[tuple[str, int], str] = {}
        self._gathered: dict[str, set[str]] = {}

    def size(self, value: str, axis: int) -> int | None:
        """Return the size of a value on an axis, None where the graph doesn't tell it."""
        sizes = self._sizes(value)
        return None if sizes is None else sizes[axis]

    def axis(self, node: onnx.NodeProto, default: int) -> int:
        """Return the axis of a node on its first input, counted from the front."""
        axis = int(attribute(node, "axis", default))
        if axis >= 0:
            return axis
        sizes = self._sizes(node.input[0])
        if sizes is None:
            raise ConverterError(f"{_called(node)}: the number of axes of its input is not known")
        return axis + len(sizes)

    def cut(self, value: str, axis: int, softmax: Way = "not", *, gather: bool = True) -> str:
        """Return the name of a copy of a value that holds the kept classes only.

        Args:
            value: The value.
            axis: The axis of the classes, counted from the front.
            softmax: Whether the classes must, may or may not be followed back through a softmax;
                its copy is a softmax over the kept classes.
            gather: Whether classes may be gathered where they can't be followed to constants.

        Raises:
            ConverterError: The classes can't be followed that far, or their number is not the
                network's.
        """
        if (value, axis) not in self._made:
            if self.size(value, axis) not in (self.classes, None):
                raise ConverterError(
                    f"{value} has {self.size(value, axis)} classes, but the network "
                    f"should have {self.classes}"
                )
            self._made[value, axis] = self._smaller(value, axis, softmax, gather)
        return self._made[value, axis]

    def number(self, index: str, target: str) -> None:
        """Compute old class numbers `target` from `index`, positions among the kept classes."""
        node = self.editor.add_node("Gather", [self._kept_classes(), index], target, axis=0)
        node.name = self.editor.new_name(target)  # the name may be taken

    def finish(self) -> None:
        """Remove what was replaced.

        Raises:
            ConverterError: The graph still reads a value with all classes.
        """
        self.editor.tidy()
        values = {value for value, _ in self._made}
        for value in sorted(filter(self.editor.is_computed, values)):
            ours = self._gathered.get(value, set()) | values
            others = [node for node in self.editor.consumers(value) if node.output[0] not in ours]
            if others or self.editor.is_output(value):
                reader = _called(others[0]) if others else "the graph's output"
                raise ConverterError(
                    f"{reader} reads all classes of {value}, so the network can't be pruned; "
                    "freeze it without --charset"
                )

    def _smaller(self, value: str, axis: int, softmax: Way, gather: bool) -> str:
        constant = self.editor.constant(value)
        if constant is not None and softmax != "must":
            return self.editor.add_constant(np.take(constant, self.kept, axis), value)
        node = self.editor.producer(value, "Softmax", *MOVES, *ENTRYWISE, *PRODUCTS)
        if node is not None:
            inputs = self._inputs(node, axis, softmax, gather)
            if inputs is not None:
                copy = onnx.NodeProto()
                copy.CopyFrom(node)
                copy.name = copy.output[0] = self.editor.new_name(value)
                copy.input[:] = inputs
                self.editor.graph.node.append(copy)
                return str(copy.name)
        if softmax == "must" or not gather:
            what = value if node is None else _called(node)
            raise ConverterError(
                f"{what}: the network's classes can't be followed back through it; freeze the "
                "network without --charset"
            )
        made = self.editor.new_name(value)
        self.editor.add_node("Gather", [value, self._kept_classes()], made, axis=axis)
        self._gathered.setdefault(value, set()).add(made)
        return made

    def _inputs(
        self, node: onnx.NodeProto, axis: int, softmax: Way, gather: bool
    ) -> list[str] | None:
        """Return the inputs with which a node gives the kept classes only, None where unknown."""
        if node.op_type == "Softmax":
            over_classes = softmax != "not" and self._is_over(node, axis)
            return [self.cut(node.input[0], axis, gather=gather)] if over_classes else None
        if node.op_type in MOVES:
            return self._moved(node, axis, softmax, gather)
        if softmax == "must":
            return None
        places = self._operands(node, axis)
        if places is None:
            return None
        return [
            name if place is None else self.cut(name, place, gather=gather)
            for name, place in zip(node.input, places, strict=True)
        ]

    def _moved(
        self, node: onnx.NodeProto, axis: int, softmax: Way, gather: bool
    ) -> list[str] | None:
        first, *others = node.input
        before: int | None = axis
        if node.op_type == "Transpose":
            order = attribute(node, "perm")
            sizes = self._sizes(first)
            if order is None and sizes is not None:
                order = list(range(len(sizes)))[::-1]
            before = None if order is None else int(order[axis])
        elif node.op_type == "Concat":
            if self.axis(node, 0) == axis:
                return None
            return [self.cut(name, axis, softmax, gather=gather) for name in node.input]
        elif node.op_type == "Reshape":
            return self._reshaped(node, axis, softmax, gather)
        elif node.op_type in ("Squeeze", "Unsqueeze"):
            before = self._axis_of_more(node, axis)
        if before is None:
            return None
        return [self.cut(first, before, softmax, gather=gather), *others]

    def _reshaped(
        self, node: onnx.NodeProto, axis: int, softmax: Way, gather: bool
    ) -> list[str] | None:
        """Follow a Reshape, only where the classes are the last axis before and after it."""
        sizes, given = self._sizes(node.input[0]), self.editor.constant(node.input[1])
        if sizes is None or given is None or axis != len(given) - 1:
            return None
        if sizes[-1] != self.classes or given[-1] not in (self.classes, -1):
            return None
        target = given.copy()
        if given[-1] == self.classes:
            target[-1] = len(self.kept)
        return [
            self.cut(node.input[0], len(sizes) - 1, softmax, gather=gather),
            self.editor.add_constant(target, node.input[1]),
        ]

    def _axis_of_more(self, node: onnx.NodeProto, axis: int) -> int | None:
        """Return the axis before axes of size one were removed or inserted."""
        axes = attribute(node, "axes")
        if axes is None and len(node.input) > 1:
            axes = self.editor.constant(node.input[1])
        larger = self._sizes(node.input[0] if node.op_type == "Squeeze" else node.output[0])
        if axes is None or larger is None:
            return None
        ones = {int(each) % len(larger) for each in axes}
        others = [i for i in range(len(larger)) if i not in ones]
        if node.op_type == "Squeeze":
            return others[axis]
        return others.index(axis) if axis in others else None

    def _operands(self, node: onnx.NodeProto, axis: int) -> list[int | None] | None:
        """Return the classes' axis in each operand, None for an operand without classes."""
        sizes = [self._sizes(name) for name in node.input]
        if node.op_type in ENTRYWISE:
            places = []
            most = self._sizes(node.output[0])
            for each in sizes:
                if each is None or most is None:
                    return None
                place = axis - (len(most) - len(each))
                places.append(place if place >= 0 and each[place] != 1 else None)
            return places
        if sizes[1] is None:
            return None
        if node.op_type == "MatMul":
            result = self._sizes(node.output[0])
            last = result is not None and axis == len(result) - 1
            return [None, len(sizes[1]) - 1] if last and len(sizes[1]) > 1 else None
        if axis != 1:
            return None
        if node.op_type == "Conv":
            alone = attribute(node, "group", 1) == 1
            return [None, *(0 for _ in node.input[1:])] if alone else None
        weights = 0 if attribute(node, "transB", 0) else 1
        if len(node.input) == 2:
            return [None, weights]
        bias = sizes[2]
        if bias is None:
            return None
        return [None, weights, len(bias) - 1 if bias and bias[-1] != 1 else None]

    def _is_over(self, softmax: onnx.NodeProto, axis: int) -> bool:
        """Return whether a softmax is over one axis.

        Before opset 13 a softmax is over all axes from its own on.
        """
        sizes = self._sizes(softmax.input[0])
        if self.editor.opset < 13 and (sizes is None or axis != len(sizes) - 1):
            return False
        return self.axis(softmax, 1 if self.editor.opset < 13 else -1) == axis

    def _sizes(self, value: str) -> list[int | None] | None:
        constant = self.editor.constant(value)
        return self._shapes.get(value) if constant is None else list(constant.shape)

    def _kept_classes(self) -> str:
        if self._kept_name is None:
            self._kept_name = self.editor.add_constant(self.kept, "kept_classes")
        return self._kept_name


def _called(node: onnx.NodeProto) -> str:
    return f"{node.op_type} {node.name or node.output[0]}"
