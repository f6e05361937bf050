"""Constant sizes and divisors are checked in whichever field a graph holds them."""

from __future__ import annotations

import pytest
from onnx import TensorProto, helper

from edgeocr.errors import BundleError
from edgeocr.graphs.check import check
from tests.support.hostile_graphs import graph, node

REFUSED = {
    "large scale in the numbers of its type": (
        graph(
            node("Resize", "x", "", "s"),
            constants=[helper.make_tensor("s", TensorProto.FLOAT, [4], [1, 1e6, 1, 1])],
        ),
        r"\(Resize\) has an input",
    ),
    "large scale in an attribute": (
        graph(node("Upsample", "x", scales=[1.0, 1e6, 1.0, 1.0]), opset=7),
        "has scales = ",
    ),
    "divided by 0 in an attribute": (
        graph(
            node("Constant", to="z", value_int=0),
            node("Div", "indices", "z", to="q"),
        ),
        r"\(Div\) divides integers by 0",
    ),
    "divided by -1 in an attribute": (
        graph(
            node("Constant", to="least", value_ints=[-(1 << 63)]),
            node("Constant", to="z", value_ints=[-1]),
            node("Div", "least", "z", to="q"),
        ),
        r"\(Div\) divides integers by 0",
    ),
    "large shape in an attribute": (
        graph(
            node("Constant", to="s", value_ints=[1 << 20, 1 << 20]),
            node("ConstantOfShape", "s"),
        ),
        r"\(ConstantOfShape\) has an input of \[1048576",
    ),
    "one of two values is 0": (
        graph(
            node("Constant", to="z", value_ints=[2], value_int=0),
            node("Div", "indices", "z", to="q"),
        ),
        r"\(Constant\) has several values",
    ),
    "large range in attributes": (
        graph(
            node("Constant", to="a", value_float=0.0),
            node("Constant", to="b", value_float=1e12),
            node("Constant", to="c", value_float=1.0),
            node("Range", "a", "b", "c"),
        ),
        "makes 1e[+]12 numbers",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_large_sizes_and_divisors_of_zero_are_refused(name: str) -> None:
    model, message = REFUSED[name]
    with pytest.raises(BundleError, match=message):
        check(model.SerializeToString())


def test_usual_sizes_are_allowed_in_every_field() -> None:
    check(
        graph(
            node("Upsample", "x", to="u", scales=[1.0, 2.0, 2.0, 1.0]),
            node("Constant", to="two", value_int=2),
            node("Constant", to="shape", value_ints=[2, 3]),
            node("Div", "indices", "two", to="halves"),
            node("ConstantOfShape", "shape"),
            opset=7,
        ).SerializeToString()
    )
