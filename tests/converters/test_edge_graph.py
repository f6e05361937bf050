"""Test the interface of edge graphs, and the arithmetic that they add to plain graphs."""

import dataclasses
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, parser

from converters import edge_graph
from converters.catalog.entries import Normalize
from converters.convert import Conversion
from converters.graph import warping
from converters.graph.interface import examine
from converters.graph.reading import operator_counts
from converters.graph.runner import onnx_runner
from converters.model.families import FAMILIES
from converters.model.network import Network
from converters.parity import compare as parity
from tests.support.edge_contracts import CONTRACTS, ONE_BY_ONE, SIZES, WORDS
from tests.support.networks import likely
from tests.support.readout_cases import softmax
from tests.zoo.converted import converted, parameters
from tests.zoo.inputs import stored
from tests.zoo.names import EVERY, EXPORTS, FORMS, NAMES, OF_ALGORITHM

# Networks are converted or frozen for these tests.
pytestmark = pytest.mark.slow

CARD = Normalize("BGR", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
EACH = pytest.mark.parametrize(
    ("kind", "form"),
    parameters(
        (kind, form)
        for kind, name in OF_ALGORITHM.items()
        for form in FORMS
        if (name, form) in EVERY
    ),
)


def graph(text: str, opset: int = 17) -> bytes:
    header = f'<ir_version: 8, opset_import: ["": {opset}]> '
    return parser.parse_model(header + text).SerializeToString()


def one_layer(opset: int = 17, given: str = "x", gives: str = "y") -> bytes:
    """Return a plain graph: the sigmoid of a weighted sum of the three planes, [N, 1, H, W]."""
    return graph(
        f"""plain (float[N, 3, H, W] {given}) => (float[N, 1, H, W] {gives})
        <float[1, 3, 1, 1] w = {{0.5, -1.0, 0.25}}>
        {{ sum = Conv({given}, w) {gives} = Sigmoid(sum) }}""",
        opset,
    )


def unoptimized(conversion: Conversion) -> bytes:
    """Return the edge graph before it is rewritten, in which only the interface is new."""
    return edge_graph.make(conversion.plain, conversion.network, conversion.interface)


def edge_of(plain: bytes, **changes: Any) -> bytes:
    interface = examine(plain)
    known = dataclasses.replace(likely(interface), **changes)
    return edge_graph.make(plain, known, interface)


def run(model: bytes, *inputs: np.ndarray) -> list[np.ndarray]:
    return onnx_runner(model, None)(list(inputs))


def picture(kind: str, number: int = 2, seed: int = 0) -> np.ndarray:
    fixed = {"Attention": (32, 100), "SRN": (64, 256), "CTC": (32, 72)}
    if kind in ONE_BY_ONE:
        number = 1
    high, wide = SIZES.get(kind) or WORDS.get(kind) or fixed.get(kind, (64, 96))
    made = np.random.default_rng(seed).integers(0, 256, (number, high, wide, 3), np.uint8)
    if kind in ("SAR", "RobustScanner"):  # they leave out what is black on the right
        made[:, :, 120:] = 0
    return made


def prepared(pictures: np.ndarray, known: Network) -> np.ndarray:
    """Return what PaddleOCR feeds into the network, computed in float32; OpenCV makes the grey."""
    normalize = known.normalize
    if normalize.colour == "GREY":
        pictures = np.stack([cv2.cvtColor(one, cv2.COLOR_BGR2GRAY) for one in pictures])[..., None]
    if normalize.colour == "RGB":
        pictures = np.stack([cv2.cvtColor(one, cv2.COLOR_BGR2RGB) for one in pictures])
    x = pictures.astype("float32") * np.float32(normalize.scale)
    x = (x - np.array(normalize.mean, np.float32)) / np.array(normalize.std, np.float32)
    return x.transpose(0, 3, 1, 2)


def reduced(kind: str, plain: list[np.ndarray], number: int) -> list[np.ndarray]:
    """Return what the decoders need of the plain outputs, in the order of the contract."""
    if kind in ("CLS", "PageCLS", "PSE", "FCE", "UVDoc"):
        return plain
    if kind == "CT":  # its score is the sigmoid of the first of its maps
        return plain[:1]
    if kind in ("CTC", "Attention", "SRN"):
        probability = plain[2].reshape(number, 25, -1) if kind == "SRN" else plain[0]
        return [probability.argmax(axis=-1), probability.max(axis=-1)]
    if kind == "NRTR":  # it chooses itself; the first position is the start
        return [plain[0][:, 1:], plain[1][:, 1:]]
    if kind in WORDS:
        probability = {
            "ViTSTR": lambda: plain[0][:, 1:],  # the first position belongs to the start
            "VisionLAN": lambda: softmax(plain[0].transpose(1, 0, 2)[:, :25]),
            "RFL": lambda: softmax(plain[1]),
        }.get(kind, lambda: plain[0])()
        return [probability.argmax(axis=-1), probability.max(axis=-1)]
    by_channels = {value.shape[1]: value for value in reversed(plain)}
    channels = [1, *(shape[1] for _, shape in CONTRACTS[kind][2:])]
    return [by_channels[1][:, 0], *(by_channels[number] for number in channels[1:])]


def dimensions(value: onnx.ValueInfoProto) -> list[Any]:
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


@EACH
def test_edge_graph_has_the_inputs_and_outputs_of_its_algorithm(kind, form):
    edge = onnx.load_from_string(unoptimized(converted(OF_ALGORITHM[kind], form)))
    (given, *gives) = CONTRACTS[kind]
    if (kind, form) == ("PageCLS", "pir"):  # only this export says which size it was trained with
        given = ("image", ["N", *SIZES[kind], 3])
    assert [(item.name, dimensions(item)) for item in edge.graph.input] == [given]
    assert [(item.name, dimensions(item)) for item in edge.graph.output] == gives
    assert edge.graph.input[0].type.tensor_type.elem_type == TensorProto.UINT8
    for item in edge.graph.output:
        integer = item.name == "indices"
        expected = TensorProto.INT32 if integer else TensorProto.FLOAT
        assert item.type.tensor_type.elem_type == expected


@EACH
def test_edge_graph_computes_what_numpy_makes_of_the_plain_graph(kind, form):
    conversion = converted(OF_ALGORITHM[kind], form)
    pictures = picture(kind)
    feeds = [prepared(pictures, conversion.network)]
    if kind == "SRN":  # the further inputs as the zoo feeds them
        probes = stored(EXPORTS / OF_ALGORITHM[kind] / "outputs.npz")
        feeds += next(p.inputs[1:] for p in probes if len(p.inputs[0]) == len(pictures))
    if kind in ("SAR", "RobustScanner"):
        feeds.append(np.array([120 / 160], np.float32))
    if kind == "RobustScanner":
        feeds.append(np.arange(40)[None])
    expected = reduced(kind, run(conversion.plain, *feeds), len(pictures))
    got = run(unoptimized(conversion), pictures)
    if kind == "UVDoc":  # the edge graph gives the places, and the runtime samples the picture
        got = [warping.unwarped(feeds[0], got[0])]
    assert [value.shape for value in got] == [value.shape for value in expected]
    for ours, theirs in zip(got, expected, strict=True):
        if ours.dtype == np.int32:
            np.testing.assert_array_equal(ours, theirs)
        else:
            # Untrained networks that read their own choices amplify the rounding of the picture.
            # On noise, a thousandth of a pixel changes what UVDoc samples by a hundredth.
            limit = 1e-2 if kind == "UVDoc" else 1e-5
            np.testing.assert_allclose(ours, theirs, rtol=limit, atol=limit * np.abs(theirs).max())


@pytest.mark.parametrize("kind", OF_ALGORITHM)
def test_outputs_of_paddle_are_reduced_to_what_the_decoders_need(kind):
    conversion = converted(OF_ALGORITHM[kind])
    names = ["picture"] if kind == "UVDoc" else [name for name, _ in CONTRACTS[kind][1:]]
    for probe in stored(EXPORTS / OF_ALGORITHM[kind] / "outputs.npz"):
        number = len(probe.inputs[0])
        got = edge_graph.to_edge_outputs(
            probe.outputs, conversion.network, conversion.interface, number
        )
        assert list(got) == names
        expected = reduced(kind, probe.outputs, number)
        for ours, theirs in zip(got.values(), expected, strict=True):
            if ours.dtype == np.int32:
                np.testing.assert_array_equal(ours, theirs)
            else:
                np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("kind", ["DB", "PGNet", "SRN"])  # BGR, RGB, grey
def test_numpy_prepares_pictures_as_opencv_does(kind):
    conversion = converted(OF_ALGORITHM[kind])
    pictures = picture(kind)
    x, *_ = edge_graph.to_plain_inputs(pictures, conversion.network.normalize, conversion.interface)
    np.testing.assert_array_equal(x, prepared(pictures, conversion.network))


def test_grey_equals_opencvs_grey_exactly():
    plain = graph("p (float[N, 1, H, W] x) => (float[N, 1, H, W] y) { y = Identity(x) }")
    edge = edge_of(plain, normalize=FAMILIES["SRN"].normalize)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 1024, 1024, 3), np.uint8)
    pictures[0, 0, :9] = [[b, g, r] for b in (0, 255) for g in (0, 255) for r in (0, 255)] + [
        [1] * 3
    ]
    expected = [cv2.cvtColor(one, cv2.COLOR_BGR2GRAY) for one in pictures]
    np.testing.assert_array_equal(run(edge, pictures)[0], expected)


@pytest.mark.parametrize("opset", [11, 13, 17, 18])
@pytest.mark.parametrize("colour", ["BGR", "RGB"])
def test_edge_graph_normalizes_pictures_in_every_colour_and_opset(opset, colour):
    edge = edge_of(one_layer(opset), normalize=dataclasses.replace(CARD, colour=colour))
    pictures = picture("DB")
    (got,) = run(edge, pictures)
    planes = pictures[..., ::-1] if colour == "RGB" else pictures
    x = (planes / 255 - np.array(CARD.mean)) / np.array(CARD.std)
    expected = 1 / (1 + np.exp(-(x @ np.array([0.5, -1.0, 0.25]))))
    assert got.shape == (2, 64, 96)
    np.testing.assert_allclose(got, expected, atol=1e-6)


@pytest.mark.parametrize("opset", [11, 13, 17, 18])
@pytest.mark.parametrize("softmaxed", [True, False])
def test_ctc_gives_the_best_class_and_its_probability(opset, softmaxed):
    mean = "axes = Constant<value = int64[1] {2}>() columns = ReduceMean<keepdims = 0>(x, axes)"
    if opset < 18:
        mean = "columns = ReduceMean<axes = [2], keepdims = 0>(x)"
    last = "Softmax<axis = 2>" if softmaxed else "Identity"
    plain = graph(
        f"""plain (float[N, 3, 48, W] x) => (float[N, T, C] y)
        {{ {mean} steps = Transpose<perm = [0, 2, 1]>(columns) y = {last}(steps) }}""",
        opset,
    )
    crops = np.random.default_rng(1).integers(0, 256, (2, 48, 40, 3), np.uint8)
    indices, scores = run(edge_of(plain), crops)
    logits = (crops.astype(np.float64) / 127.5 - 1).mean(axis=1)
    probability = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    assert indices.dtype == np.int32 and indices.shape == (2, 40)
    np.testing.assert_array_equal(indices, probability.argmax(axis=2))
    np.testing.assert_allclose(scores, probability.max(axis=2), atol=1e-6)


def without_softmax(conversion: Conversion) -> bytes:
    """Return the plain graph without its softmax: it ends in logits, as in training."""
    model = onnx.load_from_string(conversion.plain)
    (output,) = model.graph.output
    nodes = {node.output[0]: node for node in model.graph.node}
    last = nodes[output.name]
    while last.op_type != "Softmax":
        last = nodes[last.input[0]]
    index = list(model.graph.node).index(last)
    model.graph.node[index].CopyFrom(onnx.helper.make_node("Identity", last.input, last.output))
    return model.SerializeToString()


def test_logits_become_probabilities():
    conversion = converted("rec_mv3_none_none_ctc")
    crops = picture("CTC")
    logits = without_softmax(conversion)
    interface = examine(logits)
    assert interface.softmaxed == [False]
    edge = edge_graph.make(logits, conversion.network, interface)
    assert operator_counts(onnx.load_from_string(edge))["Softmax"] == 1
    indices, scores = run(edge, crops)
    expected_indices, expected_scores = run(unoptimized(conversion), crops)
    np.testing.assert_array_equal(indices, expected_indices)
    np.testing.assert_allclose(scores, expected_scores, rtol=1e-6)
    beside = parity.compare_edge(conversion.network, interface, logits, edge)
    assert beside.passed, str(beside)


@pytest.mark.parametrize("name", [name for name in NAMES if "rec" in name])
def test_edge_graph_adds_no_second_softmax(name):
    conversion = converted(name)
    counts = [
        operator_counts(onnx.load_from_string(g))
        for g in (conversion.plain, unoptimized(conversion))
    ]
    # The exports of these two leave the softmax to PaddleOCR's decoder, or leave it out.
    added = name in ("rec_r45_visionlan", "rec_resnet_rfl_att")
    assert counts[1]["Softmax"] == counts[0]["Softmax"] + added


@pytest.mark.parametrize("form", FORMS)
def test_srn_edge_graph_needs_only_the_crops(form):
    conversion = converted("rec_r50_fpn_srn", form)
    crops = picture("SRN", 3)
    run_edge = onnx_runner(unoptimized(conversion), ["indices", "scores"])
    indices, scores = run_edge([crops])
    assert indices.shape == scores.shape == (3, 25)
    for i in range(3):
        alone_indices, alone_scores = run_edge([crops[i : i + 1]])
        np.testing.assert_array_equal(alone_indices[0], indices[i])
        np.testing.assert_allclose(alone_scores[0], scores[i], rtol=1e-4)
    assert len(np.unique(indices, axis=0)) > 1  # the pictures differ, so their texts do


@pytest.mark.parametrize("name", NAMES)
def test_edge_graph_has_no_unused_nodes_or_weights(name):
    edge = onnx.load_from_string(unoptimized(converted(name))).graph
    used = {name for node in edge.node for name in node.input}
    used |= {item.name for item in edge.output}
    assert all(used & set(node.output) for node in edge.node)
    assert {item.name for item in edge.initializer} <= used


def test_nodes_of_unread_outputs_are_removed():
    """SRN has five outputs, one of which is the prediction; its TopK computes another one."""
    conversion = converted("rec_r50_fpn_srn")
    plain, edge = (
        [node.name for node in onnx.load_from_string(model).graph.node if node.op_type == "TopK"]
        for model in (conversion.plain, unoptimized(conversion))
    )
    assert len(plain) == 1 and plain != edge == ["edge.best"]


def test_server_detector_gives_the_first_of_its_two_maps():
    conversion = converted("PP-OCRv5_server_det")
    pictures = picture("DB")
    first, second = run(conversion.plain, prepared(pictures, conversion.network))
    assert np.abs(first - second).max() > 0.1
    (got,) = run(unoptimized(conversion), pictures)
    np.testing.assert_allclose(got, first[:, 0], atol=1e-6)


def test_making_an_edge_graph_twice_gives_the_same_bytes():
    conversion = converted("rec_r50_fpn_srn")
    again = edge_graph.make(conversion.plain, conversion.network, conversion.interface)
    assert again == unoptimized(conversion)


@pytest.mark.parametrize("names", [("image", "y"), ("x", "probability"), ("image", "probability")])
def test_plain_graph_may_use_the_names_of_the_edge_graph(names):
    """Paddle 1 calls the picture `image`."""
    pictures = picture("DB")
    (expected,) = run(edge_of(one_layer()), pictures)
    np.testing.assert_array_equal(run(edge_of(one_layer(17, *names)), pictures)[0], expected)


def test_names_inside_control_flow_are_renamed_too():
    plain = graph(
        """plain (float[N, 3, H, W] image) => (float[N, 1, H, W] y)
        {
            yes = Constant<value = bool {1}>()
            three = If(yes) <
                then_branch = then () => (float[N, 3, H, W] a) { a = Neg(image) },
                else_branch = other () => (float[N, 3, H, W] b) { b = Identity(image) }
            >
            axes = Constant<value = int64[1] {1}>()
            y = ReduceSum<keepdims = 1>(three, axes)
        }"""
    )
    pictures = picture("DB")
    expected = -prepared(pictures, likely(examine(plain))).sum(axis=1)
    np.testing.assert_allclose(run(edge_of(plain), pictures)[0], expected, atol=1e-5)


def test_fixed_sizes_of_graph_and_entry_stay_declared():
    """The sizes of the graph take precedence over those of the entry."""
    plain = graph("p (float[2,3,64,W] x) => (float[2,1,64,W] y) { y = ReduceMean<axes=[1]>(x) }")
    edge = onnx.load_from_string(edge_of(plain, height=32, width=96))
    assert dimensions(edge.graph.input[0]) == [2, 64, 96, 3]


@pytest.mark.parametrize(
    ("name", "given", "gives"),
    [
        ("PP-OCRv4_mobile_det", ("image", ["N", "H", "W", 3]), ["probability"]),
        ("ch_ppocr_mobile_v2.0_cls", ("crops", ["N", 48, 192, 3]), ["probability"]),
        ("PP-OCRv4_mobile_rec", ("crops", ["N", 48, "W", 3]), ["indices", "scores"]),
    ],
)
def test_published_models_have_the_sizes_of_their_entries(v4, name, given, gives):
    _, conversion = v4(name)
    edge = onnx.load_from_string(unoptimized(conversion)).graph
    (only,) = edge.input
    assert (only.name, dimensions(only)) == given
    assert [node.name for node in edge.output] == gives
