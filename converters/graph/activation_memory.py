"""Compute how much memory a run of an edge graph needs beside its weights."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import onnx

from edgeocr.runtime.onnx_runtime import import_onnxruntime

from ..errors import ConverterError
from .reading import reads

# Task → height and width of the input, if the graph leaves them open. They are multiples of every
# network's stride, and large enough that memory that doesn't grow with the input matters little.
SIZES = {
    "page_orientation": (224, 224),
    "unwarping": (712, 488),
    "detection": (640, 640),
    "spotting": (640, 640),
    "orientation": (48, 192),
    "recognition": (48, 640),
}
# Operators whose result is their input with another shape, in the same memory.
VIEWS = frozenset({"Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity"})
# Operators whose result ONNX Runtime writes over an input that nothing else needs, or that it fuses
# with the convolution before.
IN_PLACE = frozenset(
    {
        "Add",
        "Clip",
        "Div",
        "HardSigmoid",
        "HardSwish",
        "LeakyRelu",
        "Mul",
        "Relu",
        "Sigmoid",
        "Softmax",
        "Sqrt",
        "Sub",
        "Tanh",
    }
)


def bytes_per_pixel(
    edge_graph: bytes, task: str, *, height: int | None = None, width: int | None = None
) -> int:
    """Return the peak memory of a graph's values during a run, in bytes per input pixel.

    The graph is run once on a black picture, unoptimized and in the order of its nodes. Only the
    sizes of its values count, so the result doesn't depend on the processor. `edgeocr.memory` knows
    how much more ONNX Runtime needs.

    Args:
        edge_graph: The edge graph's file.
        task: The stage, one of `SIZES`.
        height: The input's height if the stage fixes it; the graph's own takes precedence.
        width: The input's width if the stage fixes it; the graph's own takes precedence.

    Returns:
        Bytes per pixel, rounded up.

    Raises:
        ConverterError: If the graph doesn't run.
    """
    model = onnx.load_from_string(edge_graph)
    graph = model.graph
    shape = _input_shape(graph, task, height, width)
    sizes = _sizes(model, shape)
    return math.ceil(_peak(graph, sizes) / math.prod(shape[:3]))


def _input_shape(
    graph: onnx.GraphProto, task: str, height: int | None, width: int | None
) -> tuple[int, int, int, int]:
    high, wide = SIZES[task]
    wanted = (1, height or high, width or wide, 3)
    dims = graph.input[0].type.tensor_type.shape.dim
    n, h, w, c = (dim.dim_value or want for dim, want in zip(dims, wanted, strict=True))
    return n, h, w, c


def _sizes(model: onnx.ModelProto, shape: tuple[int, ...]) -> dict[str, int]:
    """Run the graph; return the bytes of its input and of each value that a node computes."""
    exposed = onnx.ModelProto()
    exposed.CopyFrom(model)
    there = {item.name for item in exposed.graph.output}
    names = [name for node in exposed.graph.node for name in node.output if name]
    exposed.graph.output.extend(
        onnx.ValueInfoProto(name=name) for name in names if name not in there
    )
    ort = import_onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    picture = np.zeros(shape, np.uint8)
    try:
        session = ort.InferenceSession(
            exposed.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        values = session.run(names, {session.get_inputs()[0].name: picture})
    except Exception as error:  # ONNX Runtime's exceptions have no common base class
        raise ConverterError(
            f"the edge graph doesn't run on an input of shape {shape}: {error}"
        ) from None
    return {model.graph.input[0].name: picture.nbytes} | {
        name: sum(each.nbytes for each in value) if isinstance(value, list) else value.nbytes
        for name, value in zip(names, values, strict=True)
    }


def _peak(graph: onnx.GraphProto, sizes: dict[str, int]) -> int:
    """Return the most bytes held at a time if each value is freed after its last use."""
    uses = Counter(item.name for item in graph.output)
    read = [reads(node) for node in graph.node]
    for names in read:
        uses.update(names)
    # Value → the first of the values that share its memory; constants are left out.
    place = {graph.input[0].name: graph.input[0].name}
    held = {graph.input[0].name: sizes[graph.input[0].name]}
    users = Counter({graph.input[0].name: uses[graph.input[0].name]})
    peak = sum(held.values())
    for node, names in zip(graph.node, read, strict=True):
        inputs = {place[name] for name in names if name in place}
        for name in filter(None, node.output):
            old = _reused(node, names, name, place, users, sizes, held)
            home = place[name] = old or name
            held.setdefault(home, sizes[name])
            users[home] += uses[name]
        peak = max(peak, sum(held.values()))
        for name in names:
            if name in place:
                users[place[name]] -= 1
        made = {place[name] for name in node.output if name}
        for home in inputs | made:
            if not users[home]:
                held.pop(home, None)
    return peak


def _reused(
    node: onnx.NodeProto,
    names: list[str],
    result: str,
    place: dict[str, str],
    users: Counter[str],
    sizes: dict[str, int],
    held: dict[str, int],
) -> str | None:
    """Return the memory of the input that a node's result takes over, or None."""
    if node.op_type in VIEWS:
        return place.get(names[0]) if names else None
    if node.op_type in IN_PLACE:
        for name in names:
            home = place.get(name)
            if home is not None and users[home] == 1 and held[home] == sizes[result]:
                return home
    return None
