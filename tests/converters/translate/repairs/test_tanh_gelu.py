"""Test the repair of GELU's tanh approximation."""

import numpy as np

from converters.translate.repairs import tanh_gelu
from tests.support.onnx_run import run


def test_without_the_repair_the_graph_computes_the_exact_function(lowered, plain, pir_cases):
    given, expected = pir_cases["gelu_tanh"].runs[0]
    difference = np.abs(run(plain(lowered("gelu_tanh")), given)[0] - expected[0]).max()
    assert 1e-4 < difference < 1e-3


def test_with_the_repair_outputs_are_those_of_paddle(lowered, plain, pir_cases):
    program = lowered("gelu_tanh")
    assert tanh_gelu.mend(program) == ["gelu → v2"]
    graph = plain(program)
    for given, expected in pir_cases["gelu_tanh"].runs:
        # One unit in the last place of tanh changes the result by 2.6e-7 at -8.8, where 1 + tanh(…)
        # is almost zero. The exact function is more than 1e-4 away.
        np.testing.assert_allclose(run(graph, given)[0], expected[0], rtol=1e-5, atol=1e-5)


def test_exact_gelu_is_unchanged(lowered):
    program = lowered("gelu")
    assert tanh_gelu.mend(program) == []
    assert [op.type for op in program.operators] == ["feed", "gelu", "fetch"]


def test_inputs_and_outputs_of_the_program_are_unchanged(lowered):
    program = lowered("gelu_tanh")
    tanh_gelu.mend(program)
    kinds = [op.type for op in program.operators]
    assert (kinds[0], kinds[-1], len(kinds)) == ("feed", "fetch", 9)
    assert "gelu" not in kinds
