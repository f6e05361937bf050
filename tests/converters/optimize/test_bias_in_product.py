"""Biases after large matrix products, as a row of the matrix."""

import numpy as np
import pytest

from converters.optimize import bias_in_product as module
from tests.support.rewrite_graphs import (
    OPSETS,
    Build,
    operators,
    pixels,
    require_same,
    require_untouched,
    rewritten,
)

MANY = module.SMALLEST


def classifier(
    build: Build, value: str, columns: int = MANY, rows: int = 5, *, first: bool = True
) -> None:
    product = build.add("MatMul", value, build.weights(rows, columns))
    terms = [product, build.weights(columns)]
    build.add("Add", *(terms if first else terms[::-1]), to="y")


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("axes", [2, 3, 4])
@pytest.mark.parametrize("first", [True, False])
def test_bias_becomes_a_row_of_the_matrix_at_any_rank(opset, axes, first):
    build = Build(opset)
    order = [*range(axes - 2), axes - 1, axes - 2]
    value = build.add("Transpose", "x", perm=order)
    classifier(build, value, first=first)
    before = build.model({"x": [f"d{i}" for i in range(axes - 2)] + [5, "T"]}, ["y"], axes)
    after, nodes = rewritten(module, before)
    assert nodes == ["y"]
    assert operators(after) == {"Transpose": 1, "Pad": 1, "MatMul": 1}
    require_same(before, after, pixels(*[2, 3][: axes - 2], 5, 7))


@pytest.mark.parametrize("opset", [17])
@pytest.mark.parametrize(
    "case", ["Add", "Mul", "Div", "MatMul", "LayerNormalization", "Softmax", "Relu", "HardSwish"]
)
def test_number_of_axes_is_known_after_other_operators(opset, case):
    build = Build(opset)
    value = build.add("Transpose", "x", perm=[0, 2, 1])
    others = {
        "Add": [build.weights(5)],
        "Mul": [build.add("Transpose", "x", perm=[0, 2, 1])],
        "Div": [build.weights(1)],
        "MatMul": [build.weights(5, 5)],
        "LayerNormalization": [build.weights(5), build.weights(5)],
    }
    value = build.add(case, value, *others.get(case, []))
    classifier(build, value)
    before = build.model({"x": ["N", 5, "T"]}, ["y"], 3)
    after, nodes = rewritten(module, before)
    assert nodes == ["y"]
    require_same(before, after, pixels(2, 5, 7))


@pytest.mark.parametrize("constant", [True, False])
def test_sum_has_the_axes_of_its_larger_operand(constant):
    """A sum has as many axes as the one of its operands that has the most."""
    build = Build()
    value = build.add("Transpose", "z", perm=[1, 0])
    other = build.weights(2, 7, 5) if constant else build.add("Transpose", "x", perm=[0, 2, 1])
    classifier(build, build.add("Add", value, other))
    given = {"z": [5, 7]} if constant else {"z": [5, 7], "x": [2, 5, 7]}
    before = build.model(given, ["y"], 3)
    after, nodes = rewritten(module, before)
    assert nodes == ["y"]
    require_same(before, after, pixels(5, 7), *([] if constant else [pixels(2, 5, 7)]))


def test_operand_of_unknown_axes_is_left_alone():
    build = Build()
    value = build.add("Transpose", "z", perm=[1, 0])
    classifier(build, build.add("Add", value, build.add("Tanh", "x")))
    require_untouched(module, build.model({"z": [5, 7], "x": [2, 7, 5]}, ["y"], 3))


def transposed(build: Build) -> str:
    return build.add("Transpose", "x", perm=[0, 2, 1])


def biased(build: Build, bias: str, weights: str = "") -> str:
    product = build.add("MatMul", transposed(build), weights or build.weights(5, MANY))
    return build.add("Add", product, bias, to="y")


def with_two_readers(build: Build) -> str:
    product = build.add("MatMul", transposed(build), build.weights(5, MANY))
    terms = [build.add("Add", product, build.weights(MANY)), build.add("Neg", product)]
    return build.add("Sum", *terms, to="y")


UNTOUCHED = {
    "few columns": lambda b: classifier(b, transposed(b), MANY - 1),
    "a rank that nobody knows": lambda b: classifier(b, b.add("Tanh", "x"), rows=6),
    "a single number": lambda b: biased(b, b.weights(1)),
    "a bias of more axes": lambda b: biased(b, b.weights(1, MANY)),
    "a bias of each row": lambda b: biased(b, b.weights(6, MANY)),
    "a bias that is computed": lambda b: biased(b, b.add("Neg", b.weights(MANY))),
    "weights that are computed": lambda b: biased(
        b, b.weights(MANY), b.add("Neg", b.weights(5, MANY))
    ),
    "weights of three axes": lambda b: biased(b, b.weights(MANY), b.weights(1, MANY, MANY)),
    "two readers": with_two_readers,
    "no sum": lambda b: b.add(
        "Mul", b.add("MatMul", transposed(b), b.weights(5, MANY)), b.weights(MANY), to="y"
    ),
}


@pytest.mark.parametrize("case", UNTOUCHED)
def test_other_products_are_left_alone(case):
    build = Build()
    UNTOUCHED[case](build)
    require_untouched(module, build.model({"x": [2, 5, 6]}, ["y"], 3))


def test_product_that_is_an_output_is_left_alone():
    build = Build()
    build.add("MatMul", transposed(build), build.weights(5, MANY), to="z")
    build.add("Add", "z", build.weights(MANY), to="y")
    require_untouched(module, build.model({"x": [2, 5, 6]}, ["y", "z"], 3))


def test_numbers_of_another_type_are_left_alone():
    build = Build(dtype=np.float64)
    classifier(build, transposed(build))
    require_untouched(module, build.model({"x": [2, 5, 6]}, ["y"], 3))
