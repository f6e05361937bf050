"""Edge graphs in a bundle that is intact otherwise: its detector is opened and run."""

from __future__ import annotations

import contextlib
import functools
import json
import random
from typing import Any

import numpy as np
from google.protobuf import json_format
from onnx import ModelProto, TensorProto, helper

from edgeocr import OCR, Bundle
from edgeocr.bundle.archive import MANIFEST
from tests.fuzz.targets import bundles
from tests.support import mutants
from tests.support.packing import Files, packed, sealed

PICTURE = np.full((40, 60, 3), 200, np.uint8)


@functools.cache
def _files() -> tuple[Files, str]:
    """Return the files of a bundle that only detects, and the name of its graph."""
    files = bundles.files()
    manifest = json.loads(files[MANIFEST])
    detection = manifest["stages"]["detection"]
    manifest["stages"] = {"detection": detection}
    manifest["provenance"] = [
        each for each in manifest["provenance"] if each["model"] == detection["model"]
    ]
    name = detection["graph"]
    others = {other: content for other, content in files.items() if not other.endswith(".onnx")}
    return others | {MANIFEST: json.dumps(manifest).encode()}, name


def _graph(convolution: bool) -> bytes:
    """Make a detector of a few nodes."""
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", "H", "W", 3])
    output = helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N", "H", "W"])
    planes = "given" if convolution else "planes"
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], [planes], perm=[0, 3, 1, 2]),
    ]
    if convolution:
        size: dict[str, Any] = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
        nodes.append(helper.make_node("Conv", ["given", "kernel"], ["planes"], **size))
    nodes += [
        helper.make_node("ReduceMean", ["planes"], ["map"], axes=[1], keepdims=0),
        helper.make_node("Sigmoid", ["map"], ["probability"]),
    ]
    kernel = helper.make_tensor("kernel", TensorProto.FLOAT, [1, 3, 3, 3], [0.01] * 27)
    graph = helper.make_graph(nodes, "detector", [image], [output], [kernel])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


def seeds() -> list[bytes]:
    """Make two small detectors."""
    return [_graph(True), _graph(False)]


def mutant(content: bytes, chance: random.Random) -> bytes:
    """Change values of a graph, so that it stays a protobuf message; or else its bytes."""
    if chance.random() < 0.8:
        tree = json_format.MessageToDict(ModelProto.FromString(content))
        for _ in range(20):
            with contextlib.suppress(Exception):  # the parser raises errors of many kinds
                changed = json_format.ParseDict(mutants.of_json(tree, chance), ModelProto())
                return bytes(changed.SerializeToString())
    return mutants.of_bytes(content, chance)


def read(content: bytes) -> None:
    """Open a bundle with this graph, and detect text in a small picture."""
    files, name = _files()
    path = packed(sealed(files | {name: content}), bundles.place())
    with OCR(Bundle.open(path), provider="cpu", threads=1) as ocr:
        ocr.detect(PICTURE)
