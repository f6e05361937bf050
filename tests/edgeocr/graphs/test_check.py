"""Which graphs open, and which are refused before ONNX Runtime sees them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from converters.precision import quantize
from converters.precision.float16 import to_float16
from edgeocr import OCR, Bundle
from edgeocr.errors import BundleError
from edgeocr.graphs.check import check
from tests.support import hostile_graphs as hostile
from tests.support.hostile_graphs import constant, graph, node
from tests.support.packing import STUB, Files, folder, packed, sealed
from tests.support.paths import BUNDLES
from tests.zoo.converted import CONVERTED, converted

SUBGRAPH = helper.make_graph([], "inner", [], [])


def harmless() -> onnx.ModelProto:
    """Return a small model with a convolution, a recurrent layer's weights and a constant shape."""
    return graph(
        node("Transpose", "x", to="planes", perm=[0, 3, 1, 2]),
        node("Conv", "planes", "w", "b", to="c", kernel_shape=[3, 3], pads=[1, 1, 1, 1], group=1),
        node("Reshape", "c", "shape", to="flat"),
        node("Softmax", "flat", axis=-1),
        constants=[
            constant("w", np.ones((4, 3, 3, 3)), np.float32),
            constant("b", np.ones(4), np.float32),
            constant("shape", [0, -1]),
        ],
    )


def changed(change: Callable[[onnx.ModelProto], object]) -> onnx.ModelProto:
    model = harmless()
    change(model)
    return model


def attribute(model: onnx.ModelProto, operator: str, name: str) -> onnx.AttributeProto:
    (found,) = (each for each in model.graph.node if each.op_type == operator)
    return next(each for each in found.attribute if each.name == name)


def set_integers(operator: str, name: str, *values: int) -> onnx.ModelProto:
    def change(model: onnx.ModelProto) -> None:
        attribute(model, operator, name).ints[:] = values

    return changed(change)


def inner(model: onnx.ModelProto) -> None:
    model.graph.node[-1].attribute.append(helper.make_attribute("body", SUBGRAPH))


def sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add().values.CopyFrom(hostile.external("w2", "x"))


def sparse_attribute(model: onnx.ModelProto) -> None:
    made = model.graph.node[-1].attribute.add(name="sparse_value", type=11)
    made.sparse_tensor.indices.CopyFrom(hostile.external("w2", "x"))


def training(model: onnx.ModelProto) -> None:
    model.training_info.add().algorithm.initializer.append(hostile.external("w2", "x"))


def function(model: onnx.ModelProto) -> None:
    model.functions.add(name="Softmax", domain="")


def external_in_an_attribute(model: onnx.ModelProto) -> None:
    made = helper.make_node("Constant", [], ["more"], name="the_constant")
    made.attribute.add(name="value", type=4).t.CopyFrom(hostile.external("", "x"))
    model.graph.node.append(made)


def external_without_a_location(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL


def settings(model: onnx.ModelProto) -> None:
    model.metadata_props.add(key="ort_config", value="{}")


def domain(model: onnx.ModelProto) -> None:
    model.graph.node[-1].domain = "com.microsoft"
    model.opset_import.add(domain="com.microsoft", version=1)


def strings(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.array(["a"], object), "text"))


def sequence(model: onnx.ModelProto) -> None:
    model.graph.input[0].CopyFrom(helper.make_tensor_sequence_value_info("crops", 1, None))


def short_data(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].raw_data = b"\0" * 8


def negative_dimension(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[0] = -4


def huge_dimension(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 1 << 40


def two_kinds_of_data(model: onnx.ModelProto) -> None:
    model.graph.initializer[1].float_data.extend([1, 1, 1, 1])


def a_tensor_twice(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(model.graph.initializer[0])


def an_attribute_twice(model: onnx.ModelProto) -> None:
    model.graph.node[-1].attribute.append(model.graph.node[-1].attribute[0])


def out_of_order(model: onnx.ModelProto) -> None:
    model.graph.node.append(model.graph.node.pop(2))


def a_value_twice(model: onnx.ModelProto) -> None:
    model.graph.node.append(node("Relu", "x", to="c"))


def computed_weights(model: onnx.ModelProto) -> None:
    """Hide a weight's shape behind a node that ONNX Runtime computes while it opens the graph."""
    model.graph.node.insert(0, node("Abs", "w", to="hidden"))
    convolution = next(each for each in model.graph.node if each.op_type == "Conv")
    convolution.input[1] = "hidden"


def wrong_type(model: onnx.ModelProto) -> None:
    attribute(model, "Softmax", "axis").type = onnx.AttributeProto.INTS


HOSTILE: dict[str, tuple[onnx.ModelProto, str]] = {
    "external data": (hostile.reading("secret"), "a tensor has external data"),
    "external, no location": (changed(external_without_a_location), "a tensor has external data"),
    "external, attribute": (changed(external_in_an_attribute), "a tensor has external data"),
    "sparse": (changed(sparse), "the graph has a sparse tensor"),
    "sparse attribute": (changed(sparse_attribute), "an attribute has a sparse tensor"),
    "training": (changed(training), "the model has training information"),
    "function": (changed(function), "the model has functions of its own"),
    "loop": (hostile.endless(), "an attribute has a subgraph"),
    "subgraph": (changed(inner), "an attribute has a subgraph"),
    "settings": (changed(settings), "settings for ONNX Runtime"),
    "domain": (changed(domain), r"'the_Softmax' \(Softmax\) is .* domain 'com.microsoft'"),
    "random": (graph(node("RandomNormalLike", "x")), r"\(RandomNormalLike\) is an operator that"),
    "strings": (changed(strings), "a tensor has strings"),
    "sequence": (changed(sequence), "a type has a sequence"),
    "cast to strings": (
        graph(helper.make_node("Cast", ["x"], ["scores"], to=TensorProto.STRING)),
        r"\(Cast\) has to = 8",
    ),
    "old": (graph(node("Relu", "x"), opset=6), "are those of version 6"),
    "short data": (changed(short_data), "'w' has 8 bytes of data, .* need 432"),
    "negative dimension": (changed(negative_dimension), "'w' has the shape"),
    "huge dimension": (changed(huge_dimension), "a dimension of 1099511627776"),
    "two kinds of data": (changed(two_kinds_of_data), "'b' has 32 bytes of data"),
    "a tensor twice": (changed(a_tensor_twice), "two tensors 'w'"),
    "an attribute twice": (changed(an_attribute_twice), "the attribute 'axis' twice"),
    "out of order": (changed(out_of_order), "an input that no node before it makes"),
    "a value twice": (changed(a_value_twice), "a value that is there already"),
    "wrong type": (changed(wrong_type), "'axis' has no value of its type"),
    "kernel": (
        set_integers("Conv", "kernel_shape", 64, 3),
        "its constant weights, which have the shapes",
    ),
    "kernel of one side": (set_integers("Conv", "kernel_shape", 3), "don't fit each other"),
    "computed weights": (changed(computed_weights), "the shapes .4.$"),
    "fewer parts than outputs": (
        graph(helper.make_node("Split", ["x"], ["scores", "b"], num_outputs=1), opset=18),
        r"\(Split\) has attributes that don't fit each other",
    ),
    "negative batches": (
        graph(node("GatherND", "x", "i", batch_dims=-8), constants=[constant("i", [[0]])]),
        "batch_dims = -8",
    ),
    "no kernel": (set_integers("Conv", "kernel_shape", 0, 3), "out of its range"),
    "pads": (set_integers("Conv", "pads", 1, 1, 1, 1 << 40), "out of its range"),
    "negative pads": (set_integers("Conv", "pads", 1, 1, 1, -1), "don't fit each other"),
    "pads of a pool": (
        graph(node("MaxPool", "x", kernel_shape=[2, 2], pads=[1, 1])),
        r"\(MaxPool\) has attributes that don't fit each other",
    ),
    "an input left out": (graph(node("Sum", "x", "")), r"\(Sum\) has an input without a name"),
    "the first input left out": (
        graph(node("Clip", "", "x")),
        r"\(Clip\) has an input without a name",
    ),
    "an empty sequence": (
        graph(
            helper.make_node("LSTM", ["s", "w", "r"], ["", "scores"], "the_LSTM", hidden_size=2),
            constants=[
                constant("s", np.ones((5, 0, 2)), np.float32),
                constant("w", np.ones((1, 8, 2)), np.float32),
                constant("r", np.ones((1, 8, 2)), np.float32),
            ],
        ),
        r"\(LSTM\) has attributes that don't fit",
    ),
    "perm": (set_integers("Transpose", "perm", 0, 3, 1, 1), "perm"),
    "divided by 0": (hostile.dividing(1, 0), r"\(Div\) divides integers by 0"),
    "divided by -1": (hostile.dividing(-(1 << 63), -1), r"\(Div\) divides integers by 0"),
    "remainder of 0": (hostile.dividing(1, 0, "Mod"), r"\(Mod\) divides integers by 0"),
    "large shape": (
        graph(node("ConstantOfShape", "s"), constants=[constant("s", [1 << 20, 1 << 20])]),
        r"\(ConstantOfShape\) has an input of \[1048576",
    ),
    "large shape behind a node": (
        graph(
            node("Identity", "s", to="t"),
            node("ConstantOfShape", "t"),
            constants=[constant("s", [1 << 20, 1 << 20])],
        ),
        r"\(ConstantOfShape\) has an input of \[1048576",
    ),
    "many tiles": (
        graph(node("Tile", "x", "r"), constants=[constant("r", [1, 1 << 20, 1 << 10, 1])]),
        r"\(Tile\) has an input",
    ),
    "large scale": (
        graph(node("Resize", "x", "", "s"), constants=[constant("s", [1, 1e6, 1, 1], np.float32)]),
        r"\(Resize\) has an input",
    ),
    "large range": (
        graph(
            node("Range", "a", "b", "c"),
            constants=[
                constant(name, n, np.float32) for name, n in zip("abc", (0, 1e12, 1), strict=True)
            ],
        ),
        "makes 1e[+]12 numbers",
    ),
}


def test_the_graph_that_the_hostile_ones_differ_from_is_allowed() -> None:
    content = harmless().SerializeToString()
    check(content)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    scores, _ = session.run(None, {"crops": np.zeros((2, 4, 5, 3), np.uint8)})
    assert scores.shape == (2, 80)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_graphs_are_refused(name: str) -> None:
    model, message = HOSTILE[name]
    with pytest.raises(BundleError, match=message):
        check(model.SerializeToString())


def test_a_wrong_kernel_in_a_published_network_is_refused(bundle: Bundle) -> None:
    """ONNX Runtime ends the process while it opens this graph."""
    edge = bundle.read("graphs/detection.onnx")
    wrong = hostile.with_wrong_kernel(edge, "p2o.pd_op.conv2d.35.0")
    with pytest.raises(BundleError, match=r"\(Conv\) has attributes that don't fit each other"):
        check(wrong)


@pytest.mark.parametrize("pack", [folder, packed])
def test_a_bundle_with_a_file_reading_graph_never_reaches_onnx_runtime(
    embedded_files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    hostile.secret(tmp_path / "secret")
    graph_of = "graphs/recognition.onnx"
    reading = hostile.reading("secret").SerializeToString()
    path = pack(sealed(embedded_files | {graph_of: reading}), tmp_path / "hostile.edgeocr")
    with pytest.raises(BundleError, match=re.escape(f"{path}: {graph_of}: a tensor has external")):
        OCR(path, provider="cpu")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "form"), CONVERTED)
def test_graphs_of_the_zoo_are_allowed(name: str, form: str) -> None:
    made = converted(name, form)
    check(made.plain)
    check(made.edge)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "height"), [("PP-OCRv6_tiny_rec", 48), ("det_mv3_db", 64)])
def test_graphs_of_lower_precision_are_allowed(name: str, height: int) -> None:
    edge = converted(name).edge
    check(to_float16(edge))
    prepared = quantize.prepared(edge)
    batch = np.random.default_rng(1).integers(0, 256, (1, height, 96, 3)).astype(np.uint8)
    nodes = quantize.candidates(prepared)
    made = quantize.quantize(prepared, quantize.statistics(prepared, [batch]), nodes)
    check(made)
    model = onnx.load_from_string(made)
    integers = {each.output[0] for each in model.graph.node if each.op_type == "DequantizeLinear"}
    convolution = next(
        each for each in model.graph.node if each.op_type == "Conv" and each.input[1] in integers
    )
    wrong = hostile.with_wrong_kernel(made, convolution.output[0])
    with pytest.raises(BundleError, match="don't fit each other"):
        check(wrong)


def test_graphs_of_the_fixtures_are_allowed() -> None:
    for path in (None, *BUNDLES.glob("*.edgeocr")):
        opened = Bundle.default() if path is None else Bundle.open(path)
        for stage in opened.manifest.stages.present.values():
            check(opened.read(stage.graph))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "its version is None"),
        (b"\x08\x08", "are those of version none"),
        (STUB + b"\x3a\x06\x12\x04stub", "field 7 twice"),
        (STUB[:-1], "beyond the end"),
        (STUB + b"\xa2\x01\x00", "training information"),
        (STUB + b"\xf8\x07\x01", "an unknown field, 127 of type 0"),
        (STUB + b"\x28\x81\x00", "longer than its value needs"),
        (STUB + b"\x28" + b"\xff" * 10 + b"\x01", "longer than"),
        (STUB + b"\x28" + b"\xff" * 9 + b"\x02", "longer than"),
        (STUB + b"\x2b\x2c", "wire type 3"),
        (STUB + b"\x32\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "beyond the end"),
        (b"\x08\x08\x12\x05ORTM!" + STUB[2:], "ONNX Runtime's own format"),
        (b"\x08\x08" + b"\x42\x02\x10\x11" + b"\x72\x00" * 200_001, "more than 200000 fields"),
    ],
)
def test_malformed_files_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        check(content)


def test_every_cut_file_is_refused() -> None:
    content = harmless().SerializeToString(deterministic=True)
    for end in range(len(content) - len(b"\x42\x02\x10\x11")):
        with pytest.raises(BundleError):
            check(content[:end])


def test_mutated_files_pass_or_are_refused_by_name() -> None:
    draw = random.Random(18)
    seeds = [model.SerializeToString() for model, _ in HOSTILE.values()]
    seeds += [harmless().SerializeToString()] * len(seeds)
    refused = 0
    for _ in range(6000):
        content = bytearray(draw.choice(seeds))
        for _ in range(draw.choice([1, 1, 2, 8])):
            place = draw.randrange(len(content))
            match draw.randrange(4):
                case 0:
                    content[place] ^= 1 << draw.randrange(8)
                case 1:
                    content[place] = draw.choice([0, 1, 0x7F, 0x80, 0xFF])
                case 2:
                    del content[place : place + draw.randrange(1, 9)]
                case 3:
                    content[place:place] = draw.randbytes(draw.randrange(1, 9))
        try:
            check(bytes(content))
        except BundleError as error:
            refused += 1
            assert len(str(error)) < 400
    assert 3000 < refused < 6000
