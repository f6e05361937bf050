"""An image's normalization goes into the first convolution."""

import numpy as np
import pytest
from onnx import TensorProto

from converters.optimize import normalization as module
from tests.support.rewrite_graphs import (
    OPSETS,
    Build,
    Shape,
    operators,
    pixels,
    require_same,
    require_untouched,
    rewritten,
)

GIVEN: dict[str, Shape] = {"x": ["N", 3, "H", "W"]}
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def normalized(build: Build, mean: list[float]) -> str:
    """Add the normalization of an edge graph; only its Cast isn't folded into a convolution."""
    shape = (1, -1, 1, 1)
    build.node("Cast", ["x"], ["pixels"], **{"to": TensorProto.FLOAT})
    value = build.add("Mul", "pixels", build.constant(1 / 255), to="a")
    value = build.add("Sub", value, build.constant(np.reshape(mean, shape)), to="b")
    return build.add("Div", value, build.constant(np.reshape(STD[: len(mean)], shape)), to="c")


def bytes_of(*shape: int) -> np.ndarray:
    return np.abs(pixels(*shape) * 80).round().astype(np.float32)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("bias", [True, False])
def test_normalization_goes_into_the_weights_except_for_the_zero(opset, bias):
    build = Build(opset)
    also = {"pads": [1, 1, 1, 1], "strides": [2, 2], "bias": bias}
    build.conv(normalized(build, MEAN), 3, 4, 3, to="y", **also)
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["a", "b", "c"]
    assert operators(after) == {"Cast": 1, "Add": 1, "Conv": 1}
    require_same(before, after, bytes_of(2, 3, 7, 5))


def test_normalization_without_offset_goes_into_the_weights_entirely():
    build = Build()
    build.conv(normalized(build, [0, 0, 0]), 3, 4, 3, pads=[1, 1, 1, 1], to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["a", "b", "c"]
    assert operators(after) == {"Cast": 1, "Conv": 1}
    require_same(before, after, bytes_of(2, 3, 7, 5))


def test_normalization_goes_into_both_convolutions_that_read_it():
    build = Build()
    value = normalized(build, MEAN)
    build.conv(value, 3, 4, 3, pads=[1, 1, 1, 1], to="y")
    build.conv(value, 3, 6, to="z", group=3)
    before = build.model(GIVEN, ["y", "z"])
    after, nodes = rewritten(module, before)
    assert nodes == ["a", "b", "c"]
    assert operators(after) == {"Cast": 1, "Add": 1, "Conv": 2}
    require_same(before, after, bytes_of(2, 3, 7, 5))


def test_grey_is_rounded_before_its_normalization():
    build = Build()
    build.add("Floor", "x", to="floor")
    value = build.add("Mul", "floor", build.constant(1 / 127.5), to="a")
    value = build.add("Sub", value, build.constant(1), to="b")
    build.conv(value, 1, 4, 3, pads=[1, 1, 1, 1], to="y")
    before = build.model({"x": ["N", 1, "H", "W"]}, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["a", "b"]
    assert operators(after) == {"Floor": 1, "Add": 1, "Conv": 1}
    require_same(before, after, bytes_of(2, 1, 7, 5))


def pool(build: Build) -> None:
    value = normalized(build, MEAN)
    build.add("MaxPool", value, kernel_shape=[2, 2], to="z")
    build.conv(value, 3, 4, to="y")


def one_step(build: Build) -> None:
    build.node("Cast", ["x"], ["pixels"], **{"to": TensorProto.FLOAT})
    build.conv(build.add("Sub", "pixels", build.weights(3, 1, 1)), 3, 4, to="y")


def scaled_by_zero(build: Build) -> None:
    build.node("Cast", ["x"], ["pixels"], **{"to": TensorProto.FLOAT})
    value = build.add("Mul", "pixels", build.constant(np.reshape([1, 0, 2], (3, 1, 1))))
    build.conv(build.add("Sub", value, build.weights(3, 1, 1)), 3, 4, to="y")


def no_cast(build: Build) -> None:
    value = build.add("Mul", build.add("Neg", "x"), build.weights(1))
    build.conv(build.add("Sub", value, build.weights(3, 1, 1)), 3, 4, to="y")


UNTOUCHED = {
    "not only convolutions": (pool, ["y", "z"]),
    "a single step": (one_step, ["y"]),
    "a factor of zero": (scaled_by_zero, ["y"]),
    "no image": (no_cast, ["y"]),
    "nothing but the image": (lambda b: normalized(b, MEAN), ["c"]),
    "an image that the outside reads": (
        lambda b: b.conv(normalized(b, MEAN), 3, 4, to="y"),
        ["y", "c"],
    ),
}


@pytest.mark.parametrize("case", UNTOUCHED)
def test_other_steps_are_left_alone(case):
    build = Build()
    change, outputs = UNTOUCHED[case]
    change(build)
    require_untouched(module, build.model(GIVEN, outputs))
