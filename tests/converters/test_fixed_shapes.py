"""Test graphs with fixed shapes: nothing in them is open, and they compute what they did before."""

import json
from functools import cache

import numpy as np
import onnx
import pytest
from onnx import parser

from converters import edge_graph, fixed_shapes
from converters.__main__ import main
from converters.errors import ConverterError, TranslationError
from converters.graph.interface import examine
from converters.graph.reading import inferred_shapes, shape
from converters.graph.runner import onnx_runner
from tests.zoo.converted import STATED, converted
from tests.zoo.names import EXPORTS, OF_ALGORITHM

SIZES = {
    "DB": (1, 3, 64, 96),
    "EAST": (1, 3, 64, 96),
    "SAST": (2, 3, 128, 256),
    "PGNet": (1, 3, 128, 256),
    "CLS": (3, 3, 48, 192),
    "CTC": (1, 3, 32, 320),
    "Attention": (1, 3, 32, 100),
    "SRN": (2, 1, 64, 256),
}
# The smallest networks; the others have a mark that leaves them to the run of everything.
QUICK = ("DB", "CTC")


def open_sizes(graph: bytes) -> list[str]:
    """Return the values of a graph of which ONNX's shape inference doesn't know every size."""
    model = onnx.load_from_string(graph)
    known = inferred_shapes(model)
    names = [output for node in model.graph.node for output in node.output if output]
    return [name for name in names if None in known.get(name, [None])]


@cache
def fixed(kind: str) -> tuple[bytes, bytes]:
    """Return the plain and the edge graph of the algorithm's network, with fixed shapes."""
    made = converted(OF_ALGORITHM[kind])
    plain = fixed_shapes.fix(made.plain, {None: SIZES[kind]})
    edge = edge_graph.make(plain, made.network, examine(plain))
    return plain, fixed_shapes.fix(edge, {}, "edge graph")


ALGORITHMS = [
    kind if kind in QUICK else pytest.param(kind, marks=[pytest.mark.stress, pytest.mark.slow])
    for kind in SIZES
]


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_no_size_is_open_and_nothing_computes_shapes(kind):
    made = converted(OF_ALGORITHM[kind])
    assert open_sizes(made.plain)  # or the test would prove nothing
    for graph in fixed(kind):
        assert open_sizes(graph) == []
        model = onnx.load_from_string(graph)
        onnx.checker.check_model(model, full_check=True)
        assert not [node for node in model.graph.node if node.op_type in ("Shape", "Loop", "If")]
        for item in (*model.graph.input, *model.graph.output):
            assert None not in shape(item)


@pytest.mark.parametrize("kind", ALGORITHMS)
def test_fixed_graphs_compute_what_the_open_ones_do(kind):
    made = converted(OF_ALGORITHM[kind])
    plain, edge = fixed(kind)
    number, _, height, width = SIZES[kind]
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (number, height, width, 3), np.uint8)
    feeds = edge_graph.to_plain_inputs(images, made.network.normalize, made.interface)
    for before, after, given in ((made.plain, plain, feeds), (made.edge, edge, [images])):
        expected, got = (onnx_runner(graph, None)(given) for graph in (before, after))
        assert len(expected) == len(got)
        for one, other in zip(expected, got, strict=True):
            largest = max(1.0, float(np.abs(one.astype(np.float64)).max()))
            # Untrained weights amplify the rounding of single values.
            gaps = np.abs(other.astype(np.float64) - one) / largest
            assert gaps.shape == one.shape and gaps.mean() < 1e-4 and gaps.max() < 0.05


def test_edge_graph_keeps_its_contract():
    model = onnx.load_from_string(fixed("CTC")[1])
    (image,) = model.graph.input
    assert image.name == "crops" and image.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert shape(image) == [1, 32, 320, 3]
    assert [item.name for item in model.graph.output] == ["indices", "scores"]
    assert [shape(item) for item in model.graph.output] == [[1, 80], [1, 80]]


@pytest.mark.parametrize("form", ["pir", pytest.param("legacy", marks=pytest.mark.stress)])
@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("PP-OCRv6_tiny_rec", ["1x3x48x320"], {"x": [1, 3, 48, 320]}),
        ("PP-OCRv6_tiny_det", ["x=1x3x64x96"], {"x": [1, 3, 64, 96]}),
    ],
)
def test_report_says_what_was_fixed(tmp_path, monkeypatch, form, name, given, expected):
    out = tmp_path / "out"
    shapes = [part for each in given for part in ("--shape", each)]
    monkeypatch.setattr(
        "converters.convert.translate", lambda *_, **_wanted: converted(name, form).translation
    )
    assert main(["convert", str(EXPORTS / name / form), "-o", str(out), "--fast", *shapes]) == 0
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert report["fixed"] == expected
    assert set(report["sizes"]["fixed_by"].values()) == {"--shape"}
    page = (out / "report.md").read_text("utf-8")
    assert "--shape fixed the plain graph's inputs at `x` 1×3×" in page
    for graph in ("plain", "edge"):
        assert open_sizes((out / f"{graph}.onnx").read_bytes()) == []


def test_input_is_chosen_by_its_name():
    plain = converted(OF_ALGORITHM["SRN"]).plain
    names = [port.name for port in converted(OF_ALGORITHM["SRN"]).interface.inputs]
    made = onnx.load_from_string(
        fixed_shapes.fix(plain, {names[0]: (2, 1, 64, 256), names[1]: (2, 256, 1)})
    )
    assert [shape(item)[0] for item in made.graph.input] == [2] * 5
    with pytest.raises(ConverterError, match="has no input y; its inputs are "):
        fixed_shapes.fix(plain, {"y": (1, 1, 64, 256)})
    with pytest.raises(ConverterError, match=r"=1x1x64x100: the network's input is \?x1x64x256"):
        fixed_shapes.fix(plain, {names[0]: (1, 1, 64, 100)})
    with pytest.raises(ConverterError, match=r"the image has two, 1x1x64x256 and .*=2x1x64x256"):
        fixed_shapes.fix(plain, {None: (1, 1, 64, 256), names[0]: (2, 1, 64, 256)})


def test_size_that_depends_on_values_is_an_error():
    text = """<ir_version: 8, opset_import: ["": 17]>
        g (float[N, 3, H, W] x) => (int64[4, K] y) { y = NonZero(x) }"""
    graph = parser.parse_model(text).SerializeToString()
    with pytest.raises(TranslationError, match="1 value keeps an open size, y of NonZero: try"):
        fixed_shapes.fix(graph, {None: (1, 3, 32, 32)})


def test_every_stated_network_is_still_unproven():
    """Networks that need --algorithm in these tests are the ones that users need it for."""
    assert set(STATED) <= {path.name for path in EXPORTS.iterdir()}
