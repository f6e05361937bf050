"""Test the repair of inverses of matrices that don't depend on the input, as in TPS."""

import numpy as np
import pytest

from converters.errors import TranslationError
from converters.paddle import constants
from converters.paddle.program import Program
from converters.translate import paddle2onnx
from converters.translate.repairs import inverse_of_constant
from tests.support.legacy_programs import network
from tests.support.onnx_run import run
from tests.support.paths import ZOO_EXPORTS

TPS = ZOO_EXPORTS / "rec_mv3_tps_bilstm_ctc" / "legacy"


def test_without_the_repair_the_operator_is_unknown(lowered, plain):
    with pytest.raises(paddle2onnx.UnsupportedOperatorsError) as error:
        plain(lowered("inverse_of_constant"))
    assert error.value.types == ["inverse"]


def test_with_the_repair_the_inverse_is_a_constant(lowered, plain, pir_cases):
    program = lowered("inverse_of_constant")
    (mended,) = inverse_of_constant.mend(program)
    assert mended.startswith("inverse → ")
    graph = plain(program)
    for given, expected in pir_cases["inverse_of_constant"].runs:
        np.testing.assert_allclose(run(graph, given)[0], expected[0], rtol=1e-5, atol=1e-6)


def test_matrix_of_a_real_network_is_inverted_in_double_precision():
    program = Program.read(TPS / "inference.pdmodel", TPS / "inference.pdiparams")
    weights = dict(program.parameters)
    (inverse,) = (op for op in program.operators if op.type == "inverse")
    (matrix,), (result,) = inverse.input("Input"), inverse.output("Output")
    constants.fold(program, lambda operator: operator.outputs() == [matrix])
    given = program.parameters[matrix]
    assert inverse_of_constant.mend(program) == [f"inverse → {result}"]
    found = program.parameters.pop(result)
    assert found.dtype == np.float64 and found.shape == (23, 23)
    np.testing.assert_allclose(found @ given, np.eye(23), atol=1e-9)
    # The network keeps its weights, and loses all operators and variables behind the matrix.
    assert program.parameters == weights
    assert program.producer(result) is None and program.variable(matrix) is None
    assert not any(op.type in ("inverse", "eye") for op in program.operators)


def test_inverse_of_an_input_is_unchanged_and_named_by_the_error(plain):
    def build(program):
        program.add_variable("y", [2, 2], "float32")
        program.add_operator("inverse", {"Input": ["x"]}, {"Output": ["y"]})
        return ["y"]

    program = network({"x": ([2, 2], "float32")}, build)
    assert inverse_of_constant.mend(program) == []
    with pytest.raises(TranslationError, match="can't translate the operators inverse"):
        plain(program)
