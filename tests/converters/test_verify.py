"""A converted folder beside Paddle Inference on the original."""

import importlib.util
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from converters import report
from converters.__main__ import main
from converters.errors import ConverterError, ModelFormatError
from converters.graph.runner import onnx_runner
from converters.parity import paddle_reference
from converters.verify import verify
from tests.zoo.converted import converted
from tests.zoo.names import EVERY, EXPORTS, OF_ALGORITHM

# Networks are converted or frozen for these tests.
pytestmark = pytest.mark.slow

NAME = "PP-OCRv6_tiny_det"


def write(folder: Path, name: str = NAME, form: str = "legacy") -> Path:
    """Write what `convert` writes, and return the folder."""
    conversion = converted(name, form)
    folder.mkdir()
    (folder / "plain.onnx").write_bytes(conversion.plain)
    (folder / "edge.onnx").write_bytes(conversion.edge)
    report.write(report.build(conversion), folder)
    return folder


def original(name: str = NAME, form: str = "legacy") -> Path:
    return EXPORTS / name / form


def tamper(path: Path) -> None:
    """Give one of the graph's convolutions another kernel."""
    model = onnx.load(path)
    constants = {item.name: item for item in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            constants[node.output[0]] = node.attribute[0].t
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    kernel = constants[convolutions[len(convolutions) // 2].input[1]]
    value = numpy_helper.to_array(kernel)
    kernel.CopyFrom(numpy_helper.from_array(value * np.float32(1.3), kernel.name))
    onnx.save(model, path)


@pytest.fixture
def paddle(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A Paddle that answers as the untampered plain graph; the list tells what it was asked."""
    asked: list[Any] = []

    def run(model: Any, probes: Any, python: Any) -> paddle_reference.Reference:
        asked.append((model.graph, python))
        runner = onnx_runner(converted(NAME).plain, None)
        outputs = [runner(inputs) for inputs in probes]
        return paddle_reference.Reference("9.9", outputs, outputs, outputs)

    monkeypatch.setattr(paddle_reference, "run", run)
    monkeypatch.setattr(paddle_reference, "require_paddle", lambda python: None)
    return asked


def said_of(folder: Path) -> dict[str, bool]:
    beside = json.loads((folder / "report.json").read_text(encoding="utf-8"))["parity"]
    return {name: beside[name]["passed"] for name in ("edge_graph", "paddle", "edge_to_paddle")}


def test_both_graphs_are_compared_and_reported(tmp_path, paddle, capsys):
    folder = write(tmp_path / "out")
    arguments = ["verify", str(folder), "--against", str(original()), "--paddle-python", "python3"]
    assert main(arguments) == 0
    assert paddle == [(original() / "inference.pdmodel", Path("python3"))]
    assert said_of(folder) == {"edge_graph": True, "paddle": True, "edge_to_paddle": True}
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "Plain graph beside Paddle Inference 9.9: passed." in text
    assert "Edge graph beside Paddle Inference 9.9: passed." in text
    shown = capsys.readouterr()
    assert shown.out == f"{folder / 'report.md'}\n"
    assert f"{NAME}: plain graph: passed" in shown.err
    assert f"{NAME}: edge graph: passed" in shown.err
    assert "other files" not in shown.err


@pytest.mark.parametrize(
    ("tampered", "expected"), [("plain", (False, True)), ("edge", (True, False))]
)
def test_tampered_graph_fails(tmp_path, paddle, capsys, tampered, expected):
    folder = write(tmp_path / "out")
    tamper(folder / f"{tampered}.onnx")
    assert main(["verify", str(folder), "--against", str(original())]) == 1
    passed = said_of(folder)
    assert (passed["paddle"], passed["edge_to_paddle"]) == expected
    title = "Plain" if tampered == "plain" else "Edge"
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert f"{title} graph beside Paddle Inference 9.9: FAILED." in text
    assert f"{NAME}: {tampered} graph: FAILED" in capsys.readouterr().err


@pytest.mark.stress
def test_second_verification_replaces_the_first(tmp_path, paddle):
    folder = write(tmp_path / "out")
    tamper(folder / "edge.onnx")
    verify(folder, original())
    (folder / "edge.onnx").write_bytes(converted(NAME).edge)
    of_plain, of_edge = verify(folder, original())
    assert of_plain.passed and of_edge.passed
    assert set(said_of(folder).values()) == {True}
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert text.count("Edge graph beside Paddle Inference") == 1 and "FAILED" not in text


def test_files_that_differ_from_the_converted_ones_are_logged(tmp_path, paddle, caplog):
    folder = write(tmp_path / "out")
    model = shutil.copytree(original(), tmp_path / "model")
    caplog.set_level("INFO", logger="converters")
    verify(folder, model)
    assert "other files" not in caplog.text
    with (model / "inference.pdiparams").open("r+b") as stream:
        stream.seek(-4, os.SEEK_END)
        stream.write(b"\0\0\0\0")
    verify(folder, model)
    assert f"{NAME}: {model} has other files than {folder} was converted from" in caplog.text


@pytest.mark.parametrize("missing", ["plain.onnx", "edge.onnx", "report.json"])
def test_folder_without_a_file_of_convert_is_refused(tmp_path, paddle, missing, capsys):
    folder = write(tmp_path / "out")
    (folder / missing).unlink()
    assert main(["verify", str(folder), "--against", str(original())]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and missing in error and "convert" in error
    assert error.count("\n") == 1 and paddle == []


@pytest.mark.parametrize("damaged", ["plain", "edge"])
def test_damaged_graph_is_an_error(tmp_path, paddle, damaged, capsys):
    folder = write(tmp_path / "out")
    path = folder / f"{damaged}.onnx"
    path.write_bytes(path.read_bytes()[:1000])
    assert main(["verify", str(folder), "--against", str(original())]) == 1
    assert f"error: the {damaged} graph doesn't load" in capsys.readouterr().err


def test_original_that_is_not_a_paddle_model_is_refused(tmp_path, paddle):
    folder = write(tmp_path / "out")
    with pytest.raises(ModelFormatError, match="neither a folder"):
        verify(folder, tmp_path / "missing")
    published = tmp_path / "onnx"
    published.mkdir()
    shutil.copy(folder / "plain.onnx", published)
    with pytest.raises(
        ConverterError, match="this is an ONNX model, which Paddle Inference can't run"
    ):
        verify(folder, published)
    assert paddle == []


@pytest.mark.parametrize(
    "other", [original("det_mv3_east"), original("det_mv3_db"), original("rec_mv3_none_none_ctc")]
)
def test_another_network_is_an_error_before_any_work(tmp_path, paddle, capsys, other):
    folder = write(tmp_path / "out")
    assert main(["verify", str(folder), "--against", str(other)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {other}: this is another network than the one that {folder}")
    assert error.count("\n") == 1 and paddle == []


def test_number_of_paddles_outputs_is_checked(tmp_path, monkeypatch, capsys):
    folder = write(tmp_path / "out")
    reference = paddle_reference.Reference("9.9", [[np.zeros((1, 37))] * 2] * 3, None, [])
    monkeypatch.setattr(paddle_reference, "run", lambda *_: reference)
    assert main(["verify", str(folder), "--against", str(original())]) == 1
    assert "error: Paddle Inference gives 2 outputs" in capsys.readouterr().err


@pytest.mark.parametrize(("form", "extra"), [("legacy", "parity"), ("pir", "parity-pir")])
def test_error_says_how_to_install_paddle(tmp_path, monkeypatch, capsys, form, extra):
    folder = write(tmp_path / "out", NAME, form)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    before = (folder / "report.json").read_bytes()
    assert main(["verify", str(folder), "--against", str(original(NAME, form))]) == 1
    error = capsys.readouterr().err
    assert f'error: paddlepaddle is not installed: pip install ".[cpu,convert,{extra}]"' in error
    assert (folder / "report.json").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "form"),
    [
        pytest.param(name, form, marks=pytest.mark.paddle if form == "legacy" else pytest.mark.pir)
        for name, form in EVERY
        if name in OF_ALGORITHM.values()
    ],
)
def test_paddle_itself_agrees_and_sees_a_tampered_graph(tmp_path, capsys, name, form):
    folder = write(tmp_path / "out", name, form)
    arguments = ["verify", str(folder), "--against", str(original(name, form))]
    assert main(arguments) == 0
    assert set(said_of(folder).values()) == {True}
    version = "2.6.2" if form == "legacy" else "3."
    passed = f"Plain graph beside Paddle Inference {version}"
    assert passed in (folder / "report.md").read_text(encoding="utf-8")
    tamper(folder / "plain.onnx")
    assert main(arguments) == 1
    assert said_of(folder) == {"edge_graph": True, "paddle": False, "edge_to_paddle": True}
    assert "plain graph: FAILED" in capsys.readouterr().err
