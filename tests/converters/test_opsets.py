"""Test `convert --opset`: graphs of each version of ONNX's operators compute the same."""

import json

import numpy as np
import onnx
import pytest

from converters import edge_graph
from converters.__main__ import main
from converters.errors import TranslationError
from converters.graph.interface import examine
from converters.graph.runner import onnx_runner
from converters.model.paddle_model import identify
from converters.optimize import rewrite
from converters.translate import OPSET, translate
from tests.zoo.converted import converted
from tests.zoo.names import EXPORTS

# A network with the sizes of its pictures: a detector, a CTC recognizer and an attention network.
PICTURES = {
    "PP-OCRv6_tiny_det": (1, 64, 96, 3),
    "rec_mv3_none_none_ctc": (2, 32, 100, 3),
    "rec_mtb_nrtr": (1, 32, 100, 3),
    "rec_mv3_tps_bilstm_att": (2, 32, 100, 3),
}
# The first opset with GridSample, which the rectification (TPS) before some recognizers needs.
FIRST_OF_TPS = 16
QUICK = {("rec_mv3_none_none_ctc", 13), ("rec_mv3_none_none_ctc", 21)}
CASES = [
    pytest.param(name, opset, marks=[] if (name, opset) in QUICK else pytest.mark.stress)
    for name in PICTURES
    for opset in (13, 16, 18, 21)
    if opset >= FIRST_OF_TPS or "tps" not in name
]


@pytest.mark.parametrize(("name", "opset"), CASES)
def test_graphs_of_every_opset_compute_the_same(name, opset):
    made = converted(name)
    plain = translate(identify(EXPORTS / name / "legacy"), opset=opset).plain
    wrapped = edge_graph.wrapped(plain, made.network, examine(plain))
    rewrites = rewrite(wrapped)
    edge = wrapped.SerializeToString()
    assert [each.name for each in rewrites] == [each.name for each in made.rewrites]
    images = np.random.default_rng(0).integers(0, 256, PICTURES[name], np.uint8)
    feeds = edge_graph.to_plain_inputs(images, made.network.normalize, made.interface)
    for usual, other, given in ((made.plain, plain, feeds), (made.edge, edge, [images])):
        onnx.checker.check_model(other, full_check=True)
        model = onnx.load_from_string(other)
        assert [(item.domain, item.version) for item in model.opset_import] == [("", opset)]
        expected, found = (onnx_runner(graph, None)(given) for graph in (usual, other))
        assert len(found) == len(expected)
        for one, two in zip(expected, found, strict=True):
            assert one.shape == two.shape
            assert one.dtype == two.dtype
            np.testing.assert_allclose(two, one, rtol=1e-3, atol=1e-4)


def test_grid_sample_below_its_opset_is_one_clear_error():
    model = identify(EXPORTS / "rec_svtrnet" / "legacy")
    with pytest.raises(TranslationError, match=r"from opset 16 on(.|\n)*Give --opset 16 or more$"):
        translate(model, opset=FIRST_OF_TPS - 1)


def test_command_writes_and_reports_the_opset(tmp_path):
    assert OPSET != 13  # or the test would prove nothing
    source, out = EXPORTS / "rec_mv3_none_none_ctc" / "legacy", tmp_path / "out"
    assert main(["convert", str(source), "-o", str(out), "--opset", "13", "--fast"]) == 0
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert {name: graph["opset"] for name, graph in report["graphs"].items()} == {
        "plain": {"ai.onnx": 13},
        "edge": {"ai.onnx": 13},
    }


@pytest.mark.parametrize("opset", ["12", "22"])
def test_command_refuses_other_opsets(tmp_path, capsys, opset):
    with pytest.raises(SystemExit) as stopped:
        main(["convert", str(EXPORTS), "-o", str(tmp_path / "out"), "--opset", opset])
    assert stopped.value.code == 2
    assert "--opset" in capsys.readouterr().err


def test_model_in_onnx_keeps_its_opset_and_that_is_said(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    made = translate(identify(EXPORTS / "rec_mv3_none_none_ctc" / "legacy"), opset=13)
    (tmp_path / "mine" / "net.onnx").write_bytes(made.plain)
    out = tmp_path / "out"
    assert main(["convert", str(tmp_path / "mine"), "-o", str(out), "--opset", "17"]) == 1
    assert "--opset 17: net.onnx is an ONNX graph of opset 13" in capsys.readouterr().err
    assert not out.exists()
    assert main(["convert", str(tmp_path / "mine"), "-o", str(out), "--fast"]) == 0
    assert onnx.load(out / "plain.onnx").opset_import[0].version == 13
