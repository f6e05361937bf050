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
from converters.parity import compare as parity
from converters.parity import paddle_reference
from converters.parity.compare import Comparison
from converters.parity.paddle_reference import PaddleMissingError, Reference
from tests.support import hostile_graphs
from tests.zoo.converted import EXPORTS, converted

# Networks are converted or frozen for these tests.
pytestmark = pytest.mark.slow

NAME = "rec_r34_vd_tps_bilstm_ctc"
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
        made = convert.convert(FOLDER, ENTRIES, **options)
    return made, "\n".join(record.getMessage() for record in caplog.records)


def test_every_step_is_logged(monkeypatch, caplog):
    made, said = conversion_with(monkeypatch, caplog, answers())
    lines = said.splitlines()
    assert lines[0] == f"{NAME}: translating inference.pdmodel"
    repairs, rewrites = made.translation.repairs, made.rewrites
    assert repairs and rewrites and len(lines) == len(repairs) + len(rewrites) + 4
    for repair, line in zip(repairs, lines[1:], strict=False):
        assert line == f"{NAME}: repaired {', '.join(repair.nodes)}: {repair.why}"
    known, *rewritten = lines[1 + len(repairs) : -2]
    assert known.startswith(f"{NAME}: recognition, CTC; known by the graph's")
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
    assert made.checks["paddle"].inputs == [[number, 32, 100, 3] for number in (1, 2, 3)]


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
    make = edge_graph.make

    def wrong(*arguments: Any) -> bytes:
        model = onnx.load_from_string(make(*arguments))
        (mean,) = (item for item in model.graph.initializer if item.name == "edge.mean")
        value = numpy_helper.to_array(mean) + np.float32(0.1)
        mean.CopyFrom(numpy_helper.from_array(value, mean.name))
        return model.SerializeToString()

    monkeypatch.setattr(edge_graph, "make", wrong)
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


def test_onnx_model_is_not_compared_with_paddle(monkeypatch, caplog, tmp_path):
    (tmp_path / "net.onnx").write_bytes(converted(NAME).plain)
    monkeypatch.setattr(paddle_reference, "run", None)
    made = convert.convert(tmp_path, ENTRIES)
    assert made.paddle == "published as ONNX, nothing was translated"
    assert made.plain == converted(NAME).plain
    assert made.translation.translator == "none: published as ONNX"
    assert made.checks["paddle"].status == "not run"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (hostile_graphs.endless(), "mine: the runtime would refuse its graph: .* a subgraph"),
        (
            hostile_graphs.graph(hostile_graphs.node("Gelu", "x", domain="com.microsoft")),
            r"mine: .* node 'the_Gelu' \(Gelu\) is an operator of the domain 'com.microsoft'",
        ),
        (hostile_graphs.reading("secret"), "mine: .* a tensor has external data"),
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
