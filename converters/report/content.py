"""Collect what a conversion did, as data that JSON can hold."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import onnx

from edgeocr.device.cpus import available_threads
from edgeocr.version import __version__

from ..catalog.fetch import sha256
from ..convert import Conversion
from ..edge_graph import sizes, to_plain_inputs
from ..graph.reading import operator_counts, shape
from ..graph.runner import onnx_runner
from ..model.paddle_model import PaddleModel
from ..optimize import Rewrite
from ..parity.compare import Comparison
from ..parity.probes import probes
from ..translate.repairs import Repair

REPETITIONS = 5


class ModelFile(TypedDict):
    """A file that was converted."""

    name: str
    size: int
    sha256: str


class Source(TypedDict):
    """What was converted; `folder` is the archive's path if the files came in one."""

    folder: str
    format: str
    files: list[ModelFile]


class Applied(TypedDict):
    """A repair or a rewrite, with the operators or nodes that it changed."""

    name: str
    why: str
    nodes: list[str]


class Sizes(TypedDict):
    """The sizes that are fixed, None for open ones; `fixed_by` says by what."""

    height: int | None
    width: int | None
    batch: int | None
    fixed_by: dict[str, str | None]


class GraphPort(TypedDict):
    """An input or output of a graph; open sizes are None."""

    name: str
    type: str
    shape: list[int | None]


class Graph(TypedDict):
    """What a graph's file declares."""

    bytes: int
    opset: dict[str, int]
    ir_version: int
    inputs: list[GraphPort]
    outputs: list[GraphPort]


class OutputDifference(TypedDict):
    """A `Difference`; a number that is not finite is None once it was written and read."""

    output: str
    shapes: list[list[int]]
    max_abs: float | None
    mean_abs: float | None
    magnitude: float | None
    own: float | None
    allowed: float | None
    allowed_mean: float | None
    bound: float | None
    relative: float | None
    passed: bool


class Compared(TypedDict):
    """A `Comparison`."""

    passed: bool
    reference: str
    inputs: list[list[int]]
    outputs: list[OutputDifference]
    indices_equal: bool | None


class _Parity(TypedDict):
    edge_graph: Compared
    paddle: Compared | str


class Parity(_Parity, total=False):
    """The comparisons; `paddle` says why there is none, and `verify` adds `edge_to_paddle`."""

    edge_to_paddle: Compared


class Time(TypedDict):
    """The median times of both graphs on an input."""

    input: list[int]
    threads: int
    plain_ms: float
    edge_ms: float
    edge_to_plain: float


class Report(TypedDict):
    """The report of a conversion; `network` has the fields of `Network`."""

    network: dict[str, Any]
    source: Source
    notes: list[str]
    translator: str
    repairs: list[Applied]
    rewrites: list[Applied]
    sizes: Sizes
    graphs: dict[str, Graph]
    operators: dict[str, dict[str, int]]
    parity: Parity
    times: list[Time]
    made_by: dict[str, str]


def build(conversion: Conversion, source: Path | None = None) -> Report:
    """Return the report of a conversion as plain data; this measures both graphs' times.

    Args:
        conversion: The conversion.
        source: The archive that contained the model, None for a folder.
    """
    plain = onnx.load_from_string(conversion.plain)
    edge = onnx.load_from_string(conversion.edge)
    translation = conversion.translation
    paddle = conversion.paddle
    return {
        "network": asdict(conversion.network),
        "source": describe_source(conversion.model, source),
        "notes": conversion.notes,
        "translator": translation.translator,
        "repairs": _applied(translation.repairs),
        "rewrites": _applied(conversion.rewrites),
        "sizes": _sizes(conversion),
        "graphs": {
            "plain": _describe(plain, conversion.plain),
            "edge": _describe(edge, conversion.edge),
        },
        "operators": {
            "paddle": translation.operators,
            "plain": operator_counts(plain),
            "edge": operator_counts(edge),
        },
        "parity": {
            "edge_graph": describe(conversion.edge_graph),
            "paddle": paddle if isinstance(paddle, str) else describe(paddle),
        },
        "times": _times(conversion),
        "made_by": {
            name: version(name) if name != "edgeocr" else __version__
            for name in ("edgeocr", "onnx", "onnxruntime", "numpy")
        },
    }


def describe(comparison: Comparison) -> Compared:
    """Return a comparison as plain data."""
    outputs: list[OutputDifference] = [
        {
            "output": item.output,
            "shapes": item.shapes,
            "max_abs": item.max_abs,
            "mean_abs": item.mean_abs,
            "magnitude": item.magnitude,
            "own": item.own,
            "allowed": item.allowed,
            "allowed_mean": item.allowed_mean,
            "bound": item.bound,
            "relative": item.relative,
            "passed": item.passed,
        }
        for item in comparison.differences
    ]
    return {
        "passed": comparison.passed,
        "reference": comparison.reference,
        "inputs": comparison.inputs,
        "outputs": outputs,
        "indices_equal": comparison.indices_equal,
    }


def describe_source(model: PaddleModel, folder: Path | None = None) -> Source:
    """Return the format, files and hashes of what was converted.

    Args:
        model: The model's files.
        folder: The archive that contained them, None for their folder.
    """
    files: list[ModelFile] = [
        {"name": path.name, "size": path.stat().st_size, "sha256": sha256(path)}
        for path in (*model.files, *([model.settings] if model.settings else []))
    ]
    return {"folder": str(folder or model.graph.parent), "format": model.format, "files": files}


def _applied(changes: Sequence[Repair] | Sequence[Rewrite]) -> list[Applied]:
    return [{"name": each.name, "why": each.why, "nodes": each.nodes} for each in changes]


def _sizes(conversion: Conversion) -> Sizes:
    height, width = sizes(conversion.interface, conversion.network)
    declared = conversion.interface.image.shape
    return {
        "height": height,
        "width": width,
        "batch": declared[0],
        "fixed_by": {
            name: None if size is None else ("the graph" if declared[axis] else "the entry")
            for name, size, axis in (
                ("batch", declared[0], 0),
                ("height", height, 2),
                ("width", width, 3),
            )
        },
    }


def _describe(model: onnx.ModelProto, content: bytes) -> Graph:
    constants = {item.name for item in model.graph.initializer}

    def port(item: onnx.ValueInfoProto) -> GraphPort:
        kind = _type_name(item.type.tensor_type.elem_type)
        return {"name": item.name, "type": kind, "shape": shape(item)}

    return {
        "bytes": len(content),
        "opset": {item.domain or "ai.onnx": item.version for item in model.opset_import},
        "ir_version": model.ir_version,
        "inputs": [port(item) for item in model.graph.input if item.name not in constants],
        "outputs": [port(item) for item in model.graph.output],
    }


def _type_name(kind: int) -> str:
    """Return the NumPy name of an ONNX element type."""
    return str(np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind)))


def _times(conversion: Conversion) -> list[Time]:
    """Measure both graphs alternately on this machine's CPU, with one thread and with all.

    The figures are medians in milliseconds.
    """
    network, interface = conversion.network, conversion.interface
    measured: list[Time] = []
    for threads in sorted({1, available_threads()}):
        run_plain, run_edge = (
            onnx_runner(graph, None, threads=threads)
            for graph in (conversion.plain, conversion.edge)
        )
        for batch in probes(network, interface):
            inputs = to_plain_inputs(batch, network.normalize, interface)
            run_plain(inputs), run_edge([batch])
            taken: dict[str, list[float]] = {"plain": [], "edge": []}
            for _ in range(REPETITIONS):
                for name, run, feed in (("plain", run_plain, inputs), ("edge", run_edge, [batch])):
                    start = time.perf_counter()
                    run(feed)
                    taken[name].append(1000 * (time.perf_counter() - start))
            plain, edge = (statistics.median(taken[name]) for name in ("plain", "edge"))
            measured.append(
                {
                    "input": list(batch.shape),
                    "threads": threads,
                    "plain_ms": round(plain, 2),
                    "edge_ms": round(edge, 2),
                    "edge_to_plain": round(edge / plain, 3),
                }
            )
    return measured
