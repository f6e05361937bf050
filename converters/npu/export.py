"""Make a graph for an NPU's compiler, and say what the compiler's documentation refuses in it."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import onnx

from .. import fixed_shapes
from ..errors import ParityError
from ..fixed_shapes import Shapes
from ..graph.editor import IR_VERSION, Editor, checked
from ..graph.reading import inferred_shapes, inputs
from ..graph.runner import Array, onnx_runner
from ..model.network import Network
from .rewrites import REWRITES
from .targets import Target

logger = logging.getLogger(__name__)

# How far outputs may be from those before the rewrites, as a share of the largest value. Sums in
# another order round differently, and the differences grow from layer to layer.
TOLERANCE = 1e-4
# Untrained weights amplify rounding, so that a rewritten graph may also differ by this multiple of
# what ONNX Runtime's own optimizations change.
FACTOR = 5


@dataclass(frozen=True)
class Refusal:
    """An operator that the documentation refuses, or takes with a restriction.

    Attributes:
        operator: The operator.
        number: How many nodes have it.
        nodes: The names of the first outputs of up to three of them.
        restriction: What the documentation says; "" if it doesn't list the operator at all.
    """

    operator: str
    number: int
    nodes: list[str]
    restriction: str


@dataclass(frozen=True)
class Export:
    """A graph for an NPU's compiler, and what is known about it.

    Attributes:
        target: The compiler.
        graph: The ONNX file.
        inputs: Name → shape of each input.
        outputs: Name → shape of each output.
        opset: The version of ONNX's operators.
        operators: How often each operator occurs.
        rewrites: Names of the rewrites → how many nodes each replaced.
        difference: The largest difference of an output from those before the rewrites, as a share
            of its largest value.
        refused: Operators that the documentation doesn't list.
        restricted: Operators that it takes with a restriction.
        others: Further things to know, in words.
        mean: For compilers that normalize: what they subtract from pixels, which are from 0 to 255;
            a number for each channel.
        std: What they divide the difference by.
        colour: The order of the channels.
    """

    target: Target
    graph: bytes
    inputs: Mapping[str, list[int]]
    outputs: Mapping[str, list[int]]
    opset: int
    operators: Mapping[str, int]
    rewrites: Mapping[str, int]
    difference: float
    refused: list[Refusal]
    restricted: list[Refusal]
    others: list[str] = field(default_factory=list)
    mean: list[float] = field(default_factory=list)
    std: list[float] = field(default_factory=list)
    colour: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the graph, in JSON's types."""
        return {
            "target": self.target.name,
            "source": self.target.source,
            "inputs": dict(self.inputs),
            "outputs": dict(self.outputs),
            "opset": self.opset,
            "operators": dict(self.operators),
            "rewrites": dict(self.rewrites),
            "difference": self.difference,
            "refused": [asdict(each) for each in self.refused],
            "restricted": [asdict(each) for each in self.restricted],
            "others": self.others,
            "mean": self.mean,
            "std": self.std,
            "colour": self.colour,
        }

    def to_json(self) -> bytes:
        """Return the content of npu.json."""
        return (json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n").encode()


def export(plain: bytes, target: Target, shapes: Shapes, network: Network) -> Export:
    """Turn a network's plain graph into a graph for a compiler.

    The input stays float32 [N, C, H, W], normalized as the network wants it, and the outputs are
    the network's own: what chooses characters or regions from them runs on the CPU.

    Args:
        plain: The plain graph.
        target: The compiler.
        shapes: The shapes of its inputs, which must leave no size open.
        network: What the network is.

    Raises:
        ConverterError: A shape doesn't fit the network or its strides, or leaves sizes open.
        ParityError: The rewritten graph computes something else.
    """
    if network.task != "unwarping":  # which takes any size, whatever its inner network sees
        fed = inputs(onnx.load_from_string(plain).graph)
        fixed_shapes.check_strides(shapes, network, [item.name for item in fed])
    fixed = fixed_shapes.fix(plain, shapes)
    model = onnx.load_from_string(fixed)
    replaced = rewritten(model, target)
    model.ir_version = min(model.ir_version, IR_VERSION)
    graph = checked(model)
    difference = compared(fixed, graph, model)
    operators = Counter(node.op_type for node in model.graph.node)
    opset = next(item.version for item in model.opset_import if not item.domain)
    normalize = network.normalize
    scale = normalize.scale
    return Export(
        target,
        graph,
        _sizes(model.graph.input),
        _sizes(model.graph.output),
        opset,
        dict(operators.most_common()),
        replaced,
        difference,
        _refused(model, target),
        _restricted(model, target),
        _others(model, target, opset),
        mean=[round(value / scale, 6) for value in normalize.mean],
        std=[round(value / scale, 6) for value in normalize.std],
        colour=normalize.colour,
    )


def rewritten(model: onnx.ModelProto, target: Target) -> dict[str, int]:
    """Replace what a compiler doesn't take, in place; return how many nodes were replaced.

    A rewrite is used where the compiler lists none of the operators that it replaces and all that
    it writes. Those that keep the values bit by bit are used for every compiler.
    """
    editor = Editor(model)
    replaced = {}
    for module in REWRITES:
        listed = target.operators
        simplifies = module.SIMPLIFIES
        wanted = simplifies or (
            listed is not None
            and not module.OPERATORS & listed.keys()
            and listed.keys() >= module.NEEDS
        )
        if not wanted or not editor.nodes(*module.OPERATORS):
            continue
        names = module.rewrite(editor, inferred_shapes(model))
        editor.tidy()
        if names:
            replaced[module.__name__.rsplit(".", 1)[-1]] = len(names)
            replacements = "/".join(sorted(module.OPERATORS))
            logger.info("rewritten %d x %s: %s", len(names), replacements, module.WHY)
    return replaced


def compared(before: bytes, after: bytes, model: onnx.ModelProto) -> float:
    """Run both graphs on the same random picture.

    Args:
        before: The graph before the rewrites.
        after: The graph after them.
        model: The graph after them, whose inputs tell the shapes and types.

    Returns:
        The largest difference of an output, as a share of its largest value.

    Raises:
        ParityError: It is more than rounding explains.
    """
    rng = np.random.default_rng(0)
    feeds = []
    for item in inputs(model.graph):
        tensor = item.type.tensor_type
        kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        shape = [size.dim_value for size in tensor.shape.dim]
        feeds.append(rng.uniform(-1, 1, shape).astype(kind))
    expected = onnx_runner(before, None, optimized=False)(feeds)
    got = onnx_runner(after, None, "graph for the NPU", optimized=False)(feeds)
    worst = _largest(got, expected)
    rounding = _largest(onnx_runner(before, None)(feeds), expected)
    if not worst <= max(TOLERANCE, FACTOR * rounding):
        raise ParityError(
            f"the graph for the NPU is {worst:.1e} from the plain graph, as a share of the largest "
            "value: report it with the network"
        )
    return worst


def _largest(got: Sequence[Array], expected: Sequence[Array]) -> float:
    """Return the largest difference of an output as a share of its largest value."""
    return max(
        float(np.abs(a - b).max(initial=0)) / max(float(np.abs(b).max(initial=0)), 1e-30)
        for a, b in zip(got, expected, strict=True)
    )


def _refused(model: onnx.ModelProto, target: Target) -> list[Refusal]:
    if target.operators is None:
        return []
    listed = target.operators
    return _refusals(model, {op: "" for op in _used(model) if op not in listed})


def _restricted(model: onnx.ModelProto, target: Target) -> list[Refusal]:
    notes = target.operators or {}
    return _refusals(model, {op: notes[op] for op in _used(model) if notes.get(op)})


def _refusals(model: onnx.ModelProto, given: Mapping[str, str]) -> list[Refusal]:
    found = []
    for operator, restriction in given.items():
        nodes = [node.output[0] for node in model.graph.node if node.op_type == operator]
        found.append(Refusal(operator, len(nodes), nodes[:3], restriction))
    return found


def _used(model: onnx.ModelProto) -> Sequence[str]:
    return sorted({node.op_type for node in model.graph.node})


def _others(model: onnx.ModelProto, target: Target, opset: int) -> list[str]:
    """Return further notes about the documentation and about the graph."""
    said = [f"sizes: {target.shapes}", f"data types: {target.types}"]
    if target.opset is not None and opset > target.opset:
        said.append(
            f"the graph has opset {opset}, the documentation covers versions up to {target.opset}"
        )
    known = inferred_shapes(model)
    most = max((len(sizes) for sizes in known.values()), default=0)
    said.append(f"no value has more than {most} axes")
    return said


def _sizes(declared: Any) -> dict[str, list[int]]:
    return {
        item.name: [size.dim_value for size in item.type.tensor_type.shape.dim] for item in declared
    }
