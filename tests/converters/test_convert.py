"""One model's way, and what stops it."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from converters import convert, edge_graph
from converters.catalog import entries as catalog
from converters.convert import Conversion
from converters.errors import ModelFormatError, ParityError
from converters.graph.runner import onnx_runner
from converters.model.known import Statement
from converters.parity import compare as parity
from converters.parity import paddle_reference
from converters.parity.compare import Comparison
from converters.parity.paddle_reference import PaddleMissingError, Reference
from tests.support import hostile_graphs
from tests.zoo.converted import converted
from tests.zoo.names import EXPORTS

# Networks are converted or frozen for these tests.
pytestmark = pytest.mark.slow

NAME = "rec_mv3_none_none_ctc"
FOLDER = EXPORTS / NAME / "legacy"
ENTRIES = catalog.load()


def answers(change: float = 0.0) -> Any:
    """A Paddle that gives the plain graph's outputs, changed by so much."""

    def run(model: Any, probes: list[list[np.ndarray]], python: Any) -> Reference:
        runner = onnx_runner(converted(NAME).plain, None)
        outputs = [[value + np.float32(change) for value in runner(each)] for each in probes]
        return Reference("9.9", outputs, outputs, outputs)

    return run


def conversion_with(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, run: Any, **options: Any
) -> tuple[Conversion, str]:
    """Return the conversion with that Paddle, and what was logged."""
    converted(NAME)  # skips where it can't be translated
    monkeypatch.setattr(paddle_reference, "run", run)
    with caplog.at_level("INFO", logger="converters"):
        made = convert.convert(FOLDER, ENTRIES, said=Statement("CTC"), **options)
    return made, "\n".join(record.getMessage() for record in caplog.records)


def test_every_step_is_logged(monkeypatch, caplog):
    made, said = conversion_with(monkeypatch, caplog, answers())
    lines = said.splitlines()
    assert lines[0] == f"{NAME}: translating inference.pdmodel"
    rewrites = made.rewrites
    assert made.translation.changes == []  # this network has no loop to unroll
    assert rewrites and len(lines) == len(rewrites) + 5
    known, *rewritten, comparing = lines[1:-2]
    assert known.startswith(f"{NAME}: recognition, CTC; known by --algorithm; normalization as")
    assert comparing == f"{NAME}: comparing the edge graph with the plain graph"
    for rewrite, line in zip(rewrites, rewritten, strict=True):
        assert line == f"{NAME}: rewritten {len(rewrite.nodes)} x: {rewrite.why}"
    assert lines[-2].startswith(f"{NAME}: edge graph: passed") and "the plain graph" in lines[-2]
    assert lines[-1].startswith(f"{NAME}: plain graph: passed")
    assert "Paddle Inference 9.9" in lines[-1] and lines[-1].endswith("indices equal")


def test_agreement_with_paddle_is_recorded(monkeypatch, caplog):
    made, _ = conversion_with(monkeypatch, caplog, answers())
    assert isinstance(made.paddle, Comparison) and made.paddle.passed
    assert made.paddle.reference == "Paddle Inference 9.9"
    assert made.checks["paddle"].status == made.checks["edge_graph"].status == "passed"
    assert made.checks["paddle"].inputs == [[1, 32, 320, 3], [1, 32, 624, 3], [2, 32, 160, 3]]


def test_disagreement_with_paddle_is_an_error(monkeypatch, caplog):
    with pytest.raises(ParityError, match=rf"{NAME}: FAILED, .* from Paddle Inference 9\.9"):
        conversion_with(monkeypatch, caplog, answers(0.01))


@pytest.mark.parametrize("failing", ["plain", "edge"])
def test_disagreement_of_one_graph_is_an_error(monkeypatch, caplog, failing):
    good = converted(NAME).edge_graph
    bad = dataclasses.replace(good, indices_equal=False)
    beside = (bad, good) if failing == "plain" else (good, bad)
    monkeypatch.setattr(parity, "compare_paddle", lambda *_: beside)
    with pytest.raises(ParityError, match="INDICES DIFFER"):
        conversion_with(monkeypatch, caplog, answers())


def test_edge_graph_that_differs_from_the_plain_graph_is_an_error(monkeypatch, caplog):
    wrapped = edge_graph.wrapped

    def wrong(*arguments: Any) -> onnx.ModelProto:
        model = wrapped(*arguments)
        (mean,) = (item for item in model.graph.initializer if item.name == "edge.mean")
        value = numpy_helper.to_array(mean) + np.float32(0.1)
        mean.CopyFrom(numpy_helper.from_array(value, mean.name))
        return model

    monkeypatch.setattr(edge_graph, "wrapped", wrong)
    with pytest.raises(ParityError, match=r"FAILED, scores is .* from the plain graph"):
        conversion_with(monkeypatch, caplog, answers())


def test_reason_for_not_running_paddle_is_recorded(monkeypatch, caplog):
    def missing(*_: Any) -> Reference:
        raise PaddleMissingError("paddlepaddle is not installed: do this")

    made, said = conversion_with(monkeypatch, caplog, missing)
    assert made.paddle == made.checks["paddle"].reason == "paddlepaddle is not installed: do this"
    assert said.endswith(
        "plain graph beside Paddle Inference: paddlepaddle is not installed: do this"
    )


def test_failing_paddle_is_an_error(monkeypatch, caplog):
    def failing(*_: Any) -> Reference:
        raise ParityError("Paddle Inference ended with signal 6")

    with pytest.raises(ParityError, match="signal 6"):
        conversion_with(monkeypatch, caplog, failing)


def test_paddle_runs_in_the_given_python(monkeypatch, caplog):
    asked: list[Any] = []

    def run(model: Any, probes: Any, python: Any) -> Reference:
        asked.append((model.graph, len(probes), python))
        return answers()(model, probes, python)

    conversion_with(monkeypatch, caplog, run, paddle_python=Path("some/python"))
    assert asked == [(FOLDER / "inference.pdmodel", 3, Path("some/python"))]


@pytest.mark.parametrize("algorithm", ["PARSeq", "CPPD", "SAR"])
def test_algorithm_that_contradicts_a_sign_of_the_graph_is_an_error(monkeypatch, algorithm):
    name = "rec_mv3_none_none_ctc"
    translation = converted(name).translation
    monkeypatch.setattr(convert, "translate", lambda *_, **options: translation)
    message = f"says {algorithm}, but the graph is one for CTC: the number of its positions"
    with pytest.raises(ModelFormatError, match=message):
        convert.convert(EXPORTS / name / "legacy", ENTRIES, said=Statement(algorithm))


@pytest.mark.parametrize("shape", [[1, 3, 32, 10**9], [1, 3, 32, 0]])
def test_image_of_an_impossible_size_is_an_error(tmp_path, shape):
    model = onnx.load_from_string(converted("rec_mv3_none_none_ctc").plain)
    for size, given in zip(model.graph.input[0].type.tensor_type.shape.dim, shape, strict=True):
        size.dim_value = given
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelFormatError, match="no network can be run on an image of the shape"):
        convert.convert(tmp_path, ENTRIES, said=Statement("CTC"))


def test_name_that_is_not_text_is_an_error(tmp_path):
    plain = converted("rec_mv3_none_none_ctc").plain
    (tmp_path / "net.onnx").write_bytes(plain.replace(b"squeeze_0.tmp_0", b"squeeze_\xff.tmp_0"))
    with pytest.raises(ModelFormatError, match=r"net.onnx is damaged: the name b'squeeze_\\xff"):
        convert.convert(tmp_path, ENTRIES, said=Statement("CTC"))


def test_onnx_model_is_not_compared_with_paddle(monkeypatch, caplog, tmp_path):
    (tmp_path / "net.onnx").write_bytes(converted(NAME).plain)
    monkeypatch.setattr(paddle_reference, "run", None)
    made = convert.convert(tmp_path, ENTRIES, said=Statement("CTC"))
    assert made.paddle == "published as ONNX, nothing was translated"
    assert made.plain == converted(NAME).plain
    assert made.translation.translator == "none: published as ONNX"
    assert made.checks["paddle"].status == "not run"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            hostile_graphs.endless(),
            "mine/net.onnx: the runtime would refuse its graph: .* a subgraph",
        ),
        (
            hostile_graphs.graph(hostile_graphs.node("Gelu", "x", domain="com.microsoft")),
            r"mine/net.onnx: .* node 'the_Gelu' \(Gelu\) is an operator of the domain 'com.mic",
        ),
        (hostile_graphs.reading("secret"), "mine/net.onnx: .* a tensor has external data"),
    ],
)
def test_model_that_the_runtime_would_refuse_never_reaches_onnx_runtime(
    monkeypatch, tmp_path, model, message
):
    monkeypatch.setattr(onnxruntime, "InferenceSession", None)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelFormatError, match=message):
        convert.convert(folder, ENTRIES)
