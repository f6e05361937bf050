"""Test the repair of reductions over all axes, whose results have no axis."""

import numpy as np
import pytest

from converters.translate.repairs import reduction_to_number
from tests.support.legacy_programs import network
from tests.support.onnx_run import run

KINDS = ["mean_all", "sum_every", "max_all", "min_every", "prod_all", "any_of_all", "all_of_all"]


@pytest.mark.parametrize("name", KINDS)
def test_without_the_repair_the_result_has_an_axis(name, lowered, plain, pir_cases):
    given, expected = pir_cases[name].runs[0]
    assert expected[0].shape == ()
    assert run(plain(lowered(name)), given)[0].shape == (1,)


@pytest.mark.parametrize("name", KINDS)
def test_with_the_repair_the_result_has_no_axis(name, lowered, plain, pir_cases):
    program = lowered(name)
    (mended,) = reduction_to_number.mend(program)
    assert mended.startswith("reduce_")
    graph = plain(program)
    for given, expected in pir_cases[name].runs:
        found = run(graph, given)[0]
        assert found.shape == ()
        np.testing.assert_allclose(found, expected[0], rtol=1e-5)


def total(declared: list[int]):
    """Return a sum over all axes, which Paddle 2.6 marks only by an empty list of axes."""

    def build(program):
        program.add_variable("y", declared, "float32")
        kinds = {"in_dtype": -1, "out_dtype": -1}
        attributes = {"dim": [], "reduce_all": False, "keep_dim": False} | kinds
        program.add_operator("reduce_sum", {"X": ["x"]}, {"Out": ["y"]}, attributes)
        return ["y"]

    return network({"x": ([-1, 3], "float32")}, build)


def test_sum_without_an_axis_in_its_declared_shape_is_repaired(plain):
    program = total([])
    assert reduction_to_number.mend(program) == ["reduce_sum → y"]
    given = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert run(plain(program), [given])[0].tolist() == 15


def test_sum_of_a_program_before_paddle_2_5_keeps_its_axis():
    assert reduction_to_number.mend(total([1])) == []


@pytest.mark.parametrize("name", ["mean_all_kept", "mean_one", "mean_two"])
def test_other_reductions_are_unchanged(name, lowered):
    assert reduction_to_number.mend(lowered(name)) == []
