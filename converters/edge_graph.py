"""Make the edge graph of a plain graph: the same network behind the interface of its task.

A plain graph takes `x`, normalized float32 NCHW, and returns what the network computes. An edge
graph takes uint8 NHWC in BGR, normalizes it inside the graph, and returns only what the decoder
needs, so that little data travels to an accelerator and back. `CONTRACTS` lists the names of each
algorithm's input and outputs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from .catalog.entries import Normalize
from .errors import TranslationError
from .graph.editor import remove_dead, rename
from .graph.interface import SRN_PREDICTION, Interface, Port, srn_constant
from .model.network import Network

# ONNX Runtime reads this IR version since 1.11. The official exports of PP-OCRv6 declare 10, which
# ONNX Runtime 1.17 refuses, but use nothing newer than 8.
IR_VERSION = 8

# Algorithm → (input, {output: its channels in the plain graph}). PGNet's `characters` is the output
# whose number of channels depends on the charset.
CONTRACTS: dict[str, tuple[str, dict[str, int | None]]] = {
    "DB": ("image", {"probability": 1}),
    "EAST": ("image", {"score": 1, "geometry": 8}),
    "SAST": ("image", {"tcl": 1, "border": 4, "tvo": 8, "tco": 2}),
    "PGNet": ("image", {"tcl": 1, "border": 4, "direction": 2, "characters": None}),
    "CLS": ("crops", {"probability": None}),
    "CTC": ("crops", {"indices": None, "scores": None}),
    "Attention": ("crops", {"indices": None, "scores": None}),
    "SRN": ("crops", {"indices": None, "scores": None}),
}
# OpenCV's conversion to grey: fixed-point weights with 15 bits, blue first.
GREY_WEIGHTS = (3735, 19235, 9798)
GREY_BITS = 15


def make(plain: bytes, network: Network, interface: Interface) -> bytes:
    """Wrap the plain graph of a network; return the edge graph as a serialized model.

    Args:
        plain: The plain graph.
        network: What the network is.
        interface: The plain graph's interface.

    Raises:
        TranslationError: The interface is not that of the network's algorithm.
    """
    model = onnx.load_from_string(plain)
    graph = model.graph
    normalize = network.normalize
    taken = interface.image.shape[1]
    channels = 1 if normalize.colour == "GREY" else 3
    if taken not in (channels, None):
        raise TranslationError(
            f"{network.name}: the network takes {taken} channels, {normalize.colour} has {channels}"
        )
    sources = _sources(network, interface)
    input_name, output_names = CONTRACTS[network.algorithm]
    interface = _out_of_the_way(graph, interface, [input_name, *output_names])
    image = interface.image
    wrapper = _Wrapper(model)
    del graph.output[:]
    wrapper.normalize(input_name, image.name, normalize)
    for position, port in enumerate(interface.inputs[1:], 1):
        wrapper.repeat(input_name, srn_constant(port, position), port.name)
    height, width = sizes(interface, network)
    declared = {"height": height or "H", "width": width or "W"}
    number = image.shape[0] or "N"
    wrapper.declare_input(input_name, [number, declared["height"], declared["width"], 3])
    if network.task == "recognition":
        position = sources["indices"]
        wrapper.choose(
            interface.outputs[position].name,
            softmaxed=interface.softmaxed[position],
            flat=network.algorithm == "SRN",
        )
    elif network.task == "orientation":
        source = interface.outputs[sources["probability"]].name
        wrapper.add("Identity", [source], "probability")
        wrapper.declare_output("probability", TensorProto.FLOAT, ["N", "classes"])
    else:
        for name, position in sources.items():
            port = interface.outputs[position]
            if port.shape[1] == 1:
                wrapper.squeeze(port.name, 1, name)
                # DB's map is as large as the image; the maps of other algorithms are smaller.
                high, wide = ("H", "W") if network.algorithm == "DB" else ("h", "w")
                wrapper.declare_output(name, TensorProto.FLOAT, ["N", high, wide])
            else:
                wrapper.add("Identity", [port.name], name)
                shape: list[str | int] = ["N", port.shape[1] or "C", "h", "w"]
                wrapper.declare_output(name, TensorProto.FLOAT, shape)
    graph.node.extend(wrapper.after)
    for node in reversed(wrapper.before):
        graph.node.insert(0, node)
    remove_dead(graph)  # nodes whose outputs nothing reads
    graph.name = network.name
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version, model.doc_string = "edgeocr", "", ""
    onnx.checker.check_model(model)
    serialized: bytes = model.SerializeToString(deterministic=True)
    return serialized


def _out_of_the_way(graph: onnx.GraphProto, interface: Interface, names: list[str]) -> Interface:
    """Rename values of the graph that have these names, such as Paddle 1's `image`.

    Returns:
        The interface with the new names.
    """
    new = {name: f"plain.{name}" for name in names}
    rename(graph, new)

    def renamed(ports: list[Port]) -> list[Port]:
        return [replace(port, name=new.get(port.name, port.name)) for port in ports]

    return replace(interface, inputs=renamed(interface.inputs), outputs=renamed(interface.outputs))


def sizes(interface: Interface, network: Network) -> tuple[int | None, int | None]:
    """Return height and width in pixels that graph or entry fix, None where they vary."""
    _, _, height, width = interface.image.shape
    return height or network.height, width or network.width


def to_plain_inputs(
    images: NDArray[Any], normalize: Normalize, interface: Interface
) -> list[NDArray[Any]]:
    """Return the plain inputs that the edge graph makes of images uint8 [N, H, W, 3]."""
    pixels = images.transpose(0, 3, 1, 2)
    if normalize.colour == "RGB":
        pixels = pixels[:, ::-1]
    if normalize.colour == "GREY":
        weights = np.array(GREY_WEIGHTS).reshape(1, 3, 1, 1)
        summed = (pixels * weights).sum(axis=1, keepdims=True)
        pixels = (summed + (1 << GREY_BITS >> 1)) >> GREY_BITS
    scale, mean, std = _normalization(normalize)
    planes = np.ascontiguousarray(pixels).astype(np.float32)
    inputs = [np.asarray((planes * scale - mean) / std)]
    for position, port in enumerate(interface.inputs[1:], 1):
        inputs.append(np.repeat(srn_constant(port, position), len(images), axis=0))
    return inputs


def to_edge_outputs(
    outputs: list[NDArray[Any]], network: Network, interface: Interface, number: int
) -> dict[str, NDArray[Any]]:
    """Return what the edge graph makes of the plain outputs for `number` images."""
    sources = _sources(network, interface)
    if network.task == "recognition":
        position = sources["indices"]
        found = outputs[position]
        if not interface.softmaxed[position]:
            powers = np.exp(found - found.max(axis=-1, keepdims=True))
            found = powers / powers.sum(axis=-1, keepdims=True)
        if network.algorithm == "SRN":
            found = found.reshape(number, -1, found.shape[-1])
        return {"indices": found.argmax(axis=2).astype(np.int32), "scores": found.max(axis=2)}
    named = {name: outputs[position] for name, position in sources.items()}
    return {
        name: value[:, 0] if value.ndim == 4 and value.shape[1] == 1 else value
        for name, value in named.items()
    }


def _sources(network: Network, interface: Interface) -> dict[str, int]:
    """Return the position of the plain output that each edge output is made from."""
    _, wanted = CONTRACTS[network.algorithm]
    if network.task == "recognition":
        position = SRN_PREDICTION if network.algorithm == "SRN" else 0
        expected = 5 if network.algorithm == "SRN" else 1
        if len(interface.outputs) == expected:
            return dict.fromkeys(wanted, position)
    elif network.task == "orientation":
        if len(interface.outputs) == 1 and len(interface.outputs[0].shape) == 2:
            return dict.fromkeys(wanted, 0)
    else:
        by_channels = interface.outputs_by_channels()
        known = {name: by_channels.pop(number, -1) for name, number in wanted.items() if number}
        for name, number in wanted.items():
            if number is None and len(by_channels) == 1:
                known[name] = by_channels.popitem()[1]
        if -1 not in known.values() and len(known) == len(wanted):
            return {name: known[name] for name in wanted}
    raise TranslationError(
        f"{network.name}: {network.algorithm} gives {', '.join(wanted)}, but this graph's outputs "
        f"have the shapes {[port.shape for port in interface.outputs]}"
    )


class _Wrapper:
    """The nodes that are put before and after a graph."""

    def __init__(self, model: onnx.ModelProto) -> None:
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
        scale, mean, std = _normalization(normalize)
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

    def choose(self, source: str, *, softmaxed: bool, flat: bool) -> None:
        """Add the best class and its probability at each position; `flat` for [N * T, classes]."""
        if not softmaxed:
            source = self.add("Softmax", [source], "edge.softmax", axis=-1)
        names = ("edge.indices", "edge.scores") if flat else ("indices", "scores")
        axis = 1 if flat else 2
        # TopK finds both in one pass, faster than ArgMax and ReduceMax. It takes the first of
        # equal values.
        one = self._constant("edge.one", np.array([1], np.int64))
        best = ["edge.best_score", "edge.best"]
        self.after.append(helper.make_node("TopK", [source, one], best, name=best[1], axis=axis))
        self.squeeze(best[1], axis, "edge.best_index")
        self.add("Cast", ["edge.best_index"], names[0], to=TensorProto.INT32)
        self.squeeze(best[0], axis, names[1])
        if flat:
            rest = self._constant("edge.rest", np.array([-1], np.int64))
            sizes = self.add("Concat", ["edge.number", rest], "edge.positions", axis=0)
            for name in ("indices", "scores"):
                self.add("Reshape", [f"edge.{name}", sizes], name)
        self.declare_output("indices", TensorProto.INT32, ["N", "T"])
        self.declare_output("scores", TensorProto.FLOAT, ["N", "T"])

    def squeeze(self, source: str, axis: int, target: str) -> None:
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
        node = helper.make_node(operator, inputs, [output], name=output, **attributes)
        (self.after if nodes is None else nodes).append(node)
        return output

    def declare_input(self, name: str, shape: list[str | int]) -> None:
        self._graph.input.insert(0, helper.make_tensor_value_info(name, TensorProto.UINT8, shape))

    def declare_output(self, name: str, kind: int, shape: list[str | int]) -> None:
        self._graph.output.append(helper.make_tensor_value_info(name, kind, shape))

    def _remove_input(self, name: str) -> None:
        self._graph.input.remove(next(item for item in self._graph.input if item.name == name))

    def _constant(self, name: str, value: NDArray[Any]) -> str:
        self._graph.initializer.append(numpy_helper.from_array(value, name))
        return name


def _normalization(normalize: Normalize) -> tuple[NDArray[Any], ...]:
    per_channel = (
        np.array(values, np.float32).reshape(1, -1, 1, 1)
        for values in (normalize.mean, normalize.std)
    )
    return np.array(normalize.scale, np.float32), *per_channel
