"""Sums of a gated map and an enlarged map."""

import onnx
import onnxruntime as ort
import pytest

from converters.optimize import gate_in_product, optimize
from converters.optimize import gated_sum as module
from tests.support.gated_graphs import depthwise, enlarged, gate, gate_plus_one
from tests.support.rewrite_graphs import (
    OPSETS,
    Build,
    Shape,
    node_of,
    operators,
    pixels,
    require_same,
    require_untouched,
    rewritten,
)

GIVEN: dict[str, Shape] = {"x": ["N", 4, "H", "W"], "small": ["N", 4, "h", "w"]}
FEEDS = (pixels(2, 4, 6, 4), pixels(2, 4, 3, 2, seed=2))


def pyramid(opset: int = 17, *, product_first: bool = True, small_gated: bool = False) -> bytes:
    """Return a level of a pyramid: a gated map, an enlarged map, and the convolutions after it."""
    build = Build(opset)
    product = build.add("Mul", build.conv("x", 4, 4), gate_plus_one(build, "x", 4))
    small = build.conv("small", 4, 4)
    if small_gated:
        small = build.add("Mul", small, gate_plus_one(build, "small", 4))
    terms = [product, enlarged(build, small)]
    total = build.add("Add", *(terms if product_first else terms[::-1]), to="sum")
    build.conv(depthwise(build, total, 4), 4, 2, to="y")
    return build.model(GIVEN, ["y"])


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("product_first", [True, False])
@pytest.mark.parametrize("small_gated", [True, False])
def test_sum_is_taken_before_the_gate(opset, product_first, small_gated):
    before = pyramid(opset, product_first=product_first, small_gated=small_gated)
    after, nodes = rewritten(module, before)
    assert nodes == ["sum"]
    assert node_of(after, "sum").op_type == "Mul"
    inner = node_of(after, node_of(after, "sum").input[0])
    assert inner.op_type == "Add" and node_of(after, inner.input[0]).op_type == "Conv"
    require_same(before, after, *FEEDS)


def test_two_gates_become_one_quotient():
    after, _ = rewritten(module, pyramid(small_gated=True))
    pooled = [node for node in onnx.load_from_string(after).graph.node if node.op_type == "MaxPool"]
    product = node_of(after, pooled[0].input[0])
    assert node_of(after, product.input[0]).op_type == "Conv"
    assert node_of(after, product.input[1]).op_type == "Mul"


def test_onnx_runtime_adds_within_the_convolution(tmp_path):
    """The declared sizes are what ONNX Runtime needs to know for it, where it has NCHWc."""
    build = Build()
    wide, narrow = 32, 16
    x = build.conv("x", 4, wide)
    product = build.add("Mul", build.conv(x, wide, wide), gate_plus_one(build, x, wide))
    total = build.add("Add", product, enlarged(build, build.conv("small", 4, wide)))
    build.conv(depthwise(build, total, wide), wide, narrow, to="y")
    before = build.model(GIVEN, ["y"])
    after, _ = optimize(before, (module, gate_in_product))
    found = {}
    for name, graph in (("before", before), ("after", after)):
        options = ort.SessionOptions()
        options.log_severity_level = 4
        options.optimized_model_filepath = str(tmp_path / f"{name}.onnx")
        ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        found[name] = onnx.load(options.optimized_model_filepath).graph.node
    blocked = any(node.domain == "com.microsoft.nchwc" for node in found["after"])
    with_sum = [node for node in found["after"] if node.op_type == "Conv" and len(node.input) == 4]
    assert len(with_sum) == blocked
    assert not any(len(node.input) == 4 for node in found["before"] if node.op_type == "Conv")


def varied(case: str) -> bytes:
    build = Build()
    x = build.conv("x", 4, 4)
    factor = gate(build, "x", 4) if case == "gate" else gate_plus_one(build, "x", 4)
    product = build.add("Mul", build.add("Neg", x) if case == "no convolution" else x, factor)
    mode = "linear" if case == "linear" else "nearest"
    wide = enlarged(build, build.conv("small", 4, 4), mode=mode)
    total = build.add("Sub" if case == "difference" else "Add", product, wide)
    if case == "no depthwise convolution":
        build.conv(total, 4, 2, 3, pads=[1, 1, 1, 1], to="y")
    else:
        build.conv(depthwise(build, total, 4), 4, 2, to="y")
    outputs = {"product is read": ["y", product], "sum is an output": ["y", total]}
    return build.model(GIVEN, outputs.get(case, ["y"]))


@pytest.mark.parametrize(
    "case",
    [
        "gate",
        "no convolution",
        "linear",
        "difference",
        "no depthwise convolution",
        "product is read",
        "sum is an output",
    ],
)
def test_other_sums_are_left_alone(case):
    require_untouched(module, varied(case))


def test_gate_then_moves_into_the_product():
    before = pyramid(small_gated=True)
    after, made = optimize(before, (module, gate_in_product))
    assert [rewrite.name for rewrite in made] == ["gated_sum", "gate_in_product"]
    # Those of the small map, of the gates and of the weights; none of the large map is left.
    assert operators(after)["Mul"] == 3
    require_same(before, after, *FEEDS)
