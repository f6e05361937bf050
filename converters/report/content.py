"""Collect what a conversion did, as data that JSON can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import onnx

from edgeocr.bench.process_memory import peak_rss_bytes
from edgeocr.version import __version__

from ..catalog.fetch import sha256
from ..convert import Conversion
from ..edge_graph import sizes
from ..graph.reading import inputs, operator_counts, shape
from ..model.paddle_model import PaddleModel
from ..optimize import Rewrite
from ..parity.compare import Comparison
from ..translate.changes import Change
from .times import Time, measured_times

# What `--fast` leaves out. It makes one of the three comparisons of both graphs.
LEFT_OUT = ["the times", "the comparison with Paddle Inference", "two of three comparisons"]


class ModelFile(TypedDict):
    """A file that was converted."""

    name: str
    size: int
    sha256: str


class Source(TypedDict):
    """What was converted; if the files came in an archive, `folder` is the archive's path."""

    folder: str
    format: str
    files: list[ModelFile]


class Applied(TypedDict):
    """A change to the program or a rewrite of the graph, with what it changed."""

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


class Graphs(TypedDict):
    """What both graphs declare."""

    plain: Graph
    edge: Graph


class Operators(TypedDict):
    """How often each operator occurs; `paddle` is empty for a model in ONNX."""

    paddle: dict[str, int]
    plain: dict[str, int]
    edge: dict[str, int]


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


class Report(TypedDict):
    """The report of a conversion; `network` has the fields of `Network`.

    `fixed` has the shapes that the caller fixed, by the names of the plain graph's inputs;
    `left_out` says in words what was not done; `peak_memory_mib` is the most that the process held.
    """

    network: dict[str, Any]
    source: Source
    notes: list[str]
    translator: str
    changes: list[Applied]
    rewrites: list[Applied]
    sizes: Sizes
    graphs: Graphs
    operators: Operators
    parity: Parity
    times: list[Time]
    fixed: dict[str, list[int | None]]
    left_out: list[str]
    peak_memory_mib: int | None
    made_by: dict[str, str]


def build(conversion: Conversion, source: Path | None = None) -> Report:
    """Return the report of a conversion as plain data.

    This measures the times of both graphs, unless `--fast` was given.

    Args:
        conversion: The conversion.
        source: The archive that contained the model, None for a folder.
    """
    plain, plain_operators = _described(conversion.plain)
    edge, edge_operators = _described(conversion.edge)
    fast, fixed = conversion.wanted.fast, bool(conversion.wanted.shapes)
    times = [] if fast else measured_times(conversion)
    peak = peak_rss_bytes()
    translation = conversion.translation
    paddle = conversion.paddle
    return {
        "network": asdict(conversion.network),
        "source": describe_source(conversion.model, source),
        "notes": conversion.notes,
        "translator": translation.translator,
        "changes": _applied(translation.changes),
        "rewrites": _applied(conversion.rewrites),
        "sizes": _sizes(conversion),
        "graphs": {"plain": plain, "edge": edge},
        "operators": {
            "paddle": translation.operators,
            "plain": plain_operators,
            "edge": edge_operators,
        },
        "parity": {
            "edge_graph": describe(conversion.edge_graph),
            "paddle": paddle if isinstance(paddle, str) else describe(paddle),
        },
        "times": times,
        "fixed": {port.name: port.shape for port in conversion.interface.inputs if fixed},
        "left_out": LEFT_OUT if fast else [],
        "peak_memory_mib": None if peak is None else round(peak / 2**20),
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
        for path in model.described
    ]
    return {"folder": str(folder or model.graph.parent), "format": model.format, "files": files}


def _applied(changes: Sequence[Change] | Sequence[Rewrite]) -> list[Applied]:
    return [{"name": each.name, "why": each.why, "nodes": each.nodes} for each in changes]


def _sizes(conversion: Conversion) -> Sizes:
    height, width = sizes(conversion.interface, conversion.network)
    declared = conversion.interface.image.shape
    by = "--shape" if conversion.wanted.shapes else "the graph"
    return {
        "height": height,
        "width": width,
        "batch": declared[0],
        "fixed_by": {
            name: None if size is None else (by if declared[axis] else "the entry")
            for name, size, axis in (
                ("batch", declared[0], 0),
                ("height", height, 2),
                ("width", width, 3),
            )
        },
    }


def _described(content: bytes) -> tuple[Graph, dict[str, int]]:
    """Return what a graph's file declares, and how often each operator occurs."""
    model = onnx.load_from_string(content)
    return _describe(model, content), operator_counts(model)


def _describe(model: onnx.ModelProto, content: bytes) -> Graph:
    def port(item: onnx.ValueInfoProto) -> GraphPort:
        kind = _type_name(item.type.tensor_type.elem_type)
        return {"name": item.name, "type": kind, "shape": shape(item)}

    return {
        "bytes": len(content),
        "opset": {item.domain or "ai.onnx": item.version for item in model.opset_import},
        "ir_version": model.ir_version,
        "inputs": [port(item) for item in inputs(model.graph)],
        "outputs": [port(item) for item in model.graph.output],
    }


def _type_name(kind: int) -> str:
    """Return the NumPy name of an ONNX element type."""
    return str(np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind)))
