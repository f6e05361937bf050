"""What a model's files declare, read before anything of the model is translated."""

from __future__ import annotations

from pathlib import Path

import onnx

from edgeocr.errors import BundleError
from edgeocr.graphs.check import check

from ..errors import ModelFormatError
from ..graph.reading import inputs, shape
from ..paddle import declared, parameters
from ..paddle.declared import Declaration
from ..paddle.files import is_file
from .paddle_model import PaddleModel


def declaration(model: PaddleModel) -> Declaration:
    """Read the declared inputs, outputs and parameters of a model, and check its parameter files.

    Paddle's parameters are not read, so this takes only a moment even for a large model.

    Raises:
        ModelFormatError: A file is damaged or truncated, or belongs to another network; or no
            runtime would open an ONNX graph.
    """
    if not model.graph.stat().st_size:
        raise ModelFormatError(f"{model.graph} is empty (0 bytes): fetch or export it again")
    if model.format == "onnx":
        content = model.graph.read_bytes()
        require_allowed(str(model.graph), content)
        graph = onnx.load_from_string(content).graph
        _require_text(model.graph, graph)
        fed = inputs(graph)
        return Declaration(
            [shape(item) for item in fed],
            [shape(item) for item in graph.output],
            names=[item.name for item in fed],
        )
    pir = model.format == "paddle-pir"
    found = declared.of_pir(model.graph) if pir else declared.of_legacy(model.graph)
    if model.parameters is not None:
        try:
            parameters.check(model.parameters, found.parameters, model.graph.name)
        except ModelFormatError as error:
            if (other := model.unused_program) is None:
                raise
            raise ModelFormatError(
                f"{error}. {other.name} is there, too: if it is the newer export, remove "
                f"{model.graph.name}"
            ) from None
        return found
    # Each parameter has a file of its own. `Program.read` says which ones are missing.
    folder = model.graph.parent
    for name, sizes in found.parameters.items():
        if "/" not in name and "\\" not in name and is_file(folder / name):
            parameters.check(folder / name, {name: sizes}, model.graph.name)
    return found


def _require_text(path: Path, graph: onnx.GraphProto) -> None:
    """Raise `ModelFormatError` for a name that isn't UTF-8, which protobuf returns as bytes."""
    names: list[object] = [item.name for item in (*graph.input, *graph.output, *graph.initializer)]
    for node in graph.node:
        names += [node.name, *node.input, *node.output]
    for name in names:
        if not isinstance(name, str):
            raise ModelFormatError(f"{path} is damaged: the name {name!r:.80} isn't UTF-8")


def require_allowed(name: str, graph: bytes) -> None:
    """Check that a runtime will open a graph, before ONNX Runtime sees a stranger's model.

    The check is the runtime's own.

    Args:
        name: What the error calls the graph.
        graph: The ONNX file.

    Raises:
        ModelFormatError: A runtime would refuse the graph.
    """
    try:
        check(graph)
    except BundleError as error:
        raise ModelFormatError(f"{name}: the runtime would refuse its graph: {error}") from None
