"""Test the repair of backward slices that Paddle 2 exported.

Paddle 2.6.2 gave the expected results.
"""

import numpy as np
import pytest

from converters.translate.repairs import slice_to_the_front
from tests.support.legacy_programs import network
from tests.support.onnx_run import run

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def sliced(starts: list[int], ends: list[int], strides: list[int]):
    def build(program):
        program.add_variable("y", [-1, -1, 4], "float32")
        attributes = {
            "axes": [1], "starts": starts, "ends": ends, "strides": strides,
            "infer_flags": [1], "decrease_axis": [],
        }  # fmt: skip
        program.add_operator("strided_slice", {"Input": ["x"]}, {"Out": ["y"]}, attributes)
        return ["y"]

    return network({"x": ([-1, 3, 4], "float32")}, build)


def test_without_the_repair_the_slice_is_empty(plain):
    assert run(plain(sliced([-1], [-1], [-1])), [X])[0].shape == (2, 0, 4)


@pytest.mark.parametrize(
    ("start", "stride", "expected"),
    [(-1, -1, X[:, ::-1]), (1, -1, X[:, 1::-1]), (2, -2, X[:, ::-2])],
)
def test_with_the_repair_the_slice_reaches_the_first_element(start, stride, expected, plain):
    program = sliced([start], [-1], [stride])
    assert slice_to_the_front.mend(program) == ["strided_slice → y"]
    np.testing.assert_array_equal(run(plain(program), [X])[0], expected)


@pytest.mark.parametrize(("end", "stride"), [(-1, 1), (0, -1), (-2, -1)])
def test_other_slices_are_unchanged(end, stride):
    assert slice_to_the_front.mend(sliced([0], [end], [stride])) == []


@pytest.mark.parametrize("name", ["strided_slice_backwards", "strided_slice_odd"])
def test_slices_of_paddle_3_are_unchanged(name, lowered):
    assert slice_to_the_front.mend(lowered(name)) == []
