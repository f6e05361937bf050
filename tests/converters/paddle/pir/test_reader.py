"""Test what is read from an inference.json, and that other files are refused."""

import json

import numpy as np
import pytest

from converters.errors import ModelFormatError
from converters.paddle.pir.reader import read
from tests.support import pir_programs as pir
from tests.support.paths import ZOO_EXPORTS


def test_operators_of_a_real_program_are_read():
    operations = read(ZOO_EXPORTS / "rec_mv3_none_bilstm_ctc" / "pir" / "inference.json")
    names = [op.name for op in operations]
    assert names[0] == "parameter" and names[-1] == "fetch" and names.count("data") == 1
    (rnn,) = (op for op in operations if op.name == "rnn")
    assert (rnn.attributes["mode"], rnn.attributes["hidden_size"]) == ("LSTM", 8)
    assert len(rnn.inputs) == 5
    assert rnn.inputs[3] == 0  # the lengths of the sequences are absent
    assert rnn.outputs[0] is not None and rnn.outputs[0].shape == (-1, -1, 16)
    made_by = {value.number: op for op in operations for value in op.outputs if value is not None}
    states = made_by[rnn.inputs[1]]
    assert states.name == "builtin.combine" and states.outputs[0] is not None
    assert states.outputs[0].parts is not None and len(states.outputs[0].parts) == 2
    assert str(rnn).startswith(f"rnn → %{rnn.outputs[0].number}")


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        ("bool", "bool"), ("i8", "int8"), ("ui8", "uint8"), ("i16", "int16"), ("i32", "int32"),
        ("i64", "int64"), ("f16", "float16"), ("f32", "float32"), ("f64", "float64"),
        ("bf16", "t_bf16"),
    ],
)  # fmt: skip
def test_types_of_values_are_read(tmp_path, kind, dtype):
    (op,) = read(pir.write(tmp_path, pir.data("x", pir.tensor(1, [-1, 3], kind))))
    (value,) = op.outputs
    assert value is not None and (value.dtype, value.shape) == (dtype, (-1, 3))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ({"#": "0.a_f64", "D": 2.0}, 2.0),
        ({"#": "0.a_bool", "D": True}, True),
        ({"#": "1.a_dtype", "D": "float32"}, "float32"),
        ({"#": "1.a_intarray", "D": [1, -1]}, [1, -1]),
        ({"#": "0.a_array", "D": []}, []),
        ({"#": "0.a_array", "D": [{"#": "0.a_i64", "D": 3}, {"#": "0.a_f32", "D": 0.5}]}, [3, 0.5]),
        ({"#": "0.a_f64", "VD": "INF"}, float("inf")),
        ({"#": "0.a_array", "D": [{"#": "0.a_f32", "VD": "-INF"}]}, [float("-inf")]),
    ],
)
def test_values_of_attributes_are_read(tmp_path, written, value):
    (op,) = read(pir.write(tmp_path, pir.operation("any", [], value=written)))
    assert op.attributes == {"value": value}


def test_attribute_that_is_not_a_number_is_read(tmp_path):
    (op,) = read(pir.write(tmp_path, pir.operation("any", [], v={"#": "0.a_f64", "VD": "NaN"})))
    assert np.isnan(op.attributes["v"])


def test_place_of_execution_is_left_out(tmp_path):
    place = {"#": "1.a_place", "D": [0, 0, ""]}
    (op,) = read(pir.write(tmp_path, pir.operation("any", [], place=place, axis=1)))
    assert op.attributes == {"axis": 1}


def test_only_persistable_parameters_are_saved(tmp_path):
    weight = pir.parameter("w", pir.tensor(1, [2]))
    state = pir.parameter("s", pir.tensor(2, [], "ui8"), persistable=False)
    flags = {
        op.attributes["name"]: op.attributes["saved"]
        for op in read(pir.write(tmp_path, weight, state))
    }
    assert flags == {"w": True, "s": False}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", "null", '{"a": 1}', '{"base_code": {"magic": "pir"}, "program": {}}'],
)
def test_other_json_is_refused(tmp_path, text):
    path = tmp_path / "inference.json"
    path.write_text(text)
    with pytest.raises(ModelFormatError, match=r"inference\.json: not a PIR program"):
        read(path)


def test_binary_files_are_refused(tmp_path):
    (tmp_path / "inference.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelFormatError, match="not a PIR program"):
        read(tmp_path / "inference.json")


def test_other_magic_is_refused(tmp_path):
    path = pir.write(tmp_path, pir.fetch(1))
    path.write_text(path.read_text().replace('"pir"', '"other"'))
    with pytest.raises(ModelFormatError, match="expected a PIR program of one block"):
        read(path)


def test_magic_in_capitals_is_accepted(tmp_path):
    path = pir.write(tmp_path, pir.full(1, 0.5))
    path.write_text(path.read_text().replace('"pir"', '"PIR"'))
    assert [op.name for op in read(path)] == ["full"]


@pytest.mark.parametrize("level", ["blocks", "regions"])
def test_program_of_several_blocks_is_refused(tmp_path, level):
    path = pir.write(tmp_path, pir.fetch(1))
    content = json.loads(path.read_text())
    regions = content["program"]["regions"]
    twice = regions if level == "regions" else regions[0]["blocks"]
    twice.append(twice[0])
    path.write_text(json.dumps(content))
    with pytest.raises(ModelFormatError, match="one block"):
        read(path)


def test_unknown_kind_of_value_is_refused(tmp_path):
    odd = {"%": 1, "TT": {"#": "1.t_selected_rows", "D": []}}
    with pytest.raises(
        ModelFormatError, match=r"operator 0 .*type 1\.t_selected_rows is not supported"
    ):
        read(pir.write(tmp_path, pir.data("x", odd)))


@pytest.mark.parametrize(
    "entry", [{}, {"#": "1.relu"}, {"#": 3, "A": [], "I": [], "O": []}, "relu"]
)
def test_incomplete_operators_are_refused(tmp_path, entry):
    with pytest.raises(ModelFormatError, match="operator 0 can't be read"):
        read(pir.write(tmp_path, entry))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"I": [{"%": 9}]}, "it reads %9, which no operator before it computes"),
        ({"I": [{"%": -1}]}, "it reads %-1"),
        ({"I": [{"%": [1]}]}, "expected an integer of 64 bits, not list"),
        ({"I": [{"%": 10**30}]}, "expected an integer of 64 bits"),
        ({"I": None}, "TypeError"),
        (
            {"O": [{"%": 2, "TT": {"#": "0.t_dtensor", "D": [{"#": "0.t_f32"}, ["x"]]}}]},
            "expected an integer of 64 bits, not str",
        ),
        ({"O": [pir.tensor(2, [2**64])]}, "expected an integer of 64 bits"),
        ({"O": [pir.tensor(2, [1] * 10)]}, "at most 9 sizes"),
        ({"O": [{"%": None, "TT": pir.tensor(2, [])["TT"]}]}, "an integer of 64 bits, not None"),
        ({"#": "1.half\ud800"}, "UnicodeEncodeError"),
        ({"A": [{"N": 3, "AT": {"#": "0.a_i32", "D": 1}}]}, "expected a text, not int"),
        ({"A": [{"N": "v", "AT": {"#": "0.a_i32", "D": {}}}]}, "expected an integer .* not dict"),
        ({"A": [{"N": "v", "AT": {"#": "0.a_i32", "D": 2**63}}]}, "expected an integer of 64"),
        ({"A": [{"N": "v", "AT": {"#": "0.a_str", "D": "\ud800"}}]}, "UnicodeEncodeError"),
    ],
)
def test_error_says_what_is_wrong_with_an_operator(tmp_path, change, message):
    entry = pir.operation("any", [1], pir.tensor(2, [])) | change
    path = pir.write(tmp_path, pir.data("x", pir.tensor(1, [])), entry)
    with pytest.raises(ModelFormatError, match=rf"operator 1 can't be read: .*{message}"):
        read(path)


def test_deeply_nested_and_wrong_text_give_a_short_error(tmp_path):
    path = tmp_path / "inference.json"
    for content in (b"[" * 100000, b'{"magic": "pir"}' + b"x" * 100000 + b"\xff", b"1" * 5000):
        path.write_bytes(content)
        with pytest.raises(ModelFormatError, match=r"inference\.json: not a PIR program") as caught:
            read(path)
        assert len(str(caught.value)) < 1000


def test_absent_results_and_operands_are_read(tmp_path):
    entry = pir.operation("any", [0, 4], {"%": 5, "TT": {"#": "NULL"}}, pir.tensor(6, []))
    _, op = read(pir.write(tmp_path, pir.full(4, 0.5), entry))
    assert op.inputs == [0, 4]
    absent, value = op.outputs
    assert absent is None and value is not None and value.number == 6
    assert str(op) == "any → %6"
