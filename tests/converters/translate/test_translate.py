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
