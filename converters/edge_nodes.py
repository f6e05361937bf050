"""The nodes that an edge graph has before and behind its plain graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from .catalog.entries import Normalize
from .errors import TranslationError
from .graph import share_of_width
from .graph.interface import Port
from .model.families import Readout

# OpenCV's conversion to grey: fixed-point weights with 15 bits, blue first.
GREY_WEIGHTS = (3735, 19235, 9798)
GREY_BITS = 15


class Wrapper:
    """The nodes that are put before and after a plain graph.

    Attributes:
        before: The nodes before it.
        after: The nodes behind it.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        """Wrap a model.

        Constants, inputs and outputs are added to the model at once, `before` and `after` are not.
        """
        self._graph = model.graph
        self._opset = next(item.version for item in model.opset_import if item.domain == "")
        self.before: list[onnx.NodeProto] = []
        self.after: list[onnx.NodeProto] = []

    def normalize(self, source: str, target: str, normalize: Normalize) -> None:
        """Add (pixel * scale - mean) / std, rounded after each step as in PaddleOCR's own code.

        A shorter form gives other last bits, which DB's steep sigmoid amplifies to 1e-5.
        """
        nodes = self.before
        if normalize.colour == "RGB":
            order = self._constant("edge.rgb", np.array([2, 1, 0], np.int64))
            source = self.add("Gather", [source, order], "edge.colour", nodes, axis=3)
        planes = self.add("Transpose", [source], "edge.planes", nodes, perm=[0, 3, 1, 2])
        pixels = self.add("Cast", [planes], "edge.pixels", nodes, to=TensorProto.FLOAT)
        if normalize.colour == "GREY":
            pixels = self._grey(pixels)
        scale, mean, std = normalization(normalize)
        scaled = self.add(
            "Mul", [pixels, self._constant("edge.scale", scale)], "edge.scaled", nodes
        )
        centered = self.add(
            "Sub", [scaled, self._constant("edge.mean", mean)], "edge.centered", nodes
        )
        self.add("Div", [centered, self._constant("edge.std", std)], target, nodes)
        self._remove_input(target)

    def _grey(self, pixels: str) -> str:
        """Add OpenCV's fixed-point conversion to grey; float32 holds every step exactly.

        A 1 x 1 convolution sums with weights / 2^15; floor(sum + 1/2) is the shift with rounding.
        """
        weights = np.array(GREY_WEIGHTS, np.float32).reshape(1, 3, 1, 1) / (1 << GREY_BITS)
        kernel = self._constant("edge.grey_weights", weights)
        half = self._constant("edge.half", np.array([0.5], np.float32))
        summed = self.add("Conv", [pixels, kernel, half], "edge.grey_sum", self.before)
        return self.add("Floor", [summed], "edge.grey", self.before)

    def repeat(self, image: str, constant: NDArray[Any], target: str) -> None:
        """Repeat a constant of batch size 1 for each image of the batch."""
        nodes, name = self.before, f"edge.{target}"
        if not any(node.name == "edge.number" for node in nodes):
            shape = self.add("Shape", [image], "edge.shape", nodes)
            first = self._constant("edge.first", np.array([0], np.int64))
            self.add("Gather", [shape, first], "edge.number", nodes, axis=0)
        value = self._constant(f"{name}.value", constant)
        rest = self._constant(f"{name}.sizes", np.array(constant.shape[1:], np.int64))
        sizes = self.add("Concat", ["edge.number", rest], f"{name}.shape", nodes, axis=0)
        self.add("Expand", [value, sizes], target, nodes)
        self._remove_input(target)

    def share(self, image: Port, port: Port) -> None:
        """Compute the share of each image's width that shows text.

        Raises:
            TranslationError: The width of the image is open.
        """
        if (width := image.shape[3]) is None:
            raise TranslationError(f"{port.name} is a share of the width, which is open")
        made, constants = share_of_width.nodes(
            "edge.pixels", width, port.name, opset=self._opset, column=len(port.shape) == 2
        )
        self.before += made
        self._graph.initializer.extend(constants)
        self._remove_input(port.name)

    def take(self, classes: str, scores: str, first: int) -> None:
        """Add the classes that the network has chosen, and their probabilities.

        Args:
            classes: The name of the output with the classes, integer [N, T].
            scores: The name of the output with their probabilities, float32 [N, T].
            first: The number of positions before the text.
        """
        for name, source in (("indices", classes), ("scores", scores)):
            bounds = [
                self._constant(f"edge.{name}.{part}", np.array([value], np.int64))
                for part, value in (("begin", first), ("end", np.iinfo(np.int64).max), ("axis", 1))
            ]
            self.add("Slice", [source, *bounds], name if name == "scores" else "edge.chosen")
        self.add("Cast", ["edge.chosen"], "indices", to=TensorProto.INT32)
        self.declare_output("indices", TensorProto.INT32, ["N", "T"])
        self.declare_output("scores", TensorProto.FLOAT, ["N", "T"])

    def choose(self, source: str, *, softmaxed: bool, readout: Readout) -> None:
        """Add the best class and its probability at each position of the text.

        Args:
            source: The name of the output with the scores of the classes.
            softmaxed: Whether the scores are probabilities.
            readout: How the scores are arranged.
        """
        if not softmaxed:
            source = self.add("Softmax", [source], "edge.softmax", axis=-1)
        names = ("edge.indices", "edge.scores") if readout.flat else ("indices", "scores")
        axis = 1 if readout.flat else 2
        if readout.transposed:
            source = self.add("Transpose", [source], "edge.transposed", perm=[1, 0, 2])
        if readout.first or readout.last:
            bounds = [readout.first, -readout.last or np.iinfo(np.int64).max]
            begin, end = (
                self._constant(f"edge.text_{name}", np.array([bound], np.int64))
                for name, bound in zip(("begin", "end"), bounds, strict=True)
            )
            along = self._constant("edge.text_axis", np.array([1], np.int64))
            source = self.add("Slice", [source, begin, end, along], "edge.text")
        # TopK finds both in one pass, faster than ArgMax and ReduceMax. It takes the first of
        # equal values.
        one = self._constant("edge.one", np.array([1], np.int64))
        best = ["edge.best_score", "edge.best"]
        self.after.append(helper.make_node("TopK", [source, one], best, name=best[1], axis=axis))
        self.squeeze(best[1], axis, "edge.best_index")
        self.add("Cast", ["edge.best_index"], names[0], to=TensorProto.INT32)
        self.squeeze(best[0], axis, names[1])
        if readout.flat:
            rest = self._constant("edge.rest", np.array([-1], np.int64))
            sizes = self.add("Concat", ["edge.number", rest], "edge.positions", axis=0)
            for name in ("indices", "scores"):
                self.add("Reshape", [f"edge.{name}", sizes], name)
        self.declare_output("indices", TensorProto.INT32, ["N", "T"])
        self.declare_output("scores", TensorProto.FLOAT, ["N", "T"])

    def squeeze(self, source: str, axis: int, target: str) -> None:
        """Remove an axis of size 1."""
        if self._opset < 13:
            self.add("Squeeze", [source], target, axes=[axis])
        else:
            axes = self._constant(f"{target}.axis", np.array([axis], np.int64))
            self.add("Squeeze", [source, axes], target)

    def add(
        self,
        operator: str,
        inputs: list[str],
        output: str,
        nodes: list[onnx.NodeProto] | None = None,
        **attributes: Any,
    ) -> str:
        """Add a node with one output behind the graph, or to `nodes`; return the output's name."""
        node = helper.make_node(operator, inputs, [output], name=output, **attributes)
        (self.after if nodes is None else nodes).append(node)
        return output

    def declare_input(self, name: str, shape: list[str | int]) -> None:
        """Declare the first input, uint8."""
        self._graph.input.insert(0, helper.make_tensor_value_info(name, TensorProto.UINT8, shape))

    def declare_output(self, name: str, kind: int, shape: list[str | int]) -> None:
        """Declare an output of ONNX's element type `kind`."""
        self._graph.output.append(helper.make_tensor_value_info(name, kind, shape))

    def _remove_input(self, name: str) -> None:
        self._graph.input.remove(next(item for item in self._graph.input if item.name == name))

    def _constant(self, name: str, value: NDArray[Any]) -> str:
        self._graph.initializer.append(numpy_helper.from_array(value, name))
        return name


def normalization(normalize: Normalize) -> tuple[NDArray[Any], ...]:
    """Return scale, mean and deviation of a normalization, as float32 that broadcast over NCHW."""
    per_channel = (
        np.array(values, np.float32).reshape(1, -1, 1, 1)
        for values in (normalize.mean, normalize.std)
    )
    return np.array(normalize.scale, np.float32), *per_channel
