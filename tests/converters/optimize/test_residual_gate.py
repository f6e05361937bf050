"""Gated values that are added to themselves."""

import numpy as np
import pytest

from converters.optimize import residual_gate as module
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

GIVEN: dict[str, Shape] = {"x": ["N", 4, "H", "W"]}


def gate(build: Build, value: str) -> str:
    """Add the gate of a squeeze-and-excitation block."""
    pooled = build.add("GlobalAveragePool", value)
    inner = build.add("Relu", build.conv(pooled, 4, 2))
    return build.add("HardSigmoid", build.conv(inner, 2, 4), alpha=0.2, beta=0.5)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("gate_first", [True, False])
@pytest.mark.parametrize("product_first", [True, False])
def test_residual_sum_becomes_a_gate_plus_one(opset, gate_first, product_first):
    build = Build(opset)
    value = build.conv("x", 4, 4)
    factors = [value, gate(build, value)]
    product = build.add("Mul", *(factors[::-1] if gate_first else factors))
    terms = [value, product]
    build.add("Add", *(terms[::-1] if product_first else terms), to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["y"]
    assert operators(after) == operators(before)
    assert node_of(after, "y").op_type == "Mul"
    small = node_of(after, node_of(after, "y").input[1])
    assert small.op_type == "Add" and node_of(after, small.input[0]).op_type == "HardSigmoid"
    require_same(before, after, pixels(2, 4, 5, 3))


def test_consecutive_gates_are_both_rewritten():
    build = Build()
    value = "x"
    for name in ("z", "y"):
        product = build.add("Mul", value, gate(build, value))
        value = build.add("Add", value, product, to=name)
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["z", "y"]
    require_same(before, after, pixels(2, 4, 5, 3))


def large(build: Build, value: str) -> str:
    """Add a gate with a factor for every pixel."""
    return build.add("Sigmoid", build.conv(value, 4, 4))


UNTOUCHED = {
    "a gate as large as the map": lambda b: b.add("Add", "x", b.add("Mul", "x", large(b, "x"))),
    "a square": lambda b: b.add("Add", "x", b.add("Mul", "x", "x")),
    "a product twice": lambda b: b.add("Add", *[b.add("Mul", "x", gate(b, "x"))] * 2),
    "the square of a gate": lambda b: b.add("Add", gate(b, "x"), b.add("Mul", *["v4"] * 2)),
    "something else gated": lambda b: b.add(
        "Add", "x", b.add("Mul", b.add("Neg", "x"), gate(b, "x"))
    ),
    "something else gated, the gate first": lambda b: b.add(
        "Add", "x", b.add("Mul", gate(b, "x"), b.add("Neg", "x"))
    ),
    "a difference": lambda b: b.add("Sub", "x", b.add("Mul", "x", gate(b, "x"))),
    "a quotient": lambda b: b.add("Add", "x", b.add("Div", "x", gate(b, "x"))),
    "a gate that is a constant": lambda b: b.add("Add", "x", b.add("Mul", "x", b.weights(1))),
}


@pytest.mark.parametrize("case", UNTOUCHED)
def test_other_sums_are_left_alone(case):
    build = Build()
    build.add("Identity", UNTOUCHED[case](build), to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))


@pytest.mark.parametrize("by", ["outside", "another"])
def test_product_that_others_read_is_left_alone(by):
    build = Build()
    product = build.add("Mul", "x", gate(build, "x"), to="product")
    build.add("Add", "x", product, to="y")
    build.add("Relu", product, to="z")
    require_untouched(module, build.model(GIVEN, ["y", "z" if by == "another" else product]))


def test_numbers_of_another_type_are_left_alone():
    build = Build(dtype=np.float64)
    build.add("Add", "x", build.add("Mul", "x", gate(build, "x")), to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))
