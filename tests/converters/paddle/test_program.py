"""Test reading, changing and writing legacy programs, and that other files are refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from converters.errors import ModelFormatError
from converters.model.declaration import declaration
from converters.model.paddle_model import identify
from converters.paddle.files import DTYPES, messages, parse, tensor_bytes
from converters.paddle.program import Operator, Program
from converters.translate import translate
from tests.support.legacy_programs import network, write
from tests.support.paths import ZOO_EXPORTS
from tests.zoo.names import NAMES

SMALL = ZOO_EXPORTS / "PP-OCRv6_tiny_rec" / "legacy"


def files(folder: Path) -> tuple[Path, Path]:
    return folder / "inference.pdmodel", folder / "inference.pdiparams"


def copied(folder: Path) -> tuple[Path, Path]:
    shutil.copytree(SMALL, folder, dirs_exist_ok=True)
    return files(folder)


def one_file_each(folder: Path) -> Program:
    """Write Fluid's layout, __model__ and a file named after each parameter; return the program."""
    program = Program.read(*files(SMALL))
    shutil.copy(SMALL / "inference.pdmodel", folder / "__model__")
    for name, array in program.parameters.items():
        (folder / name).write_bytes(tensor_bytes(array))
    return program


def operator() -> Operator:
    return Operator(messages()["OpDesc"](type="any"))


@pytest.mark.parametrize("name", NAMES)
def test_programs_of_paddle_are_written_with_the_same_bytes(name, tmp_path):
    source = files(ZOO_EXPORTS / name / "legacy")
    Program.read(*source).write(*files(tmp_path))
    for written, original in zip(files(tmp_path), source, strict=True):
        assert written.read_bytes() == original.read_bytes()


def test_program_of_a_real_network_has_its_inputs_outputs_and_parameters():
    program = Program.read(*files(ZOO_EXPORTS / "rec_r50_fpn_srn" / "legacy"))
    assert len(program.inputs) == 5 and len(program.outputs) == 5
    assert program.shape(program.inputs[0]) == [-1, 1, 64, 256]
    kernel = next(op for op in program.operators if op.type == "conv2d").input("Filter")[0]
    assert program.shape(kernel) == list(program.parameters[kernel].shape)
    assert program.dtype(kernel) == DTYPES["float32"][0]


def test_inputs_and_outputs_are_ordered_by_their_columns():
    def swapped(program: Program) -> list[str]:
        for op in list(program.operators):
            op.set_attribute("col", 1 - op.attribute("col"))
        return ["a", "b"]

    program = network({"a": ([1], "float32"), "b": ([1], "float32")}, swapped)
    assert program.inputs == ["b", "a"]
    assert program.outputs == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (3, 0), (-(2**31), 0), (2**31, 9), (2.5, 1), ("SAME", 2), ([1, -2], 3), ([], 3),
        ([2**40, 1], 11), ([0.5, 2.0], 4), (["a", "b"], 5), (True, 6), ([True, False], 7),
        ([0.5, 1], 4),
    ],
)  # fmt: skip
def test_kind_of_an_attribute_follows_from_its_value(value, kind):
    op = operator()
    op.set_attribute("a", value)
    assert op.attribute("a") == value
    assert [item.type for item in op.desc.attrs] == [kind]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (0, 3), (1, 0.5), (2, "x"), (3, [1]), (4, []), (5, ["x"]), (6, False), (7, [True]), (8, 1),
        (9, 2**40), (10, [1, 2]), (11, [2**40]), (12, [0.1]), (13, "v"), (14, ["v", "w"]),
        (15, 0.1),
    ],
)  # fmt: skip
def test_attributes_of_every_kind_survive_writing(kind, value, tmp_path):
    def build(program: Program) -> list[str]:
        program.add_operator("any", {}, {"Out": ["x"]}).set_attribute("a", value, kind)
        return ["x"]

    written = Program.read(*write(network({}, build), tmp_path))
    (op,) = (op for op in written.operators if op.type == "any")
    assert op.attribute("a") == value
    assert [item.type for item in op.desc.attrs] == [kind]


def test_attribute_is_replaced_and_an_absent_one_has_its_default():
    op = operator()
    op.set_attribute("a", [1])
    op.set_attribute("a", "x")
    assert op.attribute("a") == "x" and len(op.desc.attrs) == 1
    assert op.attribute("b") is None and op.attribute("b", 7) == 7


def test_slots_are_read():
    slots = {"X": ["d"], "Y": ["c"]}
    op = Program.empty().add_operator("any", slots, {"Out": ["e"]})
    assert (op.input("X"), op.input("Y"), op.input("Z")) == (["d"], ["c"], [])
    assert (op.inputs(), op.outputs()) == (["d", "c"], ["e"])
    assert str(op) == "any → e"


def added(program: Program) -> list[str]:
    program.add_parameter("w", np.ones(3, np.float32))
    program.add_parameter("c", np.ones(3, np.float32), constant=True)
    for first, second, result in (("x", "w", "a"), ("x", "c", "b"), ("a", "x", "unused")):
        program.add_variable(result, [-1, 3], "float32")
        program.add_operator(
            "elementwise_add", {"X": [first], "Y": [second]}, {"Out": [result]}, {"axis": -1}
        )
    return ["a", "b"]


def test_unused_operators_and_parameters_are_removed():
    program = network({"x": ([-1, 3], "float32")}, added)
    program.block.ops.pop()  # fetches b
    program.remove_dead()
    assert [op.type for op in program.operators] == ["feed", "elementwise_add", "fetch"]
    assert set(program.parameters) == {"w"} and program.constants == set()
    assert program.variable("c") is None and program.variable("w") is not None
    assert program.inputs == ["x"] and program.outputs == ["a"]


def test_result_is_replaced_by_a_constant():
    program = network({"x": ([-1, 3], "float32")}, added)
    program.replace_by_constant("a", np.full((1, 3), 2, np.float32))
    assert not any("a" in op.outputs() for op in program.operators)
    assert program.shape("a") == [1, 3] and program.constants == {"a", "c"}
    program.remove_dead()
    assert set(program.parameters) == {"a", "c"}
    assert [op.type for op in program.operators].count("elementwise_add") == 1


def test_operator_that_another_block_reads_is_kept():
    program = network({"x": ([-1, 3], "float32")}, added)
    program.add_operator("relu", {"X": ["unused"]}, {}, block=program.add_block(0))
    program.remove_dead()
    assert any("unused" in op.outputs() for op in program.operators)


@pytest.mark.parametrize("cut", [1, 5000, -1])
def test_parameter_files_that_end_early_are_refused(cut, tmp_path):
    program, parameters = copied(tmp_path)
    parameters.write_bytes(parameters.read_bytes()[:cut])
    with pytest.raises(ModelFormatError, match=r"pdiparams: tensor \d+ of \d+, .*can't be read"):
        Program.read(program, parameters)


def test_parameter_files_that_are_too_long_are_refused(tmp_path):
    program, parameters = copied(tmp_path)
    parameters.write_bytes(parameters.read_bytes() + b"more")
    with pytest.raises(ModelFormatError, match="4 bytes are left"):
        Program.read(program, parameters)


@pytest.mark.parametrize("other", ["PP-OCRv4_mobile_rec", "PP-OCRv6_small_rec", "det_mv3_db"])
def test_parameters_of_another_network_are_refused(other):
    with pytest.raises(ModelFormatError, match=r"belong together|can't be read"):
        Program.read(files(SMALL)[0], files(ZOO_EXPORTS / other / "legacy")[1])


def test_parameters_of_another_alphabet_are_refused(tmp_path):
    """Both networks have the same number of parameters, one of which has another shape."""
    program, parameters = copied(tmp_path)
    other = Program.read(program, parameters)
    name, array = max(other.parameters.items(), key=lambda item: item[1].size)
    other.parameters[name] = array[..., :-1]
    other.write(tmp_path / "other", parameters)
    with pytest.raises(
        ModelFormatError, match=rf"parameter {name} has the shape .* belong together"
    ):
        Program.read(program, parameters)


@pytest.mark.parametrize(
    "content", [b"", b"no program\n" * 9, b"\x00" * 64, bytes(range(256)), b"\x0a\x00"]
)
def test_other_files_are_refused_as_programs(content, tmp_path):
    program, parameters = copied(tmp_path)
    program.write_bytes(content)
    with pytest.raises(ModelFormatError, match=r"inference\.pdmodel: (not )?a Paddle program"):
        Program.read(program, parameters)


def test_half_a_program_is_refused(tmp_path):
    program, parameters = copied(tmp_path)
    program.write_bytes(program.read_bytes()[: program.stat().st_size // 2])
    with pytest.raises(ModelFormatError, match=r"inference\.pdmodel: not a Paddle program"):
        Program.read(program, parameters)


@pytest.mark.parametrize("content", [b"", b"text, and rather much of it" * 9, b"\xff" * 99])
def test_other_files_are_refused_as_parameters(content, tmp_path):
    program, parameters = copied(tmp_path)
    parameters.write_bytes(content)
    with pytest.raises(ModelFormatError, match=r"inference\.pdiparams: tensor 1 of"):
        Program.read(program, parameters)


@pytest.mark.parametrize("dtype", DTYPES)
def test_tensors_of_every_type_survive_writing(dtype, tmp_path):
    value = np.arange(6).reshape(1, 2, 3).astype(DTYPES[dtype][1])
    program = network({}, lambda p: [p.add_parameter("w", value)])
    read = Program.read(*write(program, tmp_path)).parameters["w"]
    np.testing.assert_array_equal(read, value)
    assert read.dtype == value.dtype


def test_file_for_each_parameter_gives_the_same_program(tmp_path):
    program = one_file_each(tmp_path)
    again = Program.read(tmp_path / "__model__", None)
    assert again.desc == program.desc
    assert list(again.parameters) == list(program.parameters)
    for name, array in program.parameters.items():
        np.testing.assert_array_equal(again.parameters[name], array)


def test_file_for_each_parameter_gives_the_same_graph(translated, tmp_path):
    one_file_each(tmp_path)
    model = identify(tmp_path)
    assert model.parameters is None
    assert translate(model).plain == translated("PP-OCRv6_tiny_rec", "legacy").plain


def test_error_names_the_missing_file_of_a_parameter(tmp_path):
    missing = min(one_file_each(tmp_path).parameters)
    (tmp_path / missing).unlink()
    with pytest.raises(ModelFormatError, match=f"__model__ needs the parameter file '{missing}'"):
        Program.read(tmp_path / "__model__", None)


@pytest.mark.parametrize("name", ["a" * 300, "a\\b", "", "."])
def test_parameter_whose_name_no_file_has_is_an_error(tmp_path, name):
    old = min(one_file_each(tmp_path).parameters)
    desc = parse(tmp_path / "__model__")
    next(var for var in desc.blocks[0].vars if var.name == old).name = name
    (tmp_path / "__model__").write_bytes(desc.SerializeToString())
    model = identify(tmp_path)
    declaration(model)  # which leaves the error to the reading of the parameters
    with pytest.raises(ModelFormatError, match="__model__ needs the parameter file '"):
        Program.read(model.graph, None)


def test_error_names_the_damaged_file_of_a_parameter(tmp_path):
    name = max(one_file_each(tmp_path).parameters)
    (tmp_path / name).write_bytes(b"short")
    with pytest.raises(ModelFormatError, match=f"{name}: tensor 1 of 1"):
        Program.read(tmp_path / "__model__", None)
