"""Test what a plain graph's interface is, and which algorithm it belongs to."""

from functools import cache

import numpy as np
import onnx
import pytest
from onnx import parser

from converters.errors import ModelFormatError, TranslationError
from converters.graph.interface import Interface, Port, Sign, examine, example, srn_constant
from converters.model import interfaces
from tests.zoo.converted import CONVERTED, STATED, converted, parameters, translated
from tests.zoo.inputs import declared, stored
from tests.zoo.names import EXPORTS, FORMS, NAMES

ALGORITHMS = {
    "EAST": {"det_mv3_east", "det_r50_vd_east"},
    "SAST": {"det_r50_vd_sast_icdar15"},
    "PSE": {"det_r50_vd_pse"},
    "FCE": {"det_r50_vd_dcn_fce_ctw"},
    "CT": {"det_r18_vd_ct"},
    "PGNet": {"e2e_r50_vd_pg"},
    "CLS": {
        "ch_ppocr_mobile_v2.0_cls",
        "PP-LCNet_x0_25_textline_ori",
        "PP-LCNet_x1_0_textline_ori",
    },
    "PageCLS": {"PP-LCNet_x1_0_doc_ori"},
    "UVDoc": {"UVDoc"},
    "Attention": {"rec_mv3_tps_bilstm_att", "rec_r34_vd_tps_bilstm_att"},
    "SRN": {"rec_r50_fpn_srn"},
    "ViTSTR": {"rec_vitstr_none_ce"},
    "ABINet": {"rec_r45_abinet"},
    "PARSeq": {"rec_vit_parseq"},
    "CPPD": {"rec_svtrnet_cppd_base_en"},
    "VisionLAN": {"rec_r45_visionlan"},
    "RFL": {"rec_resnet_rfl_att"},
    "SPIN": {"rec_r32_gaspin_bilstm_att"},
    "PREN": {"rec_efficientb3_fpn_pren"},
    "NRTR": {"rec_mtb_nrtr"},
    "SAR": {"rec_r31_sar"},
    "SATRN": {"rec_satrn"},
    "RobustScanner": {"rec_r31_robustscanner"},
}


@cache
def shown(name: str, form: str = "legacy") -> Interface:
    """Return the interface of a network's plain graph."""
    return examine(translated(name, form).plain, width=128 if "parseq" in name else None)


def expected_algorithm(name: str) -> str:
    special = [kind for kind, names in ALGORITHMS.items() if name in names]
    return special[0] if special else "CTC" if "rec" in name else "DB"


def expected_image(name: str) -> list[int | None]:
    """Return the shape of the picture as PaddleOCR's export declares it."""
    (shape, _), *_ = declared(EXPORTS / name / "outputs.npz")
    if "robustscanner" in name:  # it loops over the pictures of a batch
        shape = [1, *shape[1:]]
    return [size if size is None or size > 0 else None for size in shape]


def graph(text: str, opset: int = 17) -> bytes:
    """Return the model that a text in ONNX's textual syntax describes; the header is added."""
    header = f'<ir_version: 8, opset_import: ["": {opset}]> '
    return parser.parse_model(header + text).SerializeToString()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "form"), parameters(CONVERTED))
def test_every_network_shows_its_algorithm_or_nothing(name, form):
    found = shown(name, form)
    certain = interfaces.certain(found)
    if name in STATED:
        assert certain is None and expected_algorithm(name) == STATED[name]
    else:
        assert certain is not None and certain[0] == expected_algorithm(name)
    assert found.image.shape == expected_image(name)
    assert found.image.dtype == "float32"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_outputs_have_the_ranks_types_and_fixed_sizes_of_paddles(name):
    found = shown(name)
    for probe in stored(EXPORTS / name / "outputs.npz"):
        assert len(found.outputs) == len(probe.outputs)
        for port, value in zip(found.outputs, probe.outputs, strict=True):
            assert port.dtype == value.dtype and len(port.shape) == value.ndim
            fixed = [size is not None for size in port.shape]
            assert [s for s in port.shape if s] == list(np.array(value.shape)[fixed])
            if name == "det_r18_vd_ct" and value.ndim == 3:  # a score at each place, [N, h, w]
                assert port.shape == [None, None, None]
                continue
            channels = 1 if value.ndim == 4 else value.ndim - 1
            assert port.shape[channels] == value.shape[channels]


def test_sizes_that_depend_on_the_picture_are_open():
    assert [port.shape for port in shown("det_mv3_east").outputs] == [
        [None, 8, None, None],
        [None, 1, None, None],
    ]
    (steps,) = shown("rec_mv3_none_none_ctc").outputs
    assert steps.shape == [None, None, 37]
    (squeezed,) = shown("rec_mv3_tps_bilstm_ctc").outputs
    assert squeezed.shape == [None, 25, 37]


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_softmax_and_feedback_are_found(form):
    for name in ("rec_mv3_none_none_ctc", "ch_ppocr_mobile_v2.0_cls"):
        found = shown(name, form)
        assert (found.softmaxed, found.autoregressive) == ([True], False)
    found = shown("rec_mv3_tps_bilstm_att", form)
    assert (found.softmaxed, found.autoregressive) == ([True], True)
    assert shown("det_mv3_db", form).softmaxed == [False]


@pytest.mark.parametrize("number", [1, 3])
def test_srn_gets_the_constant_inputs_that_paddleocr_gives_it(number):
    probes = stored(EXPORTS / "rec_r50_fpn_srn" / "outputs.npz")
    (probe,) = (probe for probe in probes if len(probe.inputs[0]) == number)
    found = shown("rec_r50_fpn_srn")
    fed = example(found.inputs, number, 64, 256)
    assert [value.shape for value in fed] == [value.shape for value in probe.inputs]
    for ours, theirs in zip(fed[1:], probe.inputs[1:], strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def test_fixed_sizes_take_precedence_over_given_ones():
    ports = [Port("x", "float32", [2, 1, 64, None])]
    assert example(ports, 1, 32, 320)[0].shape == (2, 1, 64, 320)
    assert example([Port("x", "float32", [None] * 4)], 3, 32, 320)[0].shape == (3, 3, 32, 320)


@pytest.mark.parametrize(
    ("shape", "position"),
    [
        ([None, 256], 1),
        ([None, None, 1], 2),
        ([None, 25, 25], 3),
        ([None, 8, 25, 25], 1),
        ([None, 8, 25, 25], 5),
    ],
)
def test_further_inputs_that_are_not_those_of_srn_are_refused(shape, position):
    with pytest.raises(ModelFormatError, match=r"the input y .* is not one of SRN's"):
        srn_constant(Port("y", "float32", shape), position)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("g (float[N, 512] x) => (float[N, 512] y) { y = Relu(x) }", r"float32 \[None, 512\]"),
        ("g (int64[N, 3, H, W] x) => (int64[N, 3, H, W] y) { y = Neg(x) }", "int64"),
        ("g () => (float[1] y) { y = Constant<value = float[1] {1.0}>() }", "nothing"),
    ],
)
def test_graphs_without_an_image_are_refused(text, found):
    with pytest.raises(ModelFormatError, match=f"must be an image, .* not {found}"):
        examine(graph(text))


def test_edge_graph_is_refused_as_a_plain_graph():
    with pytest.raises(ModelFormatError, match=r"not uint8 \[None, None, None, 3\]"):
        examine(converted("det_mv3_db").edge)


@pytest.mark.parametrize(
    "plain",
    [
        b"<html>404</html>",
        b"",
        # The sum of a float and a double.
        graph(
            """g (float[N, 3, H, W] x) => (float[N, 3, H, W] y)
            { d = Cast<to = 11>(x) y = Add(x, d) }"""
        ),
    ],
)
def test_graph_that_does_not_load_is_an_error(plain):
    with pytest.raises(TranslationError, match="the plain graph doesn't load"):
        examine(plain)


def test_graph_that_does_not_run_is_an_error():
    text = """g (float[N, 3, H, W] x) => (float[N, 7] y)
        { sizes = Constant<value = int64[2] {1, 7}>() y = Reshape(x, sizes) }"""
    with pytest.raises(TranslationError, match="the plain graph doesn't run"):
        examine(graph(text))


def test_weights_listed_among_the_inputs_are_not_inputs():
    """Exporters before ONNX's IR version 4 list the weights among the inputs."""
    model = onnx.load_from_string(
        graph(
            """g (float[N, 3, H, W] x) => (float[N, 1, H, W] y)
            <float[1, 3, 1, 1] w = {0.5, 1.0, 0.25}> { y = Conv(x, w) }"""
        )
    )
    shape = [1, 3, 1, 1]
    model.graph.input.append(onnx.helper.make_tensor_value_info("w", 1, shape))
    found = examine(model.SerializeToString())
    assert [port.name for port in found.inputs] == ["x"]
    assert [port.shape for port in found.outputs] == [[None, 1, None, None]]


@pytest.mark.parametrize(
    ("steps", "softmaxed"),
    [
        ("y = Softmax<axis = 2>(x3)", True),
        ("s = Softmax<axis = 2>(x3) y = Identity(s)", True),
        ("s = Softmax<axis = 2>(x3) y = Cast<to = 1>(s)", True),
        ("y = Identity(x3)", False),
        ("s = Softmax<axis = 2>(x3) y = Log(s)", False),
    ],
)
def test_softmax_is_found_before_steps_that_keep_its_values(steps, softmaxed):
    summed = "axes = Constant<value = int64[1] {2}>() x3 = ReduceSum<keepdims = 0>(x, axes)"
    text = f"g (float[N, 3, H, W] x) => (float[N, T, C] y) {{ {summed} {steps} }}"
    assert examine(graph(text)).softmaxed == [softmaxed]


@pytest.mark.parametrize(("channels", "algorithm"), [(1, None), (3, "Attention")])
def test_choices_that_are_fed_back_prove_attention_only_for_colour_pictures(channels, algorithm):
    """SPIN, which takes grey pictures, feeds its choices back too."""
    image = Port("x", "float32", [None, channels, 32, 100])
    output = Port("y", "float32", [None, 25, 38])
    sign: Sign = "it feeds its choices back as one-hot vectors"
    certain = interfaces.certain(Interface([image], [output], True, [True], frozenset({sign})))
    assert (certain and certain[0]) == algorithm
