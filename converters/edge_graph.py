"""Plain graph → edge graph: the same network behind the interface of its task.

A plain graph takes `x` float32 NCHW, normalized, and gives probabilities. An edge graph takes
uint8 NHWC BGR, normalizes inside, and gives only what the decoder needs, so that little travels
to an accelerator and back. See `CONTRACTS` for each task's names.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .catalog import Entry, Normalize
from .errors import TranslationError

# ONNX Runtime reads it since 1.11. The official exports of PP-OCRv6 say 10, which 1.17 refuses,
# but use nothing newer than this.
IR_VERSION = 8

# task → (input, outputs)
CONTRACTS = {
    "detection": ("image", ["probability"]),
    "orientation": ("crops", ["probability"]),
    "recognition": ("crops", ["indices", "scores"]),
}


def make(plain: bytes, entry: Entry) -> bytes:
    """Wrap the plain graph of `entry`; returns the edge graph as a serialized model.

    Raises `TranslationError` when the plain graph isn't one image in, one map out.
    """
    model = onnx.load_from_string(plain)
    graph = model.graph
    constants = {initializer.name for initializer in graph.initializer}
    inputs = [node for node in graph.input if node.name not in constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise TranslationError(
            f"{entry.name}: a plain {entry.algorithm} graph has one input and one output, this one "
            f"has {[node.name for node in inputs]} and {[node.name for node in graph.output]}"
        )
    wrapper = _Wrapper(model)
    channels = _static_size(inputs[0], 1)
    if channels != 3:
        raise TranslationError(f"{entry.name}: the input has {channels} channels, not 3")
    height, width = _sizes(entry)
    input_name, _ = CONTRACTS[entry.task]
    wrapper.normalize(input_name, inputs[0].name, entry.normalize)
    wrapper.declare_input(input_name, inputs[0], ["N", height, width, 3])
    plain_output = graph.output[0].name
    del graph.output[:]
    if entry.algorithm == "DB":
        wrapper.squeeze(plain_output, 1, "probability")
        wrapper.declare_output("probability", TensorProto.FLOAT, ["N", "H", "W"])
    elif entry.algorithm == "CLS":
        wrapper.add("Identity", [plain_output], "probability")
        wrapper.declare_output("probability", TensorProto.FLOAT, ["N", "classes"])
    else:
        best = wrapper.add("ArgMax", [plain_output], "edge.argmax", axis=2, keepdims=0)
        wrapper.add("Cast", [best], "indices", to=TensorProto.INT32)
        wrapper.reduce_max(plain_output, 2, "scores")
        wrapper.declare_output("indices", TensorProto.INT32, ["N", "T"])
        wrapper.declare_output("scores", TensorProto.FLOAT, ["N", "T"])
    graph.node.extend(wrapper.after)
    for node in reversed(wrapper.before):
        graph.node.insert(0, node)
    graph.name = entry.name
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version, model.doc_string = "edgeocr", "", ""
    onnx.checker.check_model(model)
    serialized: bytes = model.SerializeToString(deterministic=True)
    return serialized


def to_plain_input(images: np.ndarray[Any, Any], normalize: Normalize) -> np.ndarray[Any, Any]:
    """What the edge graph does to its input, in NumPy: uint8 [N, H, W, 3] → float32 NCHW."""
    if normalize.colour == "RGB":
        images = images[..., ::-1]
    scale, mean, std = _normalization(normalize)
    planes = np.ascontiguousarray(images.transpose(0, 3, 1, 2)).astype(np.float32)
    return np.asarray((planes * scale - mean) / std)


class _Wrapper:
    """Collects the nodes to put before and after a graph."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._graph = model.graph
        self._opset = next(item.version for item in model.opset_import if item.domain == "")
        self.before: list[onnx.NodeProto] = []
        self.after: list[onnx.NodeProto] = []

    def normalize(self, source: str, target: str, normalize: Normalize) -> None:
        """(pixel / 255 - mean) / std, rounded after each step as PaddleOCR's own code does.

        Any shorter form gives other last bits, and DB's steep sigmoid makes 1e-5 of them.
        """
        nodes = self.before
        if normalize.colour == "RGB":
            order = self._constant("edge.rgb", np.array([2, 1, 0], np.int64))
            source = self.add("Gather", [source, order], "edge.colour", nodes, axis=3)
        planes = self.add("Transpose", [source], "edge.planes", nodes, perm=[0, 3, 1, 2])
        pixels = self.add("Cast", [planes], "edge.pixels", nodes, to=TensorProto.FLOAT)
        scale, mean, std = _normalization(normalize)
        scaled = self.add(
            "Mul", [pixels, self._constant("edge.scale", scale)], "edge.scaled", nodes
        )
        centered = self.add(
            "Sub", [scaled, self._constant("edge.mean", mean)], "edge.centered", nodes
        )
        self.add("Div", [centered, self._constant("edge.std", std)], target, nodes)

    def squeeze(self, source: str, axis: int, target: str) -> None:
        if self._opset < 13:
            self.add("Squeeze", [source], target, axes=[axis])
        else:
            axes = self._constant("edge.squeezed_axis", np.array([axis], np.int64))
            self.add("Squeeze", [source, axes], target)

    def reduce_max(self, source: str, axis: int, target: str) -> None:
        if self._opset < 18:
            self.add("ReduceMax", [source], target, axes=[axis], keepdims=0)
        else:
            axes = self._constant("edge.reduced_axis", np.array([axis], np.int64))
            self.add("ReduceMax", [source, axes], target, keepdims=0)

    def add(
        self,
        operator: str,
        inputs: list[str],
        output: str,
        nodes: list[onnx.NodeProto] | None = None,
        **attributes: Any,
    ) -> str:
        node = helper.make_node(operator, inputs, [output], name=output, **attributes)
        (self.after if nodes is None else nodes).append(node)
        return output

    def declare_input(
        self, name: str, replaced: onnx.ValueInfoProto, shape: list[str | int]
    ) -> None:
        self._graph.input.remove(replaced)
        self._graph.input.insert(0, helper.make_tensor_value_info(name, TensorProto.UINT8, shape))

    def declare_output(self, name: str, kind: int, shape: list[str | int]) -> None:
        self._graph.output.append(helper.make_tensor_value_info(name, kind, shape))

    def _constant(self, name: str, value: np.ndarray[Any, Any]) -> str:
        self._graph.initializer.append(numpy_helper.from_array(value, name))
        return name


def _static_size(value: onnx.ValueInfoProto, axis: int) -> int | None:
    dimensions = value.type.tensor_type.shape.dim
    return dimensions[axis].dim_value or None if axis < len(dimensions) else None


def _sizes(entry: Entry) -> tuple[str | int, str | int]:
    """Height and width of the edge graph's input, where the stage fixes them."""
    return entry.stage.get("height", "H"), entry.stage.get("width", "W")


def _normalization(normalize: Normalize) -> tuple[np.ndarray[Any, Any], ...]:
    per_channel = (
        np.array(values, np.float32).reshape(1, 3, 1, 1)
        for values in (normalize.mean, normalize.std)
    )
    return np.array(1 / 255, np.float32), *per_channel
