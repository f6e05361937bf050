"""Convert chosen convolutions and matrix products of a graph to int8.

    x ─ Q ─ DQ ─ Conv ─ Relu ─ Q ─ DQ ─ …        weights: int8 ─ DQ

ONNX Runtime replaces each such pattern by one integer operator. Weights are int8, symmetric, with a
scale for each output channel. Activations are uint8 with a scale and a zero point for each value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import onnx
import onnx.version_converter
from numpy.typing import NDArray

from ..graph.editor import IR_VERSION, Editor, attribute
from ..graph.runner import onnx_runner
from . import gelu, rounding

# The first opset whose DequantizeLinear has a scale for each channel.
OPSET = 13
OPERATORS = ("Conv", "MatMul")
# These operators map all smaller values to zero, or to less than 0.0002 below it, so uint8 need not
# tell them apart.
FLOORS = {"HardSwish": -3.0, "Gelu": -4.0}
# The best interval of a value is searched in a histogram with these bins, by trying these shares of
# its ends.
BINS = 1024
SHARES = np.linspace(1, 0.3, 15)
# The positions, over all inputs, at which a layer's moments are taken: the least number, and the
# number for each column.
POSITIONS, POSITIONS_PER_COLUMN = 8192, 8
# Layers with more columns get no moments, whose time and memory grow with the square.
MOST_COLUMNS = 4608

Array: TypeAlias = NDArray[Any]
Batch: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True)
class Statistics:
    """What was observed of a graph's values on real inputs.

    Attributes:
        intervals: Value → the numbers that 0 and 255 in uint8 stand for; zero lies between them.
        moments: Node → float64 [columns, columns], see `rounding.compensated`.
        work: Node → its multiplications.
    """

    intervals: dict[str, tuple[float, float]]
    moments: dict[str, rounding.Float64]
    work: dict[str, int]
    _integers: dict[str, NDArray[np.int8]] = field(default_factory=dict, repr=False, compare=False)

    def rounded(
        self, node: str, weights: rounding.Float64, step: rounding.Float64
    ) -> NDArray[np.int8]:
        """Return a node's weights [rows, columns] as integers, see `rounding.compensated`.

        They are the same in each choice of nodes, and it takes seconds to compute those of a large
        layer, so they are computed once.
        """
        if node not in self._integers:
            moments = self.moments.get(node)
            self._integers[node] = (
                rounding.nearest(weights, step)
                if moments is None
                else rounding.compensated(weights, step, moments)
            )
        return self._integers[node]


def prepared(graph: bytes) -> bytes:
    """Return the graph in an opset that can express int8, with each Gelu as one operator.

    Its values keep their names.
    """
    model = onnx.load_from_string(graph)
    opset = next(item.version for item in model.opset_import if item.domain == "")
    has_gelu = gelu.has_any(model)
    wanted = gelu.OPSET if has_gelu else OPSET
    if opset >= wanted and not has_gelu:
        return graph
    if opset < wanted:
        model = onnx.version_converter.convert_version(model, wanted)
        model.ir_version = IR_VERSION
    gelu.fused(model)
    serialized: bytes = model.SerializeToString(deterministic=True)
    return serialized


def candidates(graph: bytes) -> dict[str, str]:
    """Return the nodes that could compute in int8, named by their outputs, with their kinds.

    A kind is "first" (the node sees the picture), "depthwise", "pointwise", "spatial" or "product".
    """
    editor = Editor(onnx.load_from_string(graph))
    return {node.output[0]: _kind(editor, node) for node in _candidates(editor)}


def statistics(graph: bytes, inputs: Sequence[Batch]) -> Statistics:
    """Run a graph on inputs uint8 [N, H, W, 3] and observe what its candidates take and give."""
    model = onnx.load_from_string(graph)
    editor = Editor(model)
    nodes = list(_candidates(editor))
    ends_of = {node.output[0]: _end(editor, node) for node in nodes}
    values = [value for node in nodes for value in (node.input[0], ends_of[node.output[0]])]
    values = [value for value in dict.fromkeys(values) if editor.is_computed(value)]
    floors = {value: _floor(editor, value) for value in values}
    outside = {item.name for item in model.graph.output}
    seen = [onnx.ValueInfoProto(name=value) for value in values if value not in outside]
    model.graph.output.extend(seen)
    # One thread, because several would sum in another order each time.
    run = onnx_runner(model.SerializeToString(), values, threads=1)
    ends = dict.fromkeys(values, (0.0, 0.0))
    for batch in inputs:
        for value, array in zip(values, run([batch]), strict=True):
            low, high = ends[value]
            least = max(float(array.min()), floors[value])
            ends[value] = min(low, least), max(high, float(array.max()))
    counts = {value: np.zeros(BINS, np.int64) for value in values}
    moments: dict[str, rounding.Float64] = {}
    work = dict.fromkeys(ends_of, 0)
    for batch in inputs:
        found = dict(zip(values, run([batch]), strict=True))
        for value, array in found.items():
            held = np.maximum(array, floors[value])
            counts[value] += np.histogram(held, BINS, ends[value])[0]
        for node in nodes:
            name, weights = node.output[0], _weights(editor, node)
            work[name] += found[ends_of[name]].size * weights.size // _outputs(node, weights)
            wanted = max(POSITIONS, POSITIONS_PER_COLUMN * weights.size // _outputs(node, weights))
            columns = _columns(node, weights, found[node.input[0]], wanted // len(inputs) + 1)
            if columns is not None:
                moments[name] = moments.get(name, 0) + columns.T @ columns
    best = {value: _best_interval(counts[value], *ends[value]) for value in values}
    return Statistics(best, moments, work)


def quantize(graph: bytes, found: Statistics, nodes: Collection[str]) -> bytes:
    """Return a graph with some of its candidates in int8.

    Args:
        graph: The graph as `prepared` returns it.
        found: What `statistics` returns for this graph.
        nodes: The candidates to convert.
    """
    model = onnx.load_from_string(graph)
    editor = Editor(model)
    rounder = _Rounder(editor, found)
    for node in list(_candidates(editor)):
        if node.output[0] in nodes:
            rounder.round(node)
    editor.tidy()
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    serialized: bytes = model.SerializeToString(deterministic=True)
    return serialized


def _candidates(editor: Editor) -> Iterator[onnx.NodeProto]:
    for node in editor.nodes(*OPERATORS):
        weights = editor.constant(node.input[1])
        if weights is None or weights.dtype != np.float32 or not editor.is_computed(node.input[0]):
            continue
        known_bias = all(editor.constant(bias) is not None for bias in node.input[2:3])
        if weights.ndim == (2 if node.op_type == "MatMul" else 4) and known_bias:
            yield node


def _kind(editor: Editor, node: onnx.NodeProto) -> str:
    if node.op_type == "MatMul":
        return "product"
    _, taken, *size = _weights(editor, node).shape
    if attribute(node, "group", 1) > 1:
        return "depthwise"
    if taken <= 3:
        return "first"
    return "pointwise" if size == [1, 1] else "spatial"


def _weights(editor: Editor, node: onnx.NodeProto) -> Array:
    weights = editor.constant(node.input[1])
    assert weights is not None
    return weights


def _end(editor: Editor, node: onnx.NodeProto) -> str:
    """Return the output of the Relu that alone reads a node's output, or else that output."""
    relu = editor.sole_consumer(node.output[0], "Relu")
    return str(node.output[0] if relu is None else relu.output[0])


def _floor(editor: Editor, value: str) -> float:
    reader = editor.sole_consumer(value, *FLOORS)
    return -np.inf if reader is None else FLOORS[reader.op_type]


def _outputs(node: onnx.NodeProto, weights: Array) -> int:
    """Return the number of channels that a node gives."""
    return int(weights.shape[1 if node.op_type == "MatMul" else 0])


def _columns(node: onnx.NodeProto, weights: Array, given: Array, wanted: int) -> Array | None:
    """Return the numbers that a node multiplies its weights by, float64 [positions, columns].

    The number of positions is about the wanted one. The result is None for a depthwise convolution,
    whose outputs depend on few inputs, and for a node with too many columns.
    """
    if node.op_type == "MatMul":
        rows = given.reshape(-1, given.shape[-1])
    elif attribute(node, "group", 1) == 1 and weights[0].size <= MOST_COLUMNS:
        rows = _patches(node, given, weights.shape[2:], wanted)
    else:
        return None
    step = max(1, len(rows) // wanted)
    return np.asarray(rows[::step], np.float64)


def _patches(node: onnx.NodeProto, given: Array, size: tuple[int, ...], wanted: int) -> Array:
    """Return the windows of a convolution over [N, C, H, W], [positions, C * height * width].

    If there are many positions, not many more than wanted are returned.
    """
    if attribute(node, "auto_pad", b"NOTSET") != b"NOTSET":
        return np.empty((0, given.shape[1] * size[0] * size[1]))
    pads = attribute(node, "pads", [0, 0, 0, 0])
    padded = np.pad(given, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    spread = attribute(node, "dilations", [1, 1])
    window = [spread[i] * (size[i] - 1) + 1 for i in range(2)]
    seen = np.lib.stride_tricks.sliding_window_view(padded, window, axis=(2, 3))
    high, wide = attribute(node, "strides", [1, 1])
    seen = seen[:, :, ::high, ::wide, :: spread[0], :: spread[1]]
    # Positions are thinned out before the copy: a picture has hundreds of thousands of them.
    positions = seen.shape[0] * seen.shape[2] * seen.shape[3]
    thin = max(1, int((positions / wanted) ** 0.5))
    seen = seen[:, :, ::thin, ::thin].transpose(0, 2, 3, 1, 4, 5)
    return np.asarray(seen.reshape(-1, given.shape[1] * size[0] * size[1]))


def _best_interval(counts: NDArray[np.int64], low: float, high: float) -> tuple[float, float]:
    """Return the interval with the least squared loss by rounding and by clipping a histogram."""
    edges = np.linspace(low, high, BINS + 1)
    centers = (edges[1:] + edges[:-1]) / 2
    total = counts.sum()

    def loss(ends: tuple[float, float]) -> float:
        cut = centers - np.clip(centers, *ends)
        return float((counts * cut**2).sum() + total * (ends[1] - ends[0]) ** 2 / 255**2 / 12)

    lows, highs = (low * SHARES if low else [0.0]), (high * SHARES if high else [0.0])
    return min(((float(a), float(b)) for a in lows for b in highs), key=loss)


class _Rounder:
    """A graph into which the patterns of int8 are put, one node after the other."""

    def __init__(self, editor: Editor, found: Statistics) -> None:
        self._editor, self._found = editor, found
        self._rounded: dict[str, tuple[str, np.float32]] = {}

    def round(self, node: onnx.NodeProto) -> None:
        editor = self._editor
        weights = _weights(editor, node)
        rows = np.asarray(weights.T if node.op_type == "MatMul" else weights, np.float64)
        shape, rows = rows.shape, rows.reshape(len(rows), -1)
        steps = rounding.steps(rows)
        integers = self._found.rounded(node.output[0], rows, steps).reshape(shape)
        end = _end(editor, node)
        node.input[0], step = self._through(node.input[0])
        axis = 1 if node.op_type == "MatMul" else 0
        integers = integers.T if axis else integers
        node.input[1] = self._constant(integers, steps, axis, node.input[1])
        if len(node.input) > 2 and node.input[2]:
            bias = np.asarray(editor.constant(node.input[2]), np.float64)
            steps = steps * float(step)
            limits = np.iinfo(np.int32)
            whole = np.clip(np.round(bias / steps), limits.min, limits.max).astype(np.int32)
            node.input[2] = self._constant(whole, steps, 0, node.input[2])
        # A product's sums become float32 at no cost, a convolution's don't.
        if node.op_type == "Conv" and end not in self._rounded:
            self._through(end, everybody=not editor.is_output(end))

    def _through(self, value: str, everybody: bool = False) -> tuple[str, np.float32]:
        """Round a value through uint8; with `everybody` all its readers get the rounded value."""
        if value in self._rounded:
            return self._rounded[value]
        editor = self._editor
        low, high = self._found.intervals[value]
        step = np.float32(max((high - low) / 255, 1e-8))
        zero = np.uint8(np.clip(np.round(-low / step), 0, 255))
        integers, rounded = editor.new_name(f"{value}.uint8"), editor.new_name(f"{value}.rounded")
        if everybody:
            editor.replace(value, rounded)
        scale = editor.add_constant(np.array(step), f"{value}.step")
        point = editor.add_constant(np.array(zero), f"{value}.zero")
        editor.add_node("QuantizeLinear", [value, scale, point], integers)
        editor.add_node("DequantizeLinear", [integers, scale, point], rounded)
        self._rounded[value] = self._rounded[rounded] = rounded, step
        return self._rounded[value]

    def _constant(self, integers: Array, steps: Array, axis: int, name: str) -> str:
        editor = self._editor
        inputs = [
            editor.add_constant(integers, f"{name}.{integers.dtype.name}"),
            editor.add_constant(steps.astype(np.float32), f"{name}.steps"),
            editor.add_constant(np.zeros(len(steps), integers.dtype), f"{name}.zeros"),
        ]
        rounded = editor.new_name(f"{name}.rounded")
        editor.add_node("DequantizeLinear", inputs, rounded, axis=axis)
        return rounded
