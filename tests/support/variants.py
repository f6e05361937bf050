"""Bundles whose stages have several graphs, made of the embedded bundle."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnxruntime.quantization import quantize_dynamic

from edgeocr import Bundle
from edgeocr.bundle.archive import MANIFEST
from edgeocr.variants import choice
from tests.support.packing import Files, sealed

# What int8 needs in these bundles, as in those that are frozen.
NEEDED = ("avx512_vnni", "asimddp")


@cache
def int8_recognition() -> bytes:
    """The embedded recognition network with its matrix products in int8, by ONNX Runtime's tool."""
    with tempfile.TemporaryDirectory() as folder:
        full, less = Path(folder) / "full.onnx", Path(folder) / "less.onnx"
        full.write_bytes(Bundle.default().read("graphs/recognition.onnx"))
        quantize_dynamic(full, less, op_types_to_quantize=["MatMul"])
        return less.read_bytes()


def broken(graph: bytes) -> bytes:
    """Return a graph that keeps to the rules for graphs and that ONNX Runtime refuses."""
    model = onnx.load_from_string(graph)
    model.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    return model.SerializeToString()


def wrong(graph: bytes) -> bytes:
    """Return a graph that runs as well as before, and reads something else."""
    model = onnx.load_from_string(graph)
    weights = max(
        (each for each in model.graph.initializer if each.data_type == onnx.TensorProto.FLOAT),
        key=lambda tensor: len(tensor.raw_data),
    )
    values = numpy_helper.to_array(weights)
    shuffled = np.random.default_rng(0).permutation(values.ravel()).reshape(values.shape)
    weights.CopyFrom(numpy_helper.from_array(shuffled, weights.name))
    return model.SerializeToString()


def variant(stage: str, precision: str, **fields: Any) -> dict[str, Any]:
    """A variant as a manifest has it."""
    return {"graph": f"graphs/{stage}.{precision}.onnx", "precision": precision, **fields}


INT8 = variant("recognition", "int8", providers=["cpu"], cpu_features=list(NEEDED))


def fleet(
    files: Files, graph: bytes | None = None, added: Sequence[Mapping[str, Any]] = (INT8,)
) -> Files:
    """The files of a bundle with variants of its recognition stage.

    Args:
        files: The bundle's files, with one graph for each stage.
        graph: The content of the variants' graphs; by default the network in int8.
        added: The variants.
    """
    content = int8_recognition() if graph is None else graph
    manifest = json.loads(files[MANIFEST])
    manifest |= {"schema": 3, "requires": "0.3.0"}
    manifest["stages"]["recognition"]["variants"] = list(added)
    graphs = {each["graph"]: content for each in added}
    return sealed({**files, **graphs, MANIFEST: json.dumps(manifest).encode()})


def cpu_has(monkeypatch: pytest.MonkeyPatch, *features: str) -> None:
    """Let the CPU have these features and no others."""
    monkeypatch.setattr(
        choice, "present", lambda names: [name for name in names if name in features]
    )
