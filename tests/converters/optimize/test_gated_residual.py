"""Gated maps and branches of them."""

import onnx
import onnxruntime as ort
import pytest

from converters.optimize import gated_residual as module
from converters.optimize import optimize
from tests.support.gated_graphs import gate
from tests.support.rewrite_graphs import (
    OPSETS,
    Build,
    Shape,
    node_of,
    pixels,
    require_same,
    require_untouched,
    rewritten,
)

GIVEN: dict[str, Shape] = {"x": ["N", 4, "H", "W"]}


def gelu(build: Build, value: str) -> str:
    """Add Gelu in the five steps in which it is exported."""
    erf = build.add("Erf", build.add("Div", value, build.constant(1.4142135)))
    product = build.add("Mul", value, build.add("Add", erf, build.constant(1)))
    return build.add("Mul", product, build.constant(0.5))


def block(
    opset: int = 17,
    *,
    channels: int = 4,
    mean: bool = False,
    case: str = "",
    product_first: bool = True,
) -> bytes:
    """Return a block: a map, its gate, a branch of the gated map, and the sum."""
    build = Build(opset)
    map_ = build.conv("x", 4, channels)
    if mean:
        pooled = build.add("ReduceMean", map_, axes=[2, 3], keepdims=1)
        inner = build.add("Relu", build.conv(pooled, channels, 2))
        factor = build.add("Sigmoid", build.conv(inner, 2, channels))
    else:
        factor = gate(build, map_, channels)
    product = build.add("Mul", map_, factor, to="gated")
    inside = build.conv(product, channels, 2 * channels)
    inside = build.add("Relu", inside) if case == "Relu" else gelu(build, inside)
    kernel = 3 if case == "3x3" else 1
    last = build.conv(inside, 2 * channels, channels, kernel, pads=[kernel // 2] * 4)
    if case == "another branch":
        last = build.conv("x", 4, channels)
    if case == "activation":
        last = build.add("Relu", last)
    terms = [product, last] if product_first else [last, product]
    total = build.add("Sub" if case == "difference" else "Add", *terms)
    build.conv(total, channels, 4, to="y")
    return build.model(GIVEN, ["y", "gated"] if case == "output" else ["y"])


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("mean", [True, False])
@pytest.mark.parametrize("case", ["", "Relu"])
@pytest.mark.parametrize("product_first", [True, False])
def test_pooling_stands_after_the_gate(opset, mean, case, product_first):
    before = block(opset, mean=mean, case=case, product_first=product_first)
    after, nodes = rewritten(module, before)
    assert nodes == ["gated"]
    pooling = node_of(after, "gated")
    assert pooling.op_type == "MaxPool"
    assert node_of(after, pooling.input[0]).op_type == "Mul"
    require_same(before, after, pixels(2, 4, 5, 3))
    assert optimize(after, (module,)) == (after, [])


@pytest.mark.parametrize("case", ["another branch", "activation", "difference", "output", "3x3"])
def test_other_blocks_are_left_alone(case):
    require_untouched(module, block(case=case))


def test_onnx_runtime_adds_within_the_convolution(tmp_path):
    before = block(channels=32)
    after, _ = optimize(before, (module,))
    found = {}
    for name, graph in (("before", before), ("after", after)):
        options = ort.SessionOptions()
        options.log_severity_level = 4
        options.optimized_model_filepath = str(tmp_path / f"{name}.onnx")
        ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        found[name] = onnx.load(options.optimized_model_filepath).graph.node
    blocked = any(node.domain == "com.microsoft.nchwc" for node in found["after"])
    sums = {
        name: sum(node.op_type == "Conv" and len(node.input) == 4 for node in nodes)
        for name, nodes in found.items()
    }
    assert sums == {"before": 0, "after": int(blocked)}
