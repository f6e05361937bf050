"""What a folder holds, and translators that fail without taking us along."""

import shutil
from pathlib import Path

import onnx
import pytest

from converters.errors import ModelFormatError, TranslationError
from converters.paddle_model import identify
from converters.translate import translate

DETECTOR = "PP-OCRv4_mobile_det"


@pytest.mark.parametrize(
    ("graph", "parameters"), [("inference.pdmodel", "inference.pdiparams"), ("model", "params")]
)
def test_legacy_names(tmp_path, graph, parameters):
    (tmp_path / graph).write_bytes(b"")
    with pytest.raises(ModelFormatError, match=f"{parameters} is missing"):
        identify(tmp_path)
    (tmp_path / parameters).write_bytes(b"")
    model = identify(tmp_path)
    assert (model.graph.name, model.parameters.name) == (graph, parameters)


def test_no_folder_no_model_and_pir(tmp_path):
    with pytest.raises(ModelFormatError, match="no such folder"):
        identify(tmp_path / "x")
    with pytest.raises(ModelFormatError, match=r"only nothing.*inference\.pdmodel"):
        identify(tmp_path)
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(ModelFormatError, match=r"only notes\.txt"):
        identify(tmp_path)
    (tmp_path / "inference.json").write_text("{}")
    with pytest.raises(ModelFormatError, match="PIR"):
        identify(tmp_path)


def test_the_real_detector_without_paddle(v4):
    _, conversion = v4(DETECTOR)
    model = onnx.load_from_string(conversion.plain)
    onnx.checker.check_model(model)
    assert [node.name for node in model.graph.input] == ["x"]
    assert conversion.translator == "paddle2onnx 1.3.1"


def test_a_damaged_program_ends_in_an_error(v4, v4_folders: dict[str, Path], tmp_path):
    v4(DETECTOR)  # skips where there is no translator
    source = v4_folders[DETECTOR]
    shutil.copy(source / "inference.pdiparams", tmp_path)
    program = (source / "inference.pdmodel").read_bytes()
    (tmp_path / "inference.pdmodel").write_bytes(program[: len(program) // 2])
    with pytest.raises(TranslationError, match=r"inference\.pdmodel: paddle2onnx 1\.3\.1 ended"):
        translate(tmp_path)


def test_truncated_parameters_end_in_an_error(v4, v4_folders: dict[str, Path], tmp_path):
    v4(DETECTOR)  # skips where there is no translator
    source = v4_folders[DETECTOR]
    shutil.copy(source / "inference.pdmodel", tmp_path)
    (tmp_path / "inference.pdiparams").write_bytes(b"short")
    with pytest.raises(TranslationError, match=r"ended with"):
        translate(tmp_path)
