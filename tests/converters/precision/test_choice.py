"""Test freezing in int8 and float16: what is left out, what is recorded, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest

from converters.accuracy import measure as accuracy_measure
from converters.bundle import sbom
from converters.bundle.assembly import Assembly, Content
from converters.errors import ConverterError, PrecisionError
from converters.freeze import Plan
from converters.precision import calibration, choice, judging, rounding, search, selection
from converters.precision.float16 import to_float16
from converters.precision.judging import Reduced
from converters.precision.lock import PrecisionLock
from edgeocr import OCR, Bundle
from edgeocr.accuracy.score import Score
from edgeocr.bundle import description
from edgeocr.bundle.provenance import Precision
from tests.support.frozen import frozen
from tests.support.paths import IMAGES, TRAINED_EXPORTS
from tests.trained import words

EXPORTS = TRAINED_EXPORTS
Graphs: TypeAlias = dict[str, Reduced]
Reduce: TypeAlias = Callable[..., tuple[Graphs, list[str]]]


def labelled(folder: Path, number: int, seed: int) -> Path:
    """Pictures of one word each, with their Label.txt."""
    folder.mkdir()
    rows = []
    for i, word in enumerate(words.clean(number, seed)):
        height, width = word.crop.shape[:2]
        cv2.imwrite(str(folder / f"{i:02}.png"), word.crop)
        corners = [[0, 0], [width, 0], [width, height], [0, height]]
        rows.append(
            f"{i:02}.png\t{json.dumps([{'transcription': word.text, 'points': corners}])}\n"
        )
    (folder / "Label.txt").write_text("".join(rows))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return labelled(tmp_path_factory.mktemp("labelled") / "words", 8, 21)


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    path = tmp_path_factory.mktemp("draft") / "rosetta.edgeocr"
    return frozen(path, recognition=str(EXPORTS / "rosetta"))


@pytest.fixture(autouse=True)
def few_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare variants on few inputs and round weights to the nearest integer, which is faster.

    How weights are rounded has tests of its own.
    """
    monkeypatch.setitem(search.COMPARED, "recognition", 3)
    monkeypatch.setattr(judging, "FOLDS", 2)
    monkeypatch.setattr(
        rounding, "compensated", lambda rows, steps, _: rounding.nearest(rows, steps)
    )


@pytest.fixture(autouse=True)
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a lock of the test's own, and let each node in int8 save time."""
    monkeypatch.setattr(choice, "LOCK", tmp_path / "precision.lock")
    monkeypatch.setattr(search.Search, "time", lambda self, nodes: 1 - 0.03 * len(nodes))
    return tmp_path / "precision.lock"


@pytest.fixture
def reduced(draft: Bundle, folder: Path, caplog: pytest.LogCaptureFixture) -> Reduce:
    """Reduce the draft; return the graphs and the logged lines."""
    caplog.set_level("INFO", logger="converters")
    manifest = draft.manifest
    whole = Assembly(
        manifest.name,
        manifest.description,
        manifest.stages,
        manifest.provenance,
        {name: Content.of(draft.read(name)) for name in manifest.files if name != sbom.FILE},
    )

    def reduce(wanted: Precision = "int8", max_loss: float = 5.0) -> tuple[Graphs, list[str]]:
        def redraft(graphs: Mapping[str, Reduced]) -> Bundle:
            changed = whole
            for stage, less in graphs.items():
                changed = changed.with_graph(stage, less.graph, wanted, less.quantization)
            return changed.draft

        caplog.clear()
        made = choice.reduce(
            whole.draft, redraft, wanted, calibrate=folder, accuracy=folder, max_loss=max_loss
        )
        return made, [record.getMessage() for record in caplog.records]

    return reduce


@pytest.mark.slow
def test_int8_reports_its_size_and_loss(draft, folder, lock, reduced):
    made, said = reduced()
    found = made["recognition"].quantization
    assert found.nodes > 0 and found.pictures == 8 and len(found.images) == 64
    full = len(draft.read("graphs/recognition.onnx"))
    assert len(made["recognition"].graph) < 0.6 * full
    table = "\n".join(said)
    assert "int8 beside fp32, 8 pictures of words with 8 lines" in table
    for row in ("fp32 ", "recognition ", "all "):
        assert any(line.startswith(row) for line in said), table
    assert "by cross-validation: the choice was made 2 times" in table
    loss = made["recognition"].loss
    assert (loss.data, loss.pictures, loss.lines, loss.folds) == ("words", 8, 8, 2)
    assert str(loss.hmean) in table
    (choice,) = json.loads(lock.read_text()).values()
    assert choice["left_out"] == {"recognition": found.left_out}
    assert choice["losses"]["recognition"]["hmean"]["high"] == loss.hmean.high


@pytest.mark.stress
@pytest.mark.slow
def test_recorded_choice_is_used_again(draft, folder, monkeypatch, reduced):
    first, _ = reduced()
    monkeypatch.setattr(search.Search, "fewer", lambda *_: pytest.fail("it is known"))
    monkeypatch.setattr(selection.Selector, "select", lambda _: pytest.fail("it is known"))
    second, said = reduced()
    assert second["recognition"] == first["recognition"]
    assert any("precision.lock" in line for line in said)


@pytest.mark.stress
@pytest.mark.slow
def test_kind_of_node_that_is_slower_in_int8_is_left_out(draft, folder, monkeypatch, reduced):
    def time(self: Any, nodes: Any) -> float:
        slow = any(self.kinds[node] == "pointwise" for node in nodes)
        return 1 - 0.03 * len(nodes) + 0.2 * slow

    monkeypatch.setattr(search.Search, "time", time)
    made, _ = reduced()
    stage = search.Search("recognition", draft.read("graphs/recognition.onnx"), [])
    pointwise = {node for node, kind in stage.kinds.items() if kind == "pointwise"}
    assert pointwise and pointwise <= set(made["recognition"].quantization.left_out)


def matrices(bundle: Bundle) -> int:
    """Return the number of nodes of a bundle's recognition graph that compute in int8."""
    graph = onnx.load_from_string(bundle.read("graphs/recognition.onnx")).graph
    weights = [item for item in graph.initializer if item.data_type == onnx.TensorProto.INT8]
    return sum(len(item.dims) > 1 for item in weights)


def lines(exact: int) -> Score:
    """Return the score of a picture with a hundred lines, of which some are exact."""
    return Score(labelled=100, found=100, matched=100, exact=exact, characters=500)


@pytest.mark.stress
@pytest.mark.slow
def test_nodes_are_left_out_until_the_loss_is_allowed(draft, folder, monkeypatch, reduced):
    """Four points of Hmean are lost while more than nine nodes compute in int8."""

    def read(bundle: Bundle, pictures: Mapping[Path, Any], **_: Any) -> dict[Path, Score]:
        return dict.fromkeys(pictures, lines(90 if matrices(bundle) > 9 else 94))

    monkeypatch.setattr(accuracy_measure, "scores", read)
    made, said = reduced(max_loss=0.5)
    assert 0 < made["recognition"].quantization.nodes <= 9
    assert sum("nodes lose" in line for line in said) > 1


def number_of_nodes(pictures: set[str]) -> int:
    """Return another number for each part of the eight pictures, and 1 for all of them."""
    return 1 if len(pictures) == 8 else 2 + min(int(Path(name).stem) for name in pictures)


@pytest.mark.stress
@pytest.mark.slow
def test_loss_is_that_of_pictures_that_the_choice_has_not_seen(
    draft, folder, monkeypatch, lock, reduced
):
    """Every part gets other nodes, which ruin exactly the pictures that they were chosen without.

    The choice with all pictures loses nothing, so only cross-validation sees the loss.
    """
    calibrated: list[set[str]] = []

    def selected(_: Any, given: Any, searches: Any, paths: list[Path]) -> Graphs:
        calibrated.append({path.name for path in paths})
        search_ = searches["recognition"]
        nodes = list(search_.kinds)[: number_of_nodes({path.name for path in paths})]
        return {"recognition": selection._reduced(search_, given, nodes)}

    def read(bundle: Bundle, pictures: Mapping[Path, Any], **_: Any) -> dict[Path, Score]:
        if (number := matrices(bundle)) in seen_by:
            return {path: lines(94 if path.name in seen_by[number] else 80) for path in pictures}
        return dict.fromkeys(pictures, lines(94))

    pictures = sorted(folder.glob("*.png"))
    rests = [
        {path.name for path in pictures if path not in part} for part in judging.folds(pictures)
    ]
    seen_by = {number_of_nodes(rest): rest for rest in rests}
    assert len(seen_by) == 2
    monkeypatch.setattr(selection.Selector, "_selected", selected)
    monkeypatch.setattr(accuracy_measure, "scores", read)
    with pytest.raises(PrecisionError, match="no stage gains by int8, so freeze without it"):
        reduced(max_loss=0.5)
    lock.unlink()
    made, _ = reduced(max_loss=20.0)
    loss = made["recognition"].loss
    assert (loss.hmean.points, loss.hmean.low, loss.hmean.high) == (14, 14, 14)
    assert {frozenset(names) for names in calibrated} >= set(map(frozenset, seen_by.values()))


@pytest.mark.slow
def test_stage_that_is_no_faster_stays_in_float32(draft, folder, monkeypatch, reduced):
    monkeypatch.setattr(search.Search, "time", lambda self, nodes: 0.97)
    with pytest.raises(
        PrecisionError,
        match="no stage gains by int8, so freeze without it: recognition: stays in fp32",
    ):
        reduced()


def test_error_names_the_stage_that_loses_too_much(draft, folder, monkeypatch, reduced):
    def read(bundle: Bundle, pictures: Mapping[Path, Any], **_: Any) -> dict[Path, Score]:
        full = bundle.read("graphs/recognition.onnx") == draft.read("graphs/recognition.onnx")
        return dict.fromkeys(pictures, lines(94 if full else 92))

    monkeypatch.setattr(accuracy_measure, "scores", read)
    expected = r"fp16 loses \+2\.00 \[\+2\.00, \+2\.00\] points.*stage recognition alone loses \+2"
    with pytest.raises(PrecisionError, match=expected):
        reduced("fp16", max_loss=0.5)


@pytest.mark.stress
@pytest.mark.slow
def test_manifest_of_an_int8_bundle_records_the_quantization(folder, tmp_path):
    plan = Plan(precision="int8", calibrate=folder, accuracy=folder, max_loss=5.0)
    bundle = frozen(tmp_path / "small.edgeocr", plan, recognition=str(EXPORTS / "rosetta"))
    manifest = bundle.manifest
    stage = manifest.stages.recognition
    assert stage is not None and stage.precision == "int8"
    (origin,) = manifest.provenance
    assert origin.quantization is not None and origin.quantization.nodes > 0
    assert origin.loss is not None and origin.loss.pictures == 8
    shown = " ".join(description.describe(bundle).split())
    assert f"Hmean {origin.loss.hmean}, CER {origin.loss.cer}" in shown
    assert "cross-validation in 2 parts" in shown
    assert manifest.accuracy is not None and manifest.accuracy.hmean > 0.9
    given = words.clean(10, 22)
    readings = OCR(bundle, provider="cpu", threads=1).recognize([word.crop for word in given])
    assert sum(reading.text == word.text for reading, word in zip(readings, given, strict=True)) > 8


@pytest.mark.parametrize("name", ["rosetta", "crnn"])
def test_float16_bundle_reads_the_same_texts(name, folder, tmp_path):
    """CRNN has LSTMs, which end the process on a CPU if ONNX Runtime optimizes them fully."""
    plan = Plan(precision="fp16", accuracy=folder)
    bundle = frozen(tmp_path / f"{name}.edgeocr", plan, recognition=str(EXPORTS / name))
    full = frozen(tmp_path / f"{name}-full.edgeocr", recognition=str(EXPORTS / name))
    stage = bundle.manifest.stages.recognition
    assert stage is not None and stage.precision == "fp16"
    graph = bundle.read("graphs/recognition.onnx")
    assert len(graph) < 0.65 * len(full.read("graphs/recognition.onnx"))
    weights = onnx.load_from_string(graph).graph.initializer
    assert any(item.data_type == onnx.TensorProto.FLOAT16 for item in weights)
    crops = [word.crop for word in words.clean(12, 23)]
    texts = [
        [reading.text for reading in OCR(each, provider="cpu", threads=1).recognize(crops)]
        for each in (bundle, full)
    ]
    assert texts[0] == texts[1]


def test_bundle_with_weights_in_float16_computes_in_float32(folder, tmp_path):
    plan = Plan(weights="fp16", accuracy=folder)
    bundle = frozen(tmp_path / "half.edgeocr", plan, recognition=str(EXPORTS / "rosetta"))
    full = frozen(tmp_path / "full.edgeocr", recognition=str(EXPORTS / "rosetta"))
    stage = bundle.manifest.stages.recognition
    (origin,) = bundle.manifest.provenance
    assert stage is not None and (stage.precision, origin.weights) == ("fp32", "fp16")
    assert origin.loss is not None and origin.loss.folds == 0 and origin.loss.pictures == 8
    sizes = [len(each.read("graphs/recognition.onnx")) for each in (bundle, full)]
    assert sizes[0] < 0.55 * sizes[1]
    assert "stored in fp16" in description.describe(bundle)
    given = words.clean(10, 24)
    readings = OCR(bundle, provider="cpu", threads=1).recognize([word.crop for word in given])
    assert sum(reading.text == word.text for reading, word in zip(readings, given, strict=True)) > 8


def test_float16_graph_keeps_its_interface(bundle: Bundle):
    graph = bundle.read("graphs/detection.onnx")
    sessions = [
        onnxruntime.InferenceSession(each, providers=["CPUExecutionProvider"])
        for each in (to_float16(graph), graph)
    ]
    ports = [
        [(port.name, port.type) for port in (*session.get_inputs(), *session.get_outputs())]
        for session in sessions
    ]
    assert ports[0] == ports[1]


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"a b": {"left_out": [1], "losses": {}}}', '{"a b": {}}']
)
def test_damaged_lock_is_refused(lock, text):
    lock.write_text(text)
    with pytest.raises(PrecisionError, match=r"precision\.lock is damaged"):
        PrecisionLock(lock).get([b"graph"], "0" * 64)


@pytest.mark.slow
def test_calibration_collects_the_inputs_of_each_stage(bundle: Bundle, tmp_path):
    given = calibration.inputs(bundle, IMAGES)
    assert set(given.batches) == {"detection", "orientation", "recognition"}
    assert given.pictures == 4
    for name, batches in given.batches.items():
        assert 0 < len(batches) <= calibration.MOST[name]
        assert all(batch.dtype == np.uint8 and batch.shape[3] == 3 for batch in batches)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConverterError, match="contains no pictures"):
        calibration.inputs(bundle, tmp_path / "empty")
    cv2.imwrite(str(tmp_path / "empty" / "white.png"), np.full((200, 300, 3), 255, np.uint8))
    with pytest.raises(ConverterError, match="stage orientation was given nothing"):
        calibration.inputs(bundle, tmp_path / "empty")
