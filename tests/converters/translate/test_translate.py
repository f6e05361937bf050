"""Test the translation to plain graphs, and that a failing translator becomes an error."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from converters import child_process
from converters.errors import ModelFormatError, TranslationError
from converters.model.paddle_model import PaddleModel, identify
from converters.paddle.program import Program
from converters.translate import paddle2onnx, translate
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
    assert conversion.translation.translator == "paddle2onnx 1.3.1"
    assert conversion.translation.repairs == []


def test_translation_computes_what_the_program_says(translator, tmp_path):
    translation = translate(legacy(one_operator("relu"), tmp_path))
    given = np.array([[-1, 0, 2]], np.float32)
    np.testing.assert_array_equal(run(translation.plain, [given])[0], [[0, 0, 2]])
    assert translation.operators == {"feed": 1, "relu": 1, "fetch": 1}


def test_operators_are_counted_before_repairs(translated):
    """The counts use the names that Paddle gave the operators."""
    counted = translated("PP-OCRv6_tiny_rec", "legacy").operators
    assert counted["conv2d"] > counted["feed"] == 1
    assert list(counted.values()) == sorted(counted.values(), reverse=True)
    pir_operators = translated("PP-OCRv6_tiny_rec", "pir").operators
    assert pir_operators["batch_norm_"] > 0 and "parameter" not in pir_operators


def test_translation_names_its_translator(translated):
    assert translated(DETECTOR, "legacy").translator == "paddle2onnx 1.3.1"
    assert translated(DETECTOR, "pir").translator == "paddle2onnx 1.3.1, PIR lowered by edgeocr"


def test_onnx_models_are_not_changed(tmp_path):
    (tmp_path / "inference.onnx").write_bytes(b"as it is")
    translation = translate(identify(tmp_path))
    assert translation.plain == b"as it is"
    assert translation.translator == "none: published as ONNX"
    assert translation.operators == {} and translation.repairs == []


def test_repairs_are_listed(translated):
    (repair,) = translated("rec_r50_fpn_srn", "legacy").repairs
    assert repair.name == "channels_last" and "channels that come last" in repair.why
    assert [node.split(" → ")[0] for node in repair.nodes] == ["pad3d", "pad3d"]


def test_repairs_do_not_change_the_files(translated):
    before = (ZOO_EXPORTS / "rec_r50_fpn_srn" / "legacy" / "inference.pdmodel").read_bytes()
    translate(identify(ZOO_EXPORTS / "rec_r50_fpn_srn" / "legacy"))
    assert (ZOO_EXPORTS / "rec_r50_fpn_srn" / "legacy" / "inference.pdmodel").read_bytes() == before


def test_crash_of_the_translator_becomes_an_error(translator, tmp_path):
    """The translator aborts its own process if an attribute is missing."""
    model = legacy(one_operator("mish"), tmp_path)
    with pytest.raises(TranslationError) as error:
        translate(model)
    said = str(error.value)
    assert said.startswith(f"{model.graph}: paddle2onnx 1.3.1 ended with signal 6 and printed:")
    assert "Cannot found attribute threshold in op: mish" in said


def test_refusal_of_the_translator_becomes_an_error(translator, tmp_path):
    model = legacy(one_operator("flip", axis=[0]), tmp_path)
    with pytest.raises(
        TranslationError, match=r"ended with exit code 1 and printed:\s+.* fixed for flip"
    ):
        translate(model)


def test_every_unsupported_operator_is_listed(translator, tmp_path):
    def build(program: Program) -> list[str]:
        for kind, source, target in (
            ("celu", "x", "a"),
            ("relu", "a", "b"),
            ("erfinv", "b", "c"),
            ("celu", "c", "d"),
        ):
            program.add_variable(target, [-1, 3], "float32")
            program.add_operator(kind, {"X": [source]}, {"Out": [target]})
        return ["d"]

    model = legacy(network({"x": ([-1, 3], "float32")}, build), tmp_path)
    with pytest.raises(TranslationError) as error:
        translate(model)
    lines = str(error.value).splitlines()
    assert lines[0] == f"{model.graph}: paddle2onnx 1.3.1 can't translate 3 operators:"
    assert lines[1:4] == ["  celu → a", "  erfinv → c", "  celu → d"]
    assert "converters/translate/repairs" in lines[4]


def test_every_refused_operator_is_listed(translator, tmp_path):
    def build(program: Program) -> list[str]:
        for target, beta in (("a", 2.0), ("b", 1.0), ("c", 3.0)):
            program.add_variable(target, [-1, 3], "float32")
            attributes = {"beta": beta, "threshold": 20.0}
            program.add_operator("softplus", {"X": ["x"]}, {"Out": [target]}, attributes)
        return ["a", "b", "c"]

    model = legacy(network({"x": ([-1, 3], "float32")}, build), tmp_path)
    with pytest.raises(TranslationError) as error:
        translate(model)
    lines = str(error.value).splitlines()
    assert lines[0] == f"{model.graph}: paddle2onnx 1.3.1 would get 2 operators wrong:"
    assert [line.split(":")[0] for line in lines[1:3]] == ["  softplus → a", "  softplus → c"]


def test_unsupported_operators_of_pir_are_listed_by_number(tmp_path):
    made = pir.operation("celu", [1], pir.tensor(2, [-1]))
    graph = pir.write(tmp_path, pir.data("x", pir.tensor(1, [-1])), made, pir.fetch(2))
    with pytest.raises(TranslationError, match=r"1 operators can't be translated:\n  celu → %2"):
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


def test_translator_that_does_not_finish_is_stopped(translator, tmp_path, monkeypatch):
    monkeypatch.setattr(paddle2onnx, "TIMEOUT_SECONDS", 0.001)
    with pytest.raises(
        TranslationError, match=r"paddle2onnx 1\.3\.1 did not finish within 0\.001 s"
    ):
        translate(legacy(one_operator("relu"), tmp_path))


def test_translator_that_writes_no_graph_is_an_error(translator, tmp_path, monkeypatch):
    ended = child_process.ProcessResult(0, "", 600)
    monkeypatch.setattr(child_process, "run", lambda *_: ended)
    with pytest.raises(
        TranslationError, match=r"ended with exit code 0 and printed:\s+\(nothing\)"
    ):
        translate(legacy(one_operator("relu"), tmp_path))


def test_other_version_of_paddle2onnx_is_refused(translator, tmp_path, monkeypatch):
    monkeypatch.setattr(paddle2onnx, "version", lambda name: "2.1.0")
    with pytest.raises(TranslationError, match=r"paddle2onnx 2\.1\.0 is installed.* need 1\.3\.1"):
        translate(legacy(one_operator("relu"), tmp_path))


def test_error_says_how_to_install_a_missing_paddle2onnx(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        TranslationError, match=r"paddle2onnx 1\.3\.1 is not installed: pip install"
    ):
        translate(legacy(one_operator("relu"), tmp_path))
