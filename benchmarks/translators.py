"""Translate every PIR model below a folder with edgeocr and with paddle2onnx 2."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from converters import child_process
from converters.catalog import entries as catalog
from converters.convert import convert
from converters.edge_graph import to_plain_inputs
from converters.errors import ConverterError, ParityError
from converters.graph.runner import onnx_runner
from converters.model import network
from converters.model.paddle_model import PaddleModel
from converters.parity import paddle_reference
from converters.parity.probes import probes

from . import machine
from .conversions import models_below

WORKER = Path(__file__).parent / "engines" / "paddle2onnx_worker.py"
# A graph is right if its mean difference from Paddle, relative to the output's largest value, is at
# most this. Rounding changes single places, while a wrong translation is wrong nearly everywhere.
RIGHT = 1e-3
TIMEOUT_SECONDS = 600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--models", type=Path, required=True, metavar="DIR", help="folder with models in it"
    )
    parser.add_argument(
        "--pir-python",
        type=Path,
        required=True,
        metavar="PATH",
        help="Python that has paddlepaddle 3",
    )
    parser.add_argument(
        "--peer-python",
        type=Path,
        required=True,
        metavar="PATH",
        help="Python that has paddle2onnx 2 and the paddlepaddle that it needs",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to FILE too")


def run(options: argparse.Namespace) -> None:
    """Translate each model with both translators, and print whether the graphs are right."""
    rows = [
        _compare(folder, model, options.pir_python, options.peer_python)
        for folder, model in models_below(options.models)
        if model.format == "paddle-pir"
    ]
    print("| Network | edgeocr | paddle2onnx 2 |\n|---|---|---|")
    for row in rows:
        print(f"| {row['network']} | {row['edgeocr']} | {row['paddle2onnx']} |")
    for name in ("edgeocr", "paddle2onnx"):
        counts = Counter(row[name].split(":")[0].split(" by ")[0] for row in rows)
        print(f"\n{name}: " + ", ".join(f"{count} {kind}" for kind, count in counts.most_common()))
    if options.json is not None:
        result = {"machine": machine.describe(), "networks": rows}
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _compare(folder: Path, model: PaddleModel, pir: Path, peer: Path) -> dict[str, str]:
    """Translate one model with both translators and compare the graphs with Paddle.

    Args:
        folder: Folder of the model.
        model: The model.
        pir: Python that has paddlepaddle 3.
        peer: Python that has paddle2onnx 2.
    """
    row = {"network": network.name_of(folder), "edgeocr": "", "paddle2onnx": ""}
    try:
        conversion = convert(folder, catalog.load())
    except ConverterError as error:
        return {
            **row,
            "edgeocr": f"stops: {str(error).splitlines()[0]}",
            "paddle2onnx": "not asked",
        }
    known, interface = conversion.network, conversion.interface
    feeds = [
        to_plain_inputs(batch, known.normalize, interface) for batch in probes(known, interface)
    ]
    expected = paddle_reference.run(model, feeds, pir).outputs
    row["edgeocr"] = _judge(conversion.plain, feeds, expected)
    with tempfile.TemporaryDirectory(prefix="edgeocr-") as name:
        target = Path(name) / "plain.onnx"
        command = [str(peer), str(WORKER), *map(str, model.files), str(target)]
        ended = child_process.run(command, TIMEOUT_SECONDS)
        if ended.code is not None and ended.code < 0:
            row["paddle2onnx"] = "aborts the process"
        elif ended.code != 0 or not target.is_file():
            row["paddle2onnx"] = "stops"
        else:
            row["paddle2onnx"] = _judge(target.read_bytes(), feeds, expected)
    return row


def _judge(graph: bytes, feeds: list[Any], expected: list[Any]) -> str:
    """Compare a graph's outputs with those expected, and return the judgement in words."""
    worst = 0.0
    try:
        run = onnx_runner(graph, None)
        for feed, outputs in zip(feeds, expected, strict=True):
            for found, right in zip(run(feed), outputs, strict=True):
                if found.shape != right.shape:
                    return "wrong shapes"
                gap = np.abs(found.astype(np.float64) - right).mean()
                worst = max(worst, float(gap / max(np.abs(right).max(), 1e-9)))
    except ParityError as error:
        return "doesn't load" if "doesn't load" in str(error) else "doesn't run"
    return "right" if worst <= RIGHT else f"wrong by {worst:.0e}"
