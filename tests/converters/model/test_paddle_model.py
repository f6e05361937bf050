"""Test that a folder's model is recognized by the names of its files."""

import shutil
from pathlib import Path

import pytest

from converters.errors import ModelFormatError
from converters.model.paddle_model import holds_model, identify
from tests.support.paths import ZOO_EXPORTS

PIR = '{"base_code":{"magic":"pir","trainable":true,"version":4},"program":{"regions":[]}}'


@pytest.fixture
def made(tmp_path):
    """Return a function that makes files: PIR programs if they are named .json, else empty ones."""

    def make(*names: str) -> Path:
        for name in names:
            (tmp_path / name).write_text(PIR if name.endswith(".json") else "")
        return tmp_path

    return make


def found(folder: Path) -> tuple[str, str, str | None]:
    model = identify(folder)
    assert holds_model(folder)
    return model.format, model.graph.name, model.parameters.name if model.parameters else None


@pytest.mark.parametrize(
    ("names", "graph", "parameters"),
    [
        (["inference.pdmodel", "inference.pdiparams"], "inference.pdmodel", "inference.pdiparams"),
        (["model.pdmodel", "model.pdiparams"], "model.pdmodel", "model.pdiparams"),
        (["det.pdmodel", "det.pdiparams", "det.pdiparams.info"], "det.pdmodel", "det.pdiparams"),
        (["model", "params"], "model", "params"),
        (["__model__", "__params__"], "__model__", "__params__"),
        (["__model__", "params"], "__model__", "params"),
        (["__model__", "weights.bin", "inference.yml", "README.md"], "__model__", "weights.bin"),
        (["model", "__params__"], "model", "__params__"),
        (["__model__", "conv1.w", "conv1.b", "keys.txt", ".gitignore"], "__model__", None),
        (["__model__", "all", ".gitignore", "a.info", "keys.txt"], "__model__", "all"),
    ],
)
def test_legacy_layouts_are_recognized(made, names, graph, parameters):
    assert found(made(*names)) == ("paddle-legacy", graph, parameters)


@pytest.mark.parametrize("stem", ["inference", "model", "PP-OCRv5_server_det"])
def test_pir_layouts_are_recognized(made, stem):
    folder = made(f"{stem}.json", f"{stem}.pdiparams", "inference.yml")
    assert found(folder) == ("paddle-pir", f"{stem}.json", f"{stem}.pdiparams")
    assert identify(folder).settings == folder / "inference.yml"


@pytest.mark.parametrize("name", ["inference.onnx", "model.onnx"])
def test_onnx_layouts_are_recognized(made, name):
    folder = made(name)
    assert found(folder) == ("onnx", name, None)
    assert identify(folder).settings is None


def test_inference_onnx_takes_precedence_over_other_graphs(made):
    assert found(made("a.onnx", "inference.onnx"))[1] == "inference.onnx"


def test_real_exports_of_both_formats_are_recognized():
    assert found(ZOO_EXPORTS / "det_mv3_db" / "legacy")[0] == "paddle-legacy"
    assert found(ZOO_EXPORTS / "det_mv3_db" / "pir")[0] == "paddle-pir"


@pytest.mark.parametrize("name", ["a.json", "a.pdmodel", "a.onnx", "inference.onnx"])
def test_folders_are_not_taken_for_files(made, name):
    folder = made("inference.json", "inference.pdiparams")
    (folder / name).mkdir()
    assert found(folder)[1] == "inference.json"


def test_settings_that_are_no_file_are_not_described(made):
    folder = made("model.onnx")
    (folder / "inference.yml").mkdir()
    model = identify(folder)
    assert model.settings == folder / "inference.yml" and model.described == model.files


def test_files_of_a_model_are_its_graph_and_parameters(made):
    folder = made("inference.json", "inference.pdiparams", "inference.yml")
    assert [path.name for path in identify(folder).files] == [
        "inference.json",
        "inference.pdiparams",
    ]


def test_paddle_takes_precedence_over_onnx(made):
    folder = made("inference.onnx", "inference.json", "inference.pdiparams")
    assert found(folder)[0] == "paddle-pir"


def test_legacy_takes_precedence_over_pir_of_the_same_parameters(made):
    folder = made("inference.pdmodel", "inference.json", "inference.pdiparams")
    assert found(folder)[0] == "paddle-legacy"


def test_other_json_beside_a_model_is_ignored(made):
    folder = made("inference.json", "inference.pdiparams")
    (folder / "config.json").write_text('{"model_type": "det"}')
    assert found(folder)[1] == "inference.json"


@pytest.mark.parametrize("suffix", ["pdmodel", "json"])
def test_graph_with_parameters_takes_precedence_over_one_without(made, suffix):
    assert found(made(f"a.{suffix}", f"b.{suffix}", "b.pdiparams"))[1] == f"b.{suffix}"


def test_usual_names_take_precedence_over_others(made):
    folder = made("best.json", "best.pdiparams", "inference.json", "inference.pdiparams")
    assert found(folder)[1] == "inference.json"


@pytest.mark.parametrize("suffix", ["pdmodel", "json"])
def test_several_models_are_refused(made, suffix):
    folder = made(f"det.{suffix}", "det.pdiparams", f"rec.{suffix}", "rec.pdiparams")
    with pytest.raises(ModelFormatError, match=rf"several models, det\.{suffix}, rec\.{suffix}"):
        identify(folder)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("inference.pdmodel", r"but its inference\.pdiparams is missing"),
        ("det.pdmodel", r"but its det\.pdiparams is missing"),
        ("inference.json", r"but its inference\.pdiparams is missing"),
        ("__model__", "but its parameters are missing"),
        ("model", "but its parameters are missing"),
    ],
)
def test_missing_parameters_are_named(made, name, missing):
    folder = made(name, "inference.yml")
    with pytest.raises(ModelFormatError, match=rf"{name} is here, {missing}"):
        identify(folder)
    assert not holds_model(folder)


def test_checkpoint_is_refused_with_advice_to_export_it(made):
    folder = made("best_accuracy.pdparams", "best_accuracy.pdopt", "config.yml")
    with pytest.raises(ModelFormatError, match=r"training checkpoint .*export_model\.py"):
        identify(folder)


def test_export_beside_a_checkpoint_is_a_model(made):
    folder = made("best.pdparams", "inference.json", "inference.pdiparams")
    assert found(folder)[0] == "paddle-pir"


def test_empty_folder_is_refused(tmp_path):
    with pytest.raises(ModelFormatError, match=r"the folder is empty$"):
        identify(tmp_path)


def test_folder_of_other_files_is_refused(made):
    folder = made("notes.txt")
    (folder / "inference.json").write_text("{}")
    with pytest.raises(
        ModelFormatError, match=r"no model here; the folder holds inference\.json, notes\.txt"
    ):
        identify(folder)


def test_several_onnx_graphs_without_inference_onnx_are_refused(made):
    with pytest.raises(ModelFormatError, match=r"several models, a\.onnx, b\.onnx; keep one"):
        identify(made("a.onnx", "b.onnx"))


def test_files_and_missing_folders_are_refused(tmp_path):
    with pytest.raises(ModelFormatError, match="x: there is neither a folder nor a model"):
        identify(tmp_path / "x")
    shutil.copy(ZOO_EXPORTS / "det_mv3_db" / "pir" / "inference.json", tmp_path)
    with pytest.raises(ModelFormatError, match=r"inference\.json is a file; name the folder"):
        identify(tmp_path / "inference.json")
    assert not holds_model(tmp_path / "x")
