"""Build small graphs with random weights, and check what rewrites make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

from converters.graph.reading import operator_counts
from converters.optimize import optimize
from tests.support import onnx_run

OPSETS = (13, 17)
Shape = Sequence[int | str]


class Build:
    """A graph that is built node by node; its values are referred to by their names."""

    def __init__(self, opset: int = 17, seed: int = 0, dtype: Any = np.float32) -> None:
        self.opset = opset
        self.dtype = np.dtype(dtype)
        self.random = np.random.default_rng(seed)
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: list[onnx.TensorProto] = []

    def constant(self, value: Any, dtype: Any = None) -> str:
        """Add an initializer and return its name."""
        name = f"c{len(self._initializers)}"
        array = np.asarray(value, self.dtype if dtype is None else dtype)
        self._initializers.append(numpy_helper.from_array(array, name))
        return name

    def weights(self, *shape: int) -> str:
        """Add an initializer of random numbers, none of which is near zero, and return its name."""
        signs = self.random.choice([-1, 1], shape)
        return self.constant(signs * self.random.uniform(0.3, 1.2, shape))

    def add(self, operator: str, *inputs: str, to: str = "", **attributes: Any) -> str:
        """Add a node with one output; return the output's name, which is `to` or made up."""
        output = to or f"v{len(self._nodes)}"
        self.node(operator, inputs, [output], **attributes)
        return output

    def node(
        self, operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any
    ) -> None:
        """Add a node, which is named after its first output that has a name."""
        name = next(name for name in outputs if name)
        self._nodes.append(helper.make_node(operator, inputs, outputs, name=name, **attributes))

    def conv(self, value: str, taken: int, given: int, kernel: int = 1, **attributes: Any) -> str:
        """Add a convolution, with a bias unless `bias=False`, and return the name of its output."""
        bias = attributes.pop("bias", True)
        to = attributes.pop("to", "")
        share = taken // attributes.get("group", 1)
        inputs = [value, self.weights(given, share, kernel, kernel)]
        inputs += [self.weights(given)] if bias else []
        return self.add("Conv", *inputs, to=to, kernel_shape=[kernel] * 2, **attributes)

    def model(self, inputs: Mapping[str, Shape], outputs: Sequence[str], axes: int = 4) -> bytes:
        """Return the serialized graph, whose outputs have `axes` axes of any size."""
        kind = helper.np_dtype_to_tensor_dtype(self.dtype)
        graph = helper.make_graph(
            self._nodes,
            "small",
            [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs.items()],
            [
                helper.make_tensor_value_info(name, kind, [f"{name}{i}" for i in range(axes)])
                for name in outputs
            ],
            self._initializers,
        )
        others = {node.domain for node in self._nodes} - {""}
        opsets = [helper.make_opsetid("", self.opset)]
        opsets += [helper.make_opsetid(domain, 1) for domain in sorted(others)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        onnx.checker.check_model(model)
        return model.SerializeToString()


def pixels(*shape: int, seed: int = 1, dtype: Any = np.float32) -> np.ndarray:
    """Return random numbers of both signs."""
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def operators(graph: bytes) -> dict[str, int]:
    """Return how often each operator occurs."""
    return operator_counts(onnx.load_from_string(graph))


def node_of(graph: bytes, output: str) -> onnx.NodeProto:
    """Return the node that computes a value."""
    nodes = onnx.load_from_string(graph).graph.node
    return next(node for node in nodes if output in node.output)


def weights_of(graph: bytes, node: onnx.NodeProto, position: int = 1) -> np.ndarray:
    """Return the constant that a node reads at a position of its inputs."""
    constants = onnx.load_from_string(graph).graph.initializer
    name = node.input[position]
    return numpy_helper.to_array(next(item for item in constants if item.name == name))


def session(graph: bytes, optimized: str = "") -> ort.InferenceSession:
    """Open a session that runs a graph as it stands.

    Args:
        graph: The graph.
        optimized: Where to write the graph that ONNX Runtime makes by fusing operators; if this is
            empty, it fuses none.
    """
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    if optimized:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = optimized
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def run(graph: bytes, *inputs: np.ndarray) -> list[Any]:
    """Return all outputs of a graph; its inputs are given in the graph's order."""
    return onnx_run.run(session(graph), list(inputs))


def rewritten(module: ModuleType, graph: bytes) -> tuple[bytes, list[str]]:
    """Apply one rewrite alone; return the graph, and the nodes that it reports as replaced."""
    after, made = optimize(graph, (module,))
    onnx.checker.check_model(onnx.load_from_string(after), full_check=True)
    return after, made[0].nodes if made else []


def require_same(before: bytes, after: bytes, *inputs: np.ndarray) -> None:
    """Check that both graphs compute the same, except for rounding."""
    for ours, theirs in zip(run(after, *inputs), run(before, *inputs), strict=True):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        assert np.isfinite(theirs).all()
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * np.abs(theirs).max())


def require_untouched(module: ModuleType, graph: bytes) -> None:
    """Check that a rewrite leaves a graph as it is."""
    untouched, _ = optimize(graph, ())
    after, made = optimize(graph, (module,))
    assert made == []
    assert after == untouched
