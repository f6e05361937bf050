"""Test how PIR programs are lowered to the legacy form, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters.errors import ModelFormatError, TranslationError
from converters.paddle.files import tensor_bytes
from converters.paddle.pir import every, lower, read
from converters.paddle.program import Operator, Program
from tests.oracle.pir_case import Case
from tests.support import pir_programs as pir
from tests.support.paths import ZOO_EXPORTS

FLOATS = 4  # AttrType


def lowered(folder: Path, *operations) -> Program:
    return lower(pir.write(folder, *operations), None)


def only(program: Program, kind: str) -> Operator:
    (found,) = (op for op in program.operators if op.type == kind)
    return found


def given(number: int, shape: list[int], kind: str = "f32", name: str = "") -> object:
    return pir.data(name or f"x{number}", pir.tensor(number, shape, kind))


def test_real_program_has_its_parameters_inputs_and_outputs():
    folder = ZOO_EXPORTS / "PP-OCRv4_mobile_det"
    program = lower(folder / "pir" / "inference.json", folder / "pir" / "inference.pdiparams")
    legacy = Program.read(
        folder / "legacy" / "inference.pdmodel", folder / "legacy" / "inference.pdiparams"
    )
    assert program.inputs == legacy.inputs == ["x"]
    assert program.shape("x") == legacy.shape("x") == [-1, 3, -1, -1]
    assert len(program.outputs) == len(legacy.outputs) == 1
    weights = {n: a for n, a in program.parameters.items() if n not in program.constants}
    # Both versions of Paddle number the layers alike.
    assert set(weights) == set(legacy.parameters)
    for name, array in legacy.parameters.items():
        np.testing.assert_array_equal(weights[name], array)


def test_parameter_that_is_not_saved_is_not_read():
    """Paddle doesn't save the state of an LSTM's dropout."""
    source = ZOO_EXPORTS / "rec_mv3_none_bilstm_ctc" / "pir"
    assert b"dropout_state" in (source / "inference.json").read_bytes()
    program = lower(source / "inference.json", source / "inference.pdiparams")
    assert not any("dropout_state" in name for name in program.parameters)
    assert only(program, "rnn").input("PreState")


def test_inputs_keep_their_order_and_outputs_are_ordered_by_column(tmp_path):
    program = lowered(
        tmp_path,
        given(1, [-1, 3], name="second"),
        given(2, [-1, 3], name="first"),
        pir.fetch(2, 1),
        pir.fetch(1, 0),
    )
    assert program.inputs == ["second", "first"]
    assert program.outputs == ["second", "first"]


def test_varying_sizes_are_declared_as_minus_one(tmp_path):
    doubled = pir.operation("add", [1, 1], pir.tensor(2, [-1, 3, -1, -1]))
    program = lowered(tmp_path, given(1, [-1, 3, -1, -1]), doubled, pir.fetch(2))
    assert program.shape("x1") == program.shape(program.outputs[0]) == [-1, 3, -1, -1]


def test_scale_of_doubles_becomes_floats(pir_cases: dict[str, Case], tmp_path):
    """PaddleOCR's issue 18237: paddle2onnx 2.1.0 expects single precision here and fails."""
    case = pir_cases["resize_nearest_scale"]
    (resize,) = (op for op in case.operations if op["#"] == "1.nearest_interp")
    scale = next(item["AT"]["D"] for item in resize["A"] if item["N"] == "scale")
    assert {item["#"] for item in scale} == {"0.a_f64"}
    operator = only(lower(case.write(tmp_path)[0], None), "nearest_interp_v2")
    assert operator.attribute("scale") == [2.0, 2.0]
    assert [item.type for item in operator.desc.attrs if item.name == "scale"] == [FLOATS]


def test_empty_scale_is_a_list_of_floats_too(tmp_path):
    resize = pir.operation("nearest_interp", [1, 0, 0, 0], pir.tensor(2, [-1, 3, 4, 4]), scale=[])
    operator = only(lowered(tmp_path, given(1, [-1, 3, 2, 2]), resize), "nearest_interp_v2")
    assert [item.type for item in operator.desc.attrs if item.name == "scale"] == [FLOATS]


def test_constant_operand_becomes_an_attribute(tmp_path):
    clip = pir.operation("clip", [1, 2, 3], pir.tensor(4, [-1]))
    program = lowered(tmp_path, given(1, [-1]), pir.full(2, -1.5), pir.full(3, 2.0), clip)
    operator = only(program, "clip")
    assert (operator.attribute("min"), operator.attribute("max")) == (-1.5, 2.0)
    assert not operator.input("Min") and not program.parameters


def test_varying_number_goes_into_its_slot(tmp_path):
    clip = pir.operation("clip", [1, 2, 3], pir.tensor(4, [-1]))
    operator = only(
        lowered(tmp_path, given(1, [-1]), given(2, [1]), pir.full(3, 2.0), clip), "clip"
    )
    assert operator.input("Min") == ["x2"]
    assert operator.attribute("min") < -1e38  # the translator needs the attribute nevertheless
    assert operator.attribute("max") == 2.0


def test_varying_number_without_a_slot_is_refused(tmp_path):
    dropout = pir.operation("dropout", [1, 0, 2], pir.tensor(3, [-1]), pir.tensor(4, [-1]))
    with pytest.raises(TranslationError, match="dropout → %3, %4: its dropout_prob is computed"):
        lowered(tmp_path, given(1, [-1]), given(2, [1]), dropout)


def test_list_of_constants_becomes_an_attribute(tmp_path):
    reshape = pir.operation("reshape", [1, 2], pir.tensor(3, [-1, 12]))
    program = lowered(tmp_path, given(1, [-1, 3, 4]), pir.integers(2, [0, -1]), reshape)
    assert only(program, "reshape2").attribute("shape") == [0, -1]


def test_list_of_single_constants_becomes_an_attribute(tmp_path):
    both = pir.operation("builtin.combine", [2, 3], {"%": 4, "TT": {"#": "0.t_vec", "D": []}})
    reshape = pir.operation("reshape", [1, 4], pir.tensor(5, [-1, 12]))
    sizes = pir.full(2, 0, "int64"), pir.full(3, -1, "int64")
    program = lowered(tmp_path, given(1, [-1, 3, 4]), *sizes, both, reshape)
    assert only(program, "reshape2").attribute("shape") == [0, -1]


def test_list_that_varies_in_part_goes_into_its_slot(tmp_path):
    both = pir.operation("builtin.combine", [2, 3], {"%": 4, "TT": {"#": "0.t_vec", "D": []}})
    reshape = pir.operation("reshape", [1, 4], pir.tensor(5, [-1, 12]))
    sizes = given(2, [1], "i64"), pir.full(3, 12, "int64")
    program = lowered(tmp_path, given(1, [-1, 3, 4]), *sizes, both, reshape)
    operator = only(program, "reshape2")
    assert operator.attribute("shape") == [-1, 12]
    assert operator.input("ShapeTensor")[0] == "x2" and len(operator.input("ShapeTensor")) == 2
    assert program.parameters[operator.input("ShapeTensor")[1]].tolist() == [12]


def test_tensor_of_sizes_goes_into_its_slot(tmp_path):
    cut = pir.operation("slice", [1, 2, 3], pir.tensor(4, [-1, -1]), axes=[0, 1])
    program = lowered(
        tmp_path, given(1, [-1, 3]), given(2, [2], "i64"), pir.integers(3, [9, 2**40]), cut
    )
    operator = only(program, "slice")
    assert operator.input("StartsTensor") == ["x2"] and operator.attribute("starts") == [-1, -1]
    assert operator.attribute("ends") == [9, 2**31 - 1]


def test_varying_list_without_a_slot_is_refused(tmp_path):
    roll = pir.operation("roll", [1, 2], pir.tensor(3, [-1, 3]), axis=[1])
    with pytest.raises(TranslationError, match="roll → %3: its shifts is computed from the input"):
        lowered(tmp_path, given(1, [-1, 3]), given(2, [1], "i64"), roll)


def arange(number: int, kind: str) -> object:
    return pir.operation("arange", [1, 2, 3], pir.tensor(number, [-1], kind), dtype="any")


def test_bounds_of_a_range_have_the_type_of_its_result(tmp_path):
    """Paddle 3 writes the bounds as doubles."""
    bounds = [pir.full(n, v) for n, v in ((1, 0.0), (2, 2.0), (3, 0.5))]
    program = lowered(tmp_path, *bounds, arange(4, "i64"))
    operator = only(program, "range")
    types = [program.parameters[name].dtype for name in operator.inputs()]
    assert types == [np.int64] * 3 and program.dtype(operator.outputs()[0]) == 3


def test_varying_bound_of_another_type_is_cast(tmp_path):
    program = lowered(
        tmp_path,
        given(1, [1], "i32"),
        given(2, [1], "i64"),
        pir.full(3, 1, "int64"),
        arange(4, "i64"),
    )
    operator, cast = only(program, "range"), only(program, "cast")
    assert cast.inputs() == ["x1"] and operator.input("Start") == cast.outputs()
    assert (cast.attribute("in_dtype"), cast.attribute("out_dtype")) == (2, 3)
    assert operator.input("End") == ["x2"]


def test_identity_matrix_of_varying_size_is_refused(tmp_path):
    eye = pir.operation("eye", [1, 1], pir.tensor(2, [-1, -1]), dtype="float32")
    with pytest.raises(TranslationError, match="eye → %2: its size is computed from the input"):
        lowered(tmp_path, given(1, [1], "i64"), eye)


def test_every_unsupported_operator_is_listed(tmp_path):
    kinds = ("erfinv", "relu", "erfinv", "erfinv")
    made = [pir.operation(k, [1], pir.tensor(i, [-1])) for i, k in enumerate(kinds, 2)]
    with pytest.raises(TranslationError) as error:
        lowered(tmp_path, given(1, [-1]), *made)
    lines = str(error.value).splitlines()
    assert lines[0].endswith("inference.json: 3 operators can't be translated:")
    assert lines[1:4] == ["  erfinv → %2", "  erfinv → %4", "  erfinv → %5"]


def test_operand_that_the_rule_does_not_know_is_refused(tmp_path):
    twice = pir.operation("relu", [1, 1], pir.tensor(2, [-1]))
    with pytest.raises(TranslationError, match="relu → %2 has operands that its rule"):
        lowered(tmp_path, given(1, [-1]), twice)


@pytest.mark.parametrize("what", ["cast", "full", "relu"])
def test_types_that_onnx_graphs_cannot_have_are_refused(tmp_path, what):
    attributes: dict[str, dict[str, Any]] = {
        "cast": {"dtype": "bfloat16"},
        "full": {"dtype": "bfloat16", "value": 1.0, "shape": [1]},
    }
    inputs = [] if what == "full" else [1]
    odd = pir.operation(what, inputs, pir.tensor(2, [-1], "bf16"), **attributes.get(what, {}))
    with pytest.raises(TranslationError, match="%2 has the type 't_bf16'"):
        lowered(tmp_path, given(1, [-1]), odd)


@pytest.mark.parametrize(("shape", "kind"), [([3], "f32"), ([2, 3], "f64")])
def test_parameter_of_another_shape_or_type_is_refused(tmp_path, shape, kind):
    (tmp_path / "inference.pdiparams").write_bytes(tensor_bytes(np.zeros((2, 3), np.float32)))
    path = pir.write(tmp_path, pir.parameter("w", pir.tensor(1, shape, kind)))
    with pytest.raises(
        TranslationError, match=r"parameter w is float.* float32 \[2, 3\] in the parameter file"
    ):
        lower(path, tmp_path / "inference.pdiparams")


def test_parameters_of_another_network_are_refused():
    program = ZOO_EXPORTS / "PP-OCRv4_mobile_det" / "pir" / "inference.json"
    other = ZOO_EXPORTS / "PP-OCRv4_mobile_rec" / "pir" / "inference.pdiparams"
    with pytest.raises(
        (ModelFormatError, TranslationError), match=r"bytes are left|in the parameter file|tensor"
    ):
        lower(program, other)


def test_item_of_a_list_is_the_variable_itself(tmp_path):
    pair = {"%": 2, "TT": {"#": "0.t_vec", "D": [pir.tensor(2, [-1, 1])["TT"]] * 2}}
    parts = pir.operation("split_with_num", [1, 5], pair, num=2)
    item = pir.operation("builtin.slice", [2], pir.tensor(3, [-1, 1]), index=1)
    rest = pir.operation("builtin.split", [2], pir.tensor(6, [-1, 1]), pir.tensor(7, [-1, 1]))
    fetched = [pir.fetch(3, 0), pir.fetch(6, 1), pir.fetch(7, 2)]
    program = lowered(
        tmp_path, given(1, [-1, 2]), pir.full(5, 1, "int32"), parts, item, rest, *fetched
    )
    first, second = only(program, "split").output("Out")
    assert program.outputs == [second, first, second]


def test_constant_that_two_operators_read_becomes_one_parameter(tmp_path):
    sums = [pir.operation("add", [1, 2], pir.tensor(number, [3])) for number in (3, 4)]
    program = lowered(tmp_path, given(1, [3]), pir.full(2, 1.5), *sums)
    (name,) = program.parameters
    assert program.constants == {name}
    assert program.parameters[name].dtype == np.float32
    assert program.parameters[name].tolist() == [1.5]


def test_infinite_constant_is_read(tmp_path):
    """Attention masks have such constants, which JSON can't write as numbers."""
    minus = {"#": "0.a_f64", "VD": "-INF"}
    mask = pir.operation("full", [], pir.tensor(2, [1]), shape=[1], value=minus, dtype="float32")
    masked = pir.operation("add", [1, 2], pir.tensor(3, [3]))
    program = lowered(tmp_path, given(1, [3]), mask, masked)
    assert [array.tolist() for array in program.parameters.values()] == [[float("-inf")]]


def test_loop_is_named_by_its_results():
    folder = ZOO_EXPORTS / "rec_vit_parseq" / "pir"
    (loop,) = (op for op in every(read(folder / "inference.json")) if op.name == "while")
    program = lower(folder / "inference.json", folder / "inference.pdiparams")
    results = [value for value in loop.outputs if value is not None]
    assert results and str(only(program, "while")) == (
        f"while → {', '.join(f'v{value.number}' for value in results)}"
    )


def test_constant_that_its_type_cannot_hold_is_an_error(tmp_path):
    with pytest.raises(ModelFormatError, match="a value doesn't fit into int64"):
        lowered(tmp_path, pir.full(1, 1e30, "int64"), pir.fetch(1))
