"""Replacements of operators for NPUs compute the same."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from converters.graph.editor import Editor
from converters.graph.reading import inferred_shapes
from converters.npu.rewrites import (
    REWRITES,
    batch_normalization,
    constant_gather,
    hard_sigmoid,
    hard_swish,
    identity,
    layer_normalization,
    long_transpose,
    resize_scales,
)
from converters.npu.rewrites.long_transpose import joined
from tests.support.rewrite_graphs import Build

SHAPE = [1, 4, 6, 10]


def batch_norm(build: Build) -> str:
    numbers = [build.weights(4), build.weights(4), build.weights(4)]
    variance = build.constant(build.random.uniform(0.1, 2, 4))
    return build.add("BatchNormalization", "x", *numbers, variance, epsilon=1e-3)


def layer_norm(build: Build) -> str:
    return build.add("LayerNormalization", "x", build.weights(10), build.weights(10), axis=-1)


def layer_norm_without_bias(build: Build) -> str:
    return build.add("LayerNormalization", "x", build.weights(6, 10), axis=2, epsilon=1e-3)


def gather(place: int, *, axis: int, scalar: bool) -> Callable[[Build], str]:
    def build_gather(build: Build) -> str:
        index = build.constant(place if scalar else [place], np.int64)
        return build.add("Gather", build.add("Neg", "x"), index, axis=axis)

    return build_gather


def gather_with_more_axes(build: Build) -> str:
    index = build.constant([[2]], np.int64)
    return build.add("Gather", build.add("Neg", "x"), index, to="y", axis=1)


def resize(build: Build) -> str:
    sizes = build.constant([1, 4, 12, 30], np.int64)
    return build.add(
        "Resize", "x", "", "", sizes, mode="nearest", coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )  # fmt: skip


def transpose(*order: int) -> Callable[[Build], str]:
    def build_transpose(build: Build) -> str:
        five = build.add("Reshape", "x", build.constant([1, 2, 2, 6, 10], np.int64))
        return build.add("Transpose", five, perm=list(order))

    return build_transpose


def identical(build: Build) -> str:
    return build.add("Relu", build.add("Identity", build.add("Neg", "x")))


CASES: list[tuple[ModuleType, Callable[[Build], str], bool]] = [
    (batch_normalization, batch_norm, False),
    (layer_normalization, layer_norm, False),
    (layer_normalization, layer_norm_without_bias, False),
    (hard_swish, lambda build: build.add("HardSwish", "x"), False),
    (hard_sigmoid, lambda build: build.add("HardSigmoid", "x", alpha=1 / 6, beta=0.4), False),
    (constant_gather, gather(2, axis=1, scalar=True), True),
    (constant_gather, gather(-1, axis=3, scalar=True), True),
    (constant_gather, gather(-2, axis=2, scalar=False), True),
    (resize_scales, resize, True),
    (long_transpose, transpose(0, 3, 4, 1, 2), True),
    (long_transpose, transpose(1, 2, 0, 4, 3), True),
    (identity, identical, True),
]


@pytest.mark.parametrize("opset", [17, 18])
@pytest.mark.parametrize("place", range(len(CASES)))
def test_values_stay_the_same(place: int, opset: int) -> None:
    module, made_by, exact = CASES[place]
    build = Build(opset)
    build.add("Add", made_by(build), build.constant(0.5), to="y")
    model = onnx.load_from_string(build.model({"x": SHAPE}, ["y"]))
    before = outputs(model)
    editor = Editor(model)
    replaced = module.rewrite(editor, inferred_shapes(model))
    editor.tidy()
    assert len(replaced) == 1
    onnx.checker.check_model(model)
    kinds = {node.op_type for node in model.graph.node}
    assert kinds & module.NEEDS == module.NEEDS or module is constant_gather or module is identity
    if not module.OPERATORS & module.NEEDS:
        assert not kinds & module.OPERATORS
    after = outputs(model)
    if exact:
        np.testing.assert_array_equal(after, before)
    else:
        np.testing.assert_allclose(after, before, rtol=1e-5, atol=2e-6)


def outputs(model: onnx.ModelProto) -> np.ndarray:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    image = np.random.default_rng(0).normal(0, 3, SHAPE).astype(np.float32)
    (found,) = session.run(None, {"x": image})
    return np.asarray(found)


def test_size_that_is_no_multiple_keeps_its_form() -> None:
    build = Build()
    sizes = build.constant([1, 4, 9, 15], np.int64)
    build.add("Resize", "x", "", "", sizes, to="y", mode="nearest")
    model = onnx.load_from_string(build.model({"x": SHAPE}, ["y"]))
    assert resize_scales.rewrite(Editor(model), inferred_shapes(model)) == []


def test_sizes_of_a_few_axes_and_limits_keep_their_form() -> None:
    for sizes, more in (
        ([12, 30], {"axes": [2, 3]}),
        ([1, 4, 12, 30], {"keep_aspect_ratio_policy": "not_larger"}),
    ):
        build = Build(18)
        build.add("Resize", "x", "", "", build.constant(sizes, np.int64), to="y", **more)
        model = onnx.load_from_string(build.model({"x": SHAPE}, ["y"]))
        assert resize_scales.rewrite(Editor(model), inferred_shapes(model)) == []


def test_gather_with_an_index_of_more_axes_keeps_its_form() -> None:
    build = Build()
    gather_with_more_axes(build)
    model = onnx.load_from_string(build.model({"x": SHAPE}, ["y"]))
    assert constant_gather.rewrite(Editor(model), inferred_shapes(model)) == []


def test_transpose_without_neighbours_keeps_its_form() -> None:
    assert len(joined([4, 2, 0, 3, 1], [2, 3, 4, 5, 6])) == 5
    assert joined([0, 3, 4, 1, 2], [1, 2, 3, 4, 5]) == [[3, 4], [1, 2]]


def test_every_rewrite_is_tried() -> None:
    assert {module for module, _, _ in CASES} == set(REWRITES)
