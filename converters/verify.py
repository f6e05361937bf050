"""Verify a converted folder: compare its graphs with Paddle Inference on the original."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from . import report
from .errors import ConverterError
from .graph.interface import examine
from .model.declaration import declaration
from .model.paddle_model import PaddleModel, identify
from .parity import compare as parity
from .parity import paddle_reference
from .parity.compare import Comparison
from .report import Report

logger = logging.getLogger(__name__)


def verify(
    converted: Path, original: Path, paddle_python: Path | None = None
) -> tuple[Comparison, Comparison]:
    """Compare plain.onnx and edge.onnx with the Paddle model that they were converted from.

    The results are written into the report of the converted folder.

    Args:
        converted: The folder that `convert` wrote.
        original: The folder with the Paddle model.
        paddle_python: A Python that has Paddle; None for this one.

    Returns:
        The comparisons of the plain graph and of the edge graph.

    Raises:
        PaddleMissingError: No Paddle can run the model.
        ConverterError: A folder doesn't contain what it should, or the original is another
            network than the one that was converted.
    """
    written, network = report.read(converted)
    model = identify(original)
    if model.format == "onnx":
        raise ConverterError(f"{original}: this is an ONNX model, which Paddle Inference can't run")
    graphs = {name: converted / f"{name}.onnx" for name in ("plain", "edge")}
    for path in graphs.values():
        if not path.is_file():
            raise ConverterError(f"{path} is missing: convert {original} again")
    _require_same(converted, original, model, written)
    source = report.describe_source(model)
    if source["files"] != written["source"]["files"]:
        logger.info(
            "%s: %s has other files than %s was converted from", network.name, original, converted
        )
    plain, edge = (path.read_bytes() for path in graphs.values())
    interface = examine(plain, network.height, network.width)
    of_plain, of_edge = parity.compare_paddle(
        network,
        interface,
        plain,
        edge,
        lambda feeds: paddle_reference.run(model, feeds, paddle_python),
    )
    written["parity"]["paddle"] = report.describe(of_plain)
    written["parity"]["edge_to_paddle"] = report.describe(of_edge)
    report.write(written, converted)
    logger.info("%s: plain graph: %s", network.name, of_plain)
    logger.info("%s: edge graph: %s", network.name, of_edge)
    return of_plain, of_edge


def _require_same(converted: Path, original: Path, model: PaddleModel, written: Report) -> None:
    """Raise `ConverterError` if a model can't be the one that a folder was converted from.

    Inputs and outputs are compared where both are known, and the sizes of the parameter files if
    both are of the same format. Other weights of the same network pass.
    """
    declared, plain = declaration(model), written["graphs"]["plain"]
    one = [*declared.inputs, *declared.outputs]
    other = [port["shape"] for port in (*plain["inputs"], *plain["outputs"])]
    ports = (len(declared.inputs), len(declared.outputs))
    same = ports == (len(plain["inputs"]), len(plain["outputs"])) and all(map(_agree, one, other))
    sizes = {file["name"]: file["size"] for file in written["source"]["files"]}
    if same and model.parameters is not None and model.format == written["source"]["format"]:
        size = model.parameters.stat().st_size
        same = sizes.get(model.parameters.name, size) == size
    if not same:
        raise ConverterError(
            f"{original}: this is another network than the one that {converted} was converted from "
            f"({written['source']['folder']}); name that folder"
        )


def _agree(one: Sequence[int | None], other: Sequence[int | None]) -> bool:
    """Tell whether two shapes can be the same; None is any size."""
    return len(one) == len(other) and all(
        a == b or None in (a, b) for a, b in zip(one, other, strict=True)
    )
