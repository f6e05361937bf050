"""A converted folder against the original: parity with Paddle Inference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from . import report
from .errors import ConverterError
from .graph.interface import examine
from .model.paddle_model import identify
from .parity import compare as parity
from .parity import paddle_reference
from .parity.compare import Comparison


def verify(
    converted: Path, original: Path, say: Callable[[str], None], paddle_python: Path | None = None
) -> tuple[Comparison, Comparison]:
    """Compare plain.onnx and edge.onnx of a folder with the Paddle model in another.

    Writes the figures into the folder's report and returns them: the plain graph's, the edge
    graph's. Raises `PaddleMissingError` where no Paddle can run the model, and other children of
    `ConverterError` for folders that aren't what they should be.
    """
    written, network = report.read(converted)
    model = identify(original)
    if model.format == "onnx":
        raise ConverterError(f"{original}: an ONNX model, which Paddle Inference can't run")
    graphs = {name: converted / f"{name}.onnx" for name in ("plain", "edge")}
    for path in graphs.values():
        if not path.is_file():
            raise ConverterError(f"{path} is missing: convert {original} again")
    source = report.describe_source(model)
    if source["files"] != written["source"]["files"]:
        say(f"{network.name}: {original} has other files than {converted} was converted from")
    plain, edge = (path.read_bytes() for path in graphs.values())
    signature = examine(plain)
    of_plain, of_edge = parity.compare_paddle(
        network,
        signature,
        plain,
        edge,
        lambda feeds: paddle_reference.run(model, feeds, paddle_python),
    )
    written["parity"]["paddle"] = report.describe(of_plain)
    written["parity"]["edge_to_paddle"] = report.describe(of_edge)
    report.write(written, converted)
    say(f"{network.name}: plain graph: {of_plain}")
    say(f"{network.name}: edge graph: {of_edge}")
    return of_plain, of_edge
