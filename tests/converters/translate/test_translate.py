"""Test the translation to plain graphs, and what can't be translated."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

import edgeocr
from converters.errors import ConverterError, ModelFormatError, TranslationError
from converters.model.paddle_model import PaddleModel, identify
from converters.paddle.program import Program
from converters.translate import translate
from converters.translate.translation import NAME
from tests.support import pir_programs as pir
from tests.support.legacy_programs import network, write
from tests.support.onnx_run import run
from tests.support.paths import ZOO_EXPORTS

DETECTOR = "PP-OCRv4_mobile_det"


def legacy(program: Program, folder: Path) -> PaddleModel:
    write(program, folder)
    return identify(folder)


def one_operator(kind: str, **attributes):
    def build(program: Program) -> list[str]:
        program.add_variable("y", [-1, 3], "float32")
        program.add_operator(kind, {"X": ["x"]}, {"Out": ["y"]}, attributes)
        return ["y"]

    return network({"x": ([-1, 3], "float32")}, build)


@pytest.mark.slow
def test_published_detector_is_translated_without_paddle(v4):
    _, conversion = v4(DETECTOR)
    model = onnx.load_from_string(conversion.plain)
    onnx.checker.check_model(model)
    assert [node.name for node in model.graph.input] == ["x"]
    assert conversion.translation.translator == NAME
    assert conversion.translation.changes == []


def test_parameters_and_constants_may_be_outputs_or_assigned(tmp_path):
    def build(program: Program) -> list[str]:
        program.add_parameter("weights", np.array([1, 2, 3], np.float32))
        program.add_parameter("changed", np.array([4, 5, 6], np.float32))
        program.add_variable("two", [1], "float32")
        filled = {"shape": [1], "dtype": 5, "value": 2.0, "str_value": ""}
        program.add_operator("fill_constant", {}, {"Out": ["two"]}, filled)
        inputs = {"X": ["x"], "Y": ["changed"]}
        program.add_operator("elementwise_add", inputs, {"Out": ["changed"]}, {"axis": -1})
        return ["weights", "two", "changed"]

    translation = translate(legacy(network({"x": ([-1, 3], "float32")}, build), tmp_path))
    onnx.checker.check_model(translation.plain)
    given = np.array([[-1, 0, 2]], np.float32)
    for found, expected in zip(
        run(translation.plain, [given]), ([1, 2, 3], [2], [[3, 5, 8]]), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_constants_that_the_program_changes_are_read_after_the_change(tmp_path):
    def build(program: Program) -> list[str]:
        for name in ("step", "before", "behind"):
            program.add_variable(name, [1] if name == "step" else [-1, 3], "float32")
        filled = {"shape": [1], "dtype": 5, "value": 1.0, "str_value": ""}
        program.add_operator("fill_constant", {}, {"Out": ["step"]}, filled)
        for name in ("before", "behind"):
            inputs = {"X": ["x"], "Y": ["step"]}
            program.add_operator("elementwise_add", inputs, {"Out": [name]}, {"axis": -1})
            program.add_operator("increment", {"X": ["step"]}, {"Out": ["step"]}, {"step": 2.0})
        return ["before", "behind"]

    translation = translate(legacy(network({"x": ([-1, 3], "float32")}, build), tmp_path))
    given = np.array([[-1, 0, 2]], np.float32)
    before, behind = run(translation.plain, [given])
    np.testing.assert_array_equal(before, given + 1)
    np.testing.assert_array_equal(behind, given + 3)


def test_constant_integers_are_scaled_by_whole_numbers(tmp_path):
    def build(program: Program) -> list[str]:
        for name in ("made", "scaled", "y"):
            program.add_variable(name, [-1, 2] if name == "y" else [2], "int64")
        listed = {"shape": [2], "dtype": 3, "int64_values": [5, -7]}
        program.add_operator("assign_value", {}, {"Out": ["made"]}, listed)
        settings = {"scale": 2.6, "bias": 1.9, "bias_after_scale": True}
        program.add_operator("scale", {"X": ["made"]}, {"Out": ["scaled"]}, settings)
        inputs = {"X": ["x"], "Y": ["scaled"]}
        program.add_operator("elementwise_add", inputs, {"Out": ["y"]}, {"axis": -1})
        return ["y"]

    translation = translate(legacy(network({"x": ([-1, 2], "int64")}, build), tmp_path))
    (found,) = run(translation.plain, [np.array([[0, 10]])])
    np.testing.assert_array_equal(found, [[11, -3]])  # as Paddle 2.6.2 and 3.3.1 compute it


def test_sections_that_tensors_give_may_leave_one_open(tmp_path):
    def build(program: Program) -> list[str]:
        for name, value in (("two", 2), ("rest", -1)):
            program.add_variable(name, [1], "int32")
            filled = {"shape": [1], "dtype": 2, "value": float(value), "str_value": ""}
            program.add_operator("fill_constant", {}, {"Out": [name]}, filled)
        inputs = {"X": ["x"], "SectionsTensorList": ["rest", "two"]}
        for name in ("first", "second"):
            program.add_variable(name, [-1, -1], "float32")
        settings = {"sections": [-1, -1], "num": 0, "axis": 1}
        program.add_operator("split", inputs, {"Out": ["first", "second"]}, settings)
        return ["first", "second"]

    translation = translate(legacy(network({"x": ([-1, -1], "float32")}, build), tmp_path))
    given = np.arange(10, dtype=np.float32).reshape(2, 5)
    first, second = run(translation.plain, [given])
    np.testing.assert_array_equal(first, given[:, :3])
    np.testing.assert_array_equal(second, given[:, 3:])


def test_declared_shapes_that_cannot_be_true_are_not_used(tmp_path):
    """Paddle 2.6.2 declares the shape for the first axis where a tensor gives another."""

    def build(program: Program) -> list[str]:
        for name, kind in (("place", "int64"), ("axis", "int32")):
            program.add_variable(name, [1], kind)
            filled = {"shape": [1], "dtype": 3 if kind == "int64" else 2, "value": 1.0}
            program.add_operator("fill_constant", {}, {"Out": [name]}, filled)
        program.add_variable("y", [1, 3, 4], "float32")
        program.add_variable("sizes", [3], "int32")
        inputs = {"X": ["x"], "Index": ["place"], "Axis": ["axis"]}
        program.add_operator("gather", inputs, {"Out": ["y"]}, {"axis": 0})
        program.add_operator("shape", {"Input": ["y"]}, {"Out": ["sizes"]})
        return ["y", "sizes"]

    translation = translate(legacy(network({"x": ([-1, 3, 4], "float32")}, build), tmp_path))
    given = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    y, sizes = run(translation.plain, [given])
    np.testing.assert_array_equal(y, given[:, 1:2])
    np.testing.assert_array_equal(sizes, [2, 1, 4])


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("batch_norm", "the statistics of the batch"), ("dropout", "drops values at random")],
)
def test_layers_in_training_are_refused(tmp_path, kind, reason):
    with pytest.raises(TranslationError, match=f"{kind} → y: it .*{reason}, as in training"):
        translate(legacy(one_operator(kind, is_test=False), tmp_path))


def test_attributes_that_depend_on_the_input_are_refused(tmp_path):
    def build(program: Program) -> list[str]:
        program.add_variable("y", [-1], "float32")
        operator = program.add_operator("reduce_sum", {"X": ["x"]}, {"Out": ["y"]})
        operator.set_attribute("dim", "axis", kind=13)
        return ["y"]

    inputs = {"x": ([-1, 3], "float32"), "axis": ([1], "int64")}
    with pytest.raises(TranslationError, match="reduce_sum → y: its dim is computed from the"):
        translate(legacy(network(inputs, build), tmp_path))


def test_inputs_of_an_unknown_type_are_refused(tmp_path):
    program = one_operator("relu")
    program.variable("x").type.dense_tensor.tensor.data_type = 22  # bfloat16
    with pytest.raises(ModelFormatError, match="its input 'x' has Paddle's type 22"):
        translate(legacy(program, tmp_path))


def test_translation_computes_what_the_program_says(tmp_path):
    translation = translate(legacy(one_operator("relu"), tmp_path))
    given = np.array([[-1, 0, 2]], np.float32)
    np.testing.assert_array_equal(run(translation.plain, [given])[0], [[0, 0, 2]])
    assert translation.operators == {"feed": 1, "relu": 1, "fetch": 1}


def test_operators_are_counted_by_the_names_in_the_original(translated):
    counted = translated("PP-OCRv6_tiny_rec", "legacy").operators
    assert counted["conv2d"] > counted["feed"] == 1
    assert list(counted.values()) == sorted(counted.values(), reverse=True)
    pir_operators = translated("PP-OCRv6_tiny_rec", "pir").operators
    assert pir_operators["batch_norm_"] > 0 and "parameter" not in pir_operators


def test_operators_inside_loops_are_counted_in_both_formats(translated):
    legacy_operators, pir_operators = (
        translated("rec_vit_parseq", form).operators for form in ("legacy", "pir")
    )
    assert legacy_operators["while"] == pir_operators["while"] == 1
    assert legacy_operators["layer_norm"] == pir_operators["layer_norm"] > 0
    assert pir_operators["array_write_"] == legacy_operators["write_to_array"] > 0


def test_translation_names_its_translator(translated):
    for form in ("legacy", "pir"):
        assert translated(DETECTOR, form).translator == NAME == f"edgeocr {edgeocr.__version__}"


def test_onnx_models_are_not_changed(tmp_path):
    (tmp_path / "inference.onnx").write_bytes(b"as it is")
    translation = translate(identify(tmp_path))
    assert translation.plain == b"as it is"
    assert translation.translator == "none: published as ONNX"
    assert translation.operators == {} and translation.changes == []


def test_unrolled_loops_are_listed(translated):
    (change,) = translated("rec_vit_parseq", "legacy").changes
    assert change.name == "unrolled_loops" and "without an early exit" in change.why
    assert [node.split(" → ")[0] for node in change.nodes] == ["while"]
    assert translated("rec_mv3_tps_bilstm_att", "legacy").changes == []


def test_missing_attribute_of_an_operator_becomes_an_error(tmp_path):
    model = legacy(one_operator("clip", min=0.0), tmp_path)
    with pytest.raises(TranslationError, match="clip → y: it has no max"):
        translate(model)


def test_every_unsupported_operator_is_listed(tmp_path):
    def build(program: Program) -> list[str]:
        for kind, source, target in (
            ("erfinv", "x", "a"),
            ("relu", "a", "b"),
            ("erfinv", "b", "c"),
            ("erfinv", "c", "d"),
        ):
            program.add_variable(target, [-1, 3], "float32")
            program.add_operator(kind, {"X": [source]}, {"Out": [target]})
        return ["d"]

    model = legacy(network({"x": ([-1, 3], "float32")}, build), tmp_path)
    with pytest.raises(TranslationError) as error:
        translate(model)
    lines = str(error.value).splitlines()
    assert lines[0] == f"{model.graph}: 3 operators can't be translated:"
    assert lines[1:4] == [f"  erfinv → {name}: it has no translation" for name in "acd"]
    assert "converters/translate/operators" in lines[4]


def test_every_operator_of_an_unsupported_form_is_listed(tmp_path):
    def build(program: Program) -> list[str]:
        for target, kind in (("a", "avg"), ("b", "max"), ("c", "median")):
            program.add_variable(target, [-1, 3, 1, 1], "float32")
            sizes: dict[str, object] = {"ksize": [9, 9], "paddings": [9, 9]}
            if kind == "avg":
                sizes = {"ksize": [1, 1], "adaptive": True}
            attributes = {"pooling_type": kind, **sizes}
            program.add_operator("pool2d", {"X": ["x"]}, {"Out": [target]}, attributes)
        return ["a", "b", "c"]

    model = legacy(network({"x": ([-1, 3, 4, 4], "float32")}, build), tmp_path)
    with pytest.raises(TranslationError) as error:
        translate(model)
    lines = str(error.value).splitlines()
    assert lines[0] == f"{model.graph}: 2 operators can't be translated:"
    assert lines[1] == "  pool2d → b: its padding is as wide as its window"
    assert lines[2] == "  pool2d → c: its pooling type 'median' is unknown"


@pytest.mark.parametrize(
    ("kind", "attributes", "reason"),
    [
        ("one_hot_v2", {"depth": 1 << 40}, "too large for a text network"),
        (
            "pool2d",
            {"pooling_type": "max", "ksize": [1 << 30, 1], "adaptive": True},
            "its numbers of cells",
        ),
        ("tril_triu", {}, "too large for a text network"),
    ],
)
def test_sizes_that_would_fill_the_memory_are_refused(tmp_path, kind, attributes, reason):
    shape = [1, 3, 1 << 30, 4]

    def build(program: Program) -> list[str]:
        program.add_variable("y", shape, "int32")
        program.add_operator(kind, {"X": ["x"]}, {"Out": ["y"]}, attributes)
        return ["y"]

    model = legacy(network({"x": (shape, "int32")}, build), tmp_path)
    with pytest.raises(ConverterError, match=f"{kind} → y.*{reason}"):
        translate(model)


def test_unsupported_operators_of_pir_are_listed_by_number(tmp_path):
    made = pir.operation("erfinv", [1], pir.tensor(2, [-1]))
    graph = pir.write(tmp_path, pir.data("x", pir.tensor(1, [-1])), made, pir.fetch(2))
    with pytest.raises(TranslationError, match=r"1 operator can't be translated:\n  erfinv → %2"):
        translate(PaddleModel("paddle-pir", graph))


def test_damaged_program_is_refused(tmp_path):
    shutil.copytree(ZOO_EXPORTS / DETECTOR / "legacy", tmp_path, dirs_exist_ok=True)
    program = tmp_path / "inference.pdmodel"
    program.write_bytes(program.read_bytes()[: program.stat().st_size // 2])
    with pytest.raises(ModelFormatError, match=r"inference\.pdmodel: not a Paddle program"):
        translate(identify(tmp_path))


def test_truncated_parameters_are_refused(tmp_path):
    shutil.copytree(ZOO_EXPORTS / DETECTOR / "legacy", tmp_path, dirs_exist_ok=True)
    (tmp_path / "inference.pdiparams").write_bytes(b"short")
    with pytest.raises(ModelFormatError, match=r"inference\.pdiparams: tensor 1 of"):
        translate(identify(tmp_path))
