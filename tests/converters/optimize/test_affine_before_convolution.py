"""Affine steps between an activation and convolutions become part of the convolutions."""

import numpy as np
import onnx
import pytest

from converters.optimize import affine_before_convolution as module
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
    run,
    session,
)

GIVEN: dict[str, Shape] = {"x": ["N", 6, "H", "W"]}


def steps(build: Build, value: str, last: str = "") -> str:
    """Add a scale and an offset for each of six channels."""
    value = build.add("Mul", value, build.weights(6, 1, 1), to="scaled")
    return build.add("Add", value, build.weights(1, 6, 1, 1), to=last or "moved")


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("activation", module.ACTIVATIONS)
def test_both_steps_pass_through_a_convolution_without_padding(opset, activation):
    if activation == "HardSwish" and opset < 14:
        pytest.skip("came with opset 14")
    build = Build(opset)
    build.conv(steps(build, build.add(activation, "x")), 6, 4, 3, to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["scaled", "moved"]
    assert operators(after) == {activation: 1, "Conv": 1}
    require_same(before, after, pixels(2, 6, 7, 5))


@pytest.mark.parametrize("group", [1, 2, 6])
@pytest.mark.parametrize("bias", [True, False])
def test_groups_have_their_own_channels(group, bias):
    build = Build()
    value = steps(build, build.add("Relu", "x"))
    build.conv(value, 6, 12, 3, group=group, strides=[2, 1], bias=bias, to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["scaled", "moved"]
    assert operators(after) == {"Relu": 1, "Conv": 1}
    require_same(before, after, pixels(2, 6, 7, 5))


@pytest.mark.parametrize("shape", [(), (1,), (1, 1, 1, 1), (6, 1, 1), (1, 6, 1, 1)])
@pytest.mark.parametrize("operator", ["Mul", "Div"])
def test_scale_passes_through_padding(shape, operator):
    build = Build()
    value = build.add(operator, build.add("Relu", "x"), build.weights(*shape), to="scaled")
    build.conv(value, 6, 4, 3, pads=[1, 2, 1, 0], to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["scaled"]
    assert operators(after) == {"Relu": 1, "Conv": 1}
    require_same(before, after, pixels(2, 6, 4, 3))


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("group", [1, 6])
def test_offset_stays_before_padding(opset, group):
    """The steps become one depthwise convolution, since padding has zeros instead of the offset."""
    build = Build(opset)
    value = steps(build, build.add("Relu", "x"))
    build.conv(value, 6, 6, 3, pads=[1, 1, 1, 1], group=group, to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["scaled", "moved"]
    assert operators(after) == {"Conv": 2, "Relu": 1}
    made = node_of(after, "moved")
    assert {item.name: onnx.helper.get_attribute_value(item) for item in made.attribute} == {
        "group": 6,
        "kernel_shape": [1, 1],
    }
    given = pixels(2, 6, 5, 4)
    require_same(before, after, given)
    (ours,), (theirs,) = run(after, given), run(before, given)
    border = np.ones((5, 4), bool)
    border[1:-1, 1:-1] = False
    tolerance = 1e-5 * np.abs(theirs).max()
    np.testing.assert_allclose(ours[..., border], theirs[..., border], rtol=0, atol=tolerance)
    # Had the offset gone into the bias, exactly the border would be another.
    inside = run(without_padding(before), given)[0]
    np.testing.assert_allclose(theirs[..., 1:-1, 1:-1], inside, rtol=0, atol=tolerance)
    assert (np.abs(theirs - folded_anyway(before, given)).max(axis=(0, 1)) > 0.1)[border].all()


def without_padding(graph: bytes) -> bytes:
    model = onnx.load_from_string(graph)
    for node in model.graph.node:
        for item in node.attribute:
            if item.name == "pads":
                item.ints[:] = [0] * 4
    return model.SerializeToString()


def folded_anyway(graph: bytes, given: np.ndarray) -> np.ndarray:
    """Return the convolution's output as if the padding, Relu(0), had the offset too."""
    wide = np.pad(given, [(0, 0), (0, 0), (1, 1), (1, 1)])
    return run(without_padding(graph), wide)[0]


@pytest.mark.parametrize("bounds", [{"auto_pad": "VALID"}, {"pads": [0, 0, 0, 0]}])
def test_both_steps_pass_through_padding_that_adds_nothing(bounds):
    build = Build()
    build.conv(steps(build, build.add("Relu", "x")), 6, 4, 3, to="y", **bounds)
    before = build.model(GIVEN, ["y"])
    after, _ = rewritten(module, before)
    assert operators(after) == {"Relu": 1, "Conv": 1}
    require_same(before, after, pixels(2, 6, 7, 5))


@pytest.mark.parametrize(
    ("kernel", "strides", "convolutions"), [(1, 1, 1), (1, 2, 2), (3, 1, 2), (2, 1, 2)]
)
def test_automatic_padding(kernel, strides, convolutions):
    build = Build()
    value = steps(build, build.add("Relu", "x"))
    bounds = {"auto_pad": "SAME_UPPER", "strides": [strides] * 2}
    build.conv(value, 6, 4, kernel, to="y", **bounds)
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["scaled", "moved"]
    assert operators(after)["Conv"] == convolutions
    require_same(before, after, pixels(2, 6, 7, 5))


def test_each_of_two_convolutions_gets_the_steps():
    build = Build()
    value = steps(build, build.add("HardSwish", "x"))
    build.conv(value, 6, 4, to="y")
    build.conv(value, 6, 3, 3, to="z")
    before = build.model(GIVEN, ["y", "z"])
    after, nodes = rewritten(module, before)
    assert nodes == ["scaled", "moved"]
    assert operators(after) == {"HardSwish": 1, "Conv": 2}
    require_same(before, after, pixels(2, 6, 7, 5))


@pytest.mark.parametrize("other", ["Relu", "outside"])
def test_other_readers_of_the_steps_still_get_their_result(other):
    """In this case, the steps stay as one convolution."""
    build = Build()
    value = steps(build, build.add("Relu", "x"))
    build.conv(value, 6, 4, to="y")
    if other == "Relu":
        build.add("Sigmoid", value, to="z")
    before = build.model(GIVEN, ["y", "z" if other == "Relu" else "moved"])
    after, nodes = rewritten(module, before)
    assert nodes == ["scaled", "moved"]
    assert operators(after)["Conv"] == 2 and not {"Mul", "Add"} & set(operators(after))
    require_same(before, after, pixels(2, 6, 7, 5))


def test_chain_with_a_normalization_passes_through():
    build = Build()
    value = steps(build, build.add("Relu", "x"))
    numbers = [build.weights(6) for _ in range(3)]
    variance = build.constant(build.random.uniform(0.5, 2, 6))
    value = build.add("BatchNormalization", value, *numbers, variance, to="normal")
    value = build.add("Sub", value, build.weights(1), to="less")
    build.conv(value, 6, 4, 3, pads=[1, 1, 1, 1], to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["scaled", "moved", "normal", "less"]
    assert operators(after) == {"Conv": 2, "Relu": 1}
    require_same(before, after, pixels(2, 6, 7, 5))


def test_consecutive_pairs_pass_through_one_by_one():
    build = Build()
    value = steps(build, build.add("Relu", "x"))
    value = build.conv(value, 6, 6, 3, pads=[1, 1, 1, 1])
    value = build.add("Mul", build.add("Relu", value), build.weights(1), to="second")
    value = build.add("Add", value, build.weights(1), to="third")
    build.conv(value, 6, 4, to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["scaled", "moved", "second", "third"]
    assert operators(after) == {"Conv": 3, "Relu": 2}
    require_same(before, after, pixels(2, 6, 7, 5))


def gelu(build: Build, value: str) -> str:
    inner = build.add("Div", value, build.constant(np.sqrt(2)))
    inner = build.add("Add", build.add("Erf", inner), build.constant(1))
    return build.add("Mul", build.add("Mul", value, inner), build.constant(0.5))


def test_gelu_keeps_its_factor(tmp_path):
    """A product has no step taken away, so that ONNX Runtime goes on seeing the GELU."""
    build = Build()
    build.conv(gelu(build, build.conv("x", 6, 6)), 6, 4, to="y")
    before = build.model(GIVEN, ["y"])
    require_untouched(module, before)
    fused = tmp_path / "fused.onnx"
    session(rewritten(module, before)[0], str(fused))
    counts = operators(fused.read_bytes())
    assert counts["Gelu"] == 1 and "Erf" not in counts


def without_end(build: Build, value: str) -> str:
    return build.add("Sigmoid", steps(build, value), to="y")


UNTOUCHED = {
    "a single offset before padding": lambda b, v: b.conv(
        b.add("Add", v, b.weights(6, 1, 1)), 6, 4, 3, pads=[1, 1, 1, 1], to="y"
    ),
    "a single offset along the width": lambda b, v: b.conv(
        b.add("Add", v, b.weights(5)), 6, 4, to="y"
    ),
    "a scale that is computed": lambda b, v: b.conv(
        b.add("Mul", v, b.add("GlobalAveragePool", v)), 6, 4, to="y"
    ),
    "no convolution": without_end,
    "weights that are computed": lambda b, v: b.add(
        "Conv", steps(b, v), b.add("Neg", b.weights(4, 6, 1, 1)), to="y"
    ),
    "a bias that is computed": lambda b, v: b.add(
        "Conv", steps(b, v), b.weights(4, 6, 1, 1), b.add("Neg", b.weights(4)), to="y"
    ),
    "a transposed convolution": lambda b, v: b.add(
        "ConvTranspose", steps(b, v), b.weights(6, 4, 2, 2), to="y"
    ),
    "no activation": lambda b, v: b.conv(
        steps(b, b.add("Transpose", v, perm=[0, 1, 3, 2])), 6, 4, to="y"
    ),
    "a normalization": lambda b, v: b.conv(
        b.add("BatchNormalization", v, *(b.constant(np.ones(6)) for _ in range(4))), 6, 4, to="y"
    ),
    "a scale that others read too": lambda b, v: b.conv(
        b.add("Sum", b.add("Mul", v, b.weights(1), to="s"), b.add("Neg", "s")), 6, 4, to="y"
    ),
}


@pytest.mark.parametrize("case", UNTOUCHED)
def test_other_steps_are_left_alone(case):
    build = Build()
    UNTOUCHED[case](build, build.add("Relu", "x"))
    require_untouched(module, build.model({"x": [2, 6, 5, 5]}, ["y"]))


def test_single_scale_that_is_an_output_is_left_alone():
    build = Build()
    value = build.add("Mul", build.add("Relu", "x"), build.weights(1), to="z")
    build.conv(value, 6, 4, to="y")
    require_untouched(module, build.model(GIVEN, ["y", "z"]))


def test_numbers_of_another_type_are_left_alone():
    build = Build(dtype=np.float64)
    build.conv(steps(build, build.add("Relu", "x")), 6, 4, to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))


def test_single_channel_that_becomes_many_is_left_alone():
    build = Build()
    value = build.add("Relu", build.conv("x", 6, 1))
    build.conv(steps(build, value), 6, 4, to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))
