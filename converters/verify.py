"""Verify a converted folder: compare its graphs with Paddle Inference on the original."""

from __future__ import annotations

import logging
from pathlib import Path

from . import report
from .errors import ConverterError
from .graph.interface import examine
from .model.paddle_model import identify
from .parity import compare as parity
from .parity import paddle_reference
from .parity.compare import Comparison

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
        ConverterError: A folder doesn't contain what it should.
    """
    written, network = report.read(converted)
    model = identify(original)
    if model.format == "onnx":
        raise ConverterError(f"{original}: this is an ONNX model, which Paddle Inference can't run")
    graphs = {name: converted / f"{name}.onnx" for name in ("plain", "edge")}
    for path in graphs.values():
        if not path.is_file():
            raise ConverterError(f"{path} is missing: convert {original} again")
    source = report.describe_source(model)
    if source["files"] != written["source"]["files"]:
        logger.info(
            "%s: %s has other files than %s was converted from", network.name, original, converted
        )
    plain, edge = (path.read_bytes() for path in graphs.values())
    interface = examine(plain)
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
