"""Test that values that don't depend on the input are computed as Paddle computes them.

Paddle computed the expected values in small PIR programs, whose inputs are made constants here.
"""

from pathlib import Path

import numpy as np
import pytest

from converters.errors import TranslationError
from converters.paddle import constants, pir
from converters.paddle.program import Program
from tests.oracle.pir_case import Case, load
from tests.support.legacy_programs import network
from tests.support.paths import FIXTURES, ZOO_EXPORTS

CASES = load(FIXTURES / "pir_operators.npz")
# Operators that no small program consists of: PIR writes most of them as attributes.
ELSEWHERE = {"assign_value", "eye", "fill_constant", "inverse"}


@pytest.fixture(scope="module")
def known(tmp_path_factory) -> dict[str, set[str]]:
    """Return the cases whose operators can all be computed, each with these operators."""
    folder = tmp_path_factory.mktemp("cases")
    found = {}
    for name, case in CASES.items():
        try:
            program = pir.lower(*case.write(folder))
        except TranslationError:
            continue
        kinds = {op.type for op in program.operators} - {"feed", "fetch"}
        if kinds <= set(constants._FUNCTIONS):
            found[name] = kinds
    return found


def folded(case: Case, inputs: list[np.ndarray], folder: Path) -> list[np.ndarray]:
    """Return the outputs of a program whose inputs are replaced by constants."""
    program = pir.lower(*case.write(folder))
    outputs = program.outputs
    for name, value in zip(program.inputs, inputs, strict=True):
        program.replace_by_constant(name, value)
    assert constants.fold(program)
    assert {op.type for op in program.operators} == {"fetch"}
    return [program.parameters[name] for name in outputs]


def test_small_programs_are_computed_as_paddle_does(known, tmp_path):
    assert len(known) > 70
    for name in known:
        for inputs, expected in CASES[name].runs:
            found = folded(CASES[name], inputs, tmp_path)
            assert [item.shape for item in found] == [item.shape for item in expected], name
            assert [item.dtype for item in found] == [item.dtype for item in expected], name
            for ours, theirs in zip(found, expected, strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6, err_msg=name)


def test_every_function_is_used_in_a_program(known):
    assert set(constants._FUNCTIONS) - set().union(*known.values()) == ELSEWHERE


def result(kind: str, attributes: dict, inputs: dict[str, np.ndarray] | None = None, slot="Out"):
    """Return what an operator on constants is folded to, or None if it is not folded."""

    def build(program: Program) -> list[str]:
        names = {}
        for key, value in (inputs or {}).items():
            names[key] = [program.add_parameter(f"in_{key}", value, constant=True)]
        program.add_variable("y", [-1], "float32")
        program.add_operator(kind, names, {slot: ["y"]}, attributes)
        return ["y"]

    program = network({}, build)
    constants.fold(program)
    return program.parameters.get("y")


FILL = {"dtype": 5, "value": 0.5, "str_value": "", "shape": [2, 3]}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, np.full((2, 3), 0.5, np.float32)),
        ({"str_value": "-inf"}, np.full((2, 3), -np.inf, np.float32)),
        ({"str_value": "7", "dtype": 3}, np.full((2, 3), 7, np.int64)),
        ({"str_value": "9223372036854775807", "dtype": 3}, np.full((2, 3), 2**63 - 1)),
        ({"str_value": "1", "dtype": 0}, np.full((2, 3), True)),
        ({"str_value": "0.1", "dtype": 6}, np.full((2, 3), 0.1)),
        ({"shape": []}, np.float32(0.5)),
    ],
)
def test_fill_constant_has_its_value_type_and_shape(change, expected):
    found = result("fill_constant", FILL | change)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


def test_fill_constant_takes_value_and_shape_from_tensors():
    inputs = {"ShapeTensor": np.array([1, 2]), "ValueTensor": np.array([3.0], np.float32)}
    assert result("fill_constant", FILL, inputs).tolist() == [[3, 3]]


@pytest.mark.parametrize(
    ("kind", "dtype", "values"),
    [
        ("fp32_values", 5, [0.5, -1.0]),
        ("int32_values", 2, [1, 2]),
        ("int64_values", 3, [1, 2**40]),
        ("bool_values", 0, [1, 0]),
    ],
)
def test_assign_value_has_its_values_and_type(kind, dtype, values):
    found = result("assign_value", {"dtype": dtype, "shape": [2, 1], kind: values})
    assert found.tolist() == [[values[0]], [values[1]]]
    assert found.dtype == {5: np.float32, 2: np.int32, 3: np.int64, 0: np.bool_}[dtype]


def test_assign_value_without_values_is_empty():
    assert result("assign_value", {"dtype": 5, "shape": [0]}).shape == (0,)


@pytest.mark.parametrize(("columns", "shape"), [(2, (3, 2)), (-1, (3, 3))])
def test_eye_is_the_identity_matrix(columns, shape):
    found = result("eye", {"num_rows": 3, "num_columns": columns, "dtype": 6})
    np.testing.assert_array_equal(found, np.eye(*shape))
    assert found.dtype == np.float64


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inverse_has_the_type_of_its_matrix(dtype):
    matrix = np.array([[2, 1], [1, 3]], dtype)
    found = result("inverse", {}, {"Input": matrix}, "Output")
    np.testing.assert_allclose(found, [[0.6, -0.2], [-0.2, 0.4]], rtol=1e-6)
    assert found.dtype == dtype


def test_inverse_of_a_singular_matrix_is_not_folded():
    assert result("inverse", {}, {"Input": np.ones((2, 2), np.float32)}, "Output") is None


def test_smaller_operand_of_a_sum_starts_at_the_axis():
    """Legacy programs add a bias of shape [3] to a value of shape [2, 3, 1] at axis 1."""
    inputs = {"X": np.zeros((2, 3, 1), np.float32), "Y": np.array([1, 2, 3], np.float32)}
    assert result("elementwise_add", {"axis": 1}, inputs)[0].tolist() == [[1], [2], [3]]


def test_axes_are_inserted_one_after_the_other():
    x = {"X": np.zeros((3, 4), np.float32)}
    assert result("unsqueeze2", {"axes": [1, 0]}, x).shape == (1, 3, 1, 4)


def test_quotients_of_integers_are_rounded_towards_zero():
    """Paddle 2 rounds like this."""
    inputs = {"X": np.array([7, -7]), "Y": np.array([2, 2])}
    found = result("elementwise_div", {"axis": -1}, inputs)
    assert found.tolist() == [3, -3] and found.dtype == np.int64


def test_operator_without_its_attribute_is_not_folded():
    assert result("transpose2", {}, {"X": np.zeros((2, 2), np.float32)}) is None


def test_operators_that_depend_on_the_input_are_not_folded():
    def build(program: Program) -> list[str]:
        program.add_parameter("c", np.ones(3, np.float32), constant=True)
        for first, second, to in (("c", "c", "two"), ("x", "two", "a"), ("a", "c", "b")):
            program.add_variable(to, [3], "float32")
            slots = {"X": [first], "Y": [second]}
            program.add_operator("elementwise_add", slots, {"Out": [to]}, {"axis": -1})
        return ["b"]

    program = network({"x": ([3], "float32")}, build)
    assert constants.fold(program) == ["elementwise_add → two"]
    assert program.parameters["two"].tolist() == [2, 2, 2]
    assert [op.outputs() for op in program.operators] == [["x"], ["a"], ["b"], ["fetch"]]


def test_variable_that_is_written_again_is_not_folded():
    """Legacy programs may write a result into an operand."""

    def build(program: Program) -> list[str]:
        program.add_parameter("c", np.ones(3, np.float32), constant=True)
        program.add_variable("t", [3], "float32")
        program.add_operator("assign", {"X": ["c"]}, {"Out": ["t"]})
        slots = {"X": ["t"], "Y": ["x"]}
        program.add_operator("elementwise_add", slots, {"Out": ["t"]}, {"axis": -1})
        return ["t"]

    program = network({"x": ([3], "float32")}, build)
    assert constants.fold(program) == []
    assert [op.type for op in program.operators][1:3] == ["assign", "elementwise_add"]


@pytest.mark.parametrize(
    ("kind", "attributes", "inputs"),
    [
        ("fill_constant", FILL | {"str_value": "inf", "dtype": 3}, {}),
        ("cast", {"out_dtype": 3}, {"X": np.array([1, np.nan], np.float32)}),
        ("cast", {"out_dtype": 2}, {"X": np.array([2.0**31], np.float32)}),
        ("elementwise_div", {"axis": -1}, {"X": np.array([1]), "Y": np.array([0])}),
    ],
)
def test_numbers_that_no_integer_has_are_not_folded(kind, attributes, inputs):
    """What a processor makes of them differs: x86 gives the least integer, Arm the largest."""
    assert result(kind, attributes, inputs) is None


def test_integers_are_scaled_by_truncated_numbers():
    attributes = {"scale": 2.5, "bias": 1.9, "bias_after_scale": True}
    assert result("scale", attributes, {"X": np.array([3, -3])}).tolist() == [7, -5]


def test_largest_and_least_integers_are_cast():
    x = {"X": np.array([-(2.0**31), 2.0**31 - 1])}
    assert result("cast", {"out_dtype": 2}, x).tolist() == [-(2**31), 2**31 - 1]


@pytest.mark.filterwarnings("error")
def test_infinity_is_computed_without_a_warning():
    inputs = {"X": np.array([1, -1], np.float32), "Y": np.zeros(2, np.float32)}
    assert result("elementwise_div", {"axis": -1}, inputs).tolist() == [np.inf, -np.inf]


@pytest.mark.parametrize("axis", [-1, 0])
def test_results_beyond_the_limit_are_not_computed(axis):
    inputs = {"X": np.zeros((1 << 13, 1, 1), np.float32), "Y": np.zeros((1, 1 << 13), np.float32)}
    assert result("elementwise_add", {"axis": axis}, inputs) is None


def test_large_matrices_are_not_inverted():
    """Exact elimination would take hours."""
    matrix = np.eye(300, dtype=np.float32)
    assert result("inverse", {}, {"Input": matrix}, "Output") is None


def test_operators_on_weights_are_not_folded():
    def build(program: Program) -> list[str]:
        program.add_parameter("w", np.ones((2, 3), np.float32))
        program.add_variable("y", [3, 2], "float32")
        program.add_operator("transpose2", {"X": ["w"]}, {"Out": ["y"]}, {"axis": [1, 0]})
        return ["y"]

    program = network({}, build)
    assert constants.fold(program) == []
    assert [op.type for op in program.operators] == ["transpose2", "fetch"]


@pytest.mark.stress
@pytest.mark.slow
def test_folding_keeps_the_weights_of_a_real_network():
    folder = ZOO_EXPORTS / "rec_r34_vd_tps_bilstm_ctc" / "legacy"
    program = Program.read(folder / "inference.pdmodel", folder / "inference.pdiparams")
    weights = dict(program.parameters)
    assert constants.fold(program)
    made = set(program.parameters) - set(weights)
    assert made == program.constants
    assert {name: program.parameters[name] for name in weights} == weights


def test_program_without_constants_is_unchanged():
    folder = ZOO_EXPORTS / "PP-OCRv6_tiny_det" / "legacy"
    program = Program.read(folder / "inference.pdmodel", folder / "inference.pdiparams")
    before = program.desc.SerializeToString()
    assert constants.fold(program) == []
    assert program.desc.SerializeToString() == before
