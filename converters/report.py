"""Report what a conversion did: report.json for programs, report.md for people."""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from edgeocr.bundle import fields as typed
from edgeocr.device.cpus import available_threads
from edgeocr.version import __version__

from .atomic import replacing
from .catalog.conversions import REPORT
from .catalog.fetch import sha256
from .convert import Conversion
from .edge_graph import sizes, to_plain_inputs
from .errors import ConverterError
from .graph.reading import operator_counts, shape
from .graph.runner import onnx_runner
from .model.network import Network
from .model.paddle_model import PaddleModel
from .parity.compare import Comparison
from .parity.probes import probes

JSON, MARKDOWN = REPORT, "report.md"
REPETITIONS = 5
FIELDS = (
    *("network", "source", "notes", "translator", "repairs", "rewrites", "sizes", "graphs"),
    *("operators", "parity", "times", "made_by"),
)


def build(conversion: Conversion, source: Path | None = None) -> dict[str, Any]:
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
        "network": dataclasses.asdict(conversion.network),
        "source": describe_source(conversion.model, source),
        "notes": conversion.notes,
        "translator": translation.translator,
        "repairs": [dataclasses.asdict(repair) for repair in translation.repairs],
        "rewrites": [dataclasses.asdict(rewrite) for rewrite in conversion.rewrites],
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


def write(report: dict[str, Any], folder: Path) -> None:
    """Write both forms of a report into a folder; NaN and infinity become null in the JSON."""
    text = json.dumps(_finite(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    for name, content in ((JSON, text), (MARKDOWN, _markdown(report))):
        with replacing(folder / name) as partial:
            partial.write_text(content, encoding="utf-8")


def read(folder: Path) -> tuple[dict[str, Any], Network]:
    """Return the report in a folder and the network that it describes.

    Raises:
        ConverterError: The folder has no report, or it is damaged.
    """
    path = folder / JSON
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        for field in FIELDS:
            report[field]
        return report, typed.parse(Network, report["network"], "network")
    except FileNotFoundError:
        raise ConverterError(
            f"{folder}: there is no {JSON} here; "
            f"`python -m converters convert DIR -o {folder}` writes it"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ConverterError(
            f"{path}: this is not a conversion's report: {error!r}; convert the model again"
        ) from None


def describe(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as plain data."""
    outputs = [
        {**dataclasses.asdict(item), "relative": item.relative, "passed": item.passed}
        for item in comparison.differences
    ]
    return {
        "passed": comparison.passed,
        "reference": comparison.reference,
        "inputs": comparison.inputs,
        "outputs": outputs,
        "indices_equal": comparison.indices_equal,
    }


def describe_source(model: PaddleModel, folder: Path | None = None) -> dict[str, Any]:
    """Return the format, files and hashes of what was converted.

    Args:
        model: The model's files.
        folder: The archive that contained them, None for their folder.
    """
    files = [
        {"name": path.name, "size": path.stat().st_size, "sha256": sha256(path)}
        for path in (*model.files, *([model.settings] if model.settings else []))
    ]
    return {"folder": str(folder or model.graph.parent), "format": model.format, "files": files}


def _sizes(conversion: Conversion) -> dict[str, Any]:
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


def _describe(model: onnx.ModelProto, content: bytes) -> dict[str, Any]:
    constants = {item.name for item in model.graph.initializer}

    def port(item: onnx.ValueInfoProto) -> dict[str, Any]:
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


def _times(conversion: Conversion) -> list[dict[str, Any]]:
    """Measure both graphs alternately on this machine's CPU, with one thread and with all.

    The figures are medians in milliseconds.
    """
    network, interface = conversion.network, conversion.interface
    measured = []
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


def _markdown(report: dict[str, Any]) -> str:
    network, source = report["network"], report["source"]
    lines = [f"# {network['name']}", ""]
    lines += [
        f"{network['task'].capitalize()} with {network['algorithm']}, known by "
        f"{network['known_by']}.",
        "",
        f"Normalization: {_normalization(network['normalize'])}.",
        "",
        f"From {source['format']} in `{source['folder']}`"
        f"{', the published weights' if network['published'] else ''}:",
        "",
        "| file | bytes | sha256 |",
        "|---|--:|---|",
        *(f"| {file['name']} | {file['size']} | `{file['sha256']}` |" for file in source["files"]),
        "",
    ]
    for note in report["notes"]:
        lines += [f"Note: {note}", ""]
    lines += ["## Translation", "", f"Translator: {report['translator']}.", ""]
    if report["repairs"]:
        lines += ["| repair | why | nodes |", "|---|---|---|"]
        lines += [
            f"| {item['name']} | {item['why']} | {', '.join(f'`{n}`' for n in item['nodes'])} |"
            for item in report["repairs"]
        ]
    else:
        lines.append("No repairs were needed.")
    lines += ["", "## Rewrites", ""]
    if report["rewrites"]:
        lines += ["| rewrite | why | nodes replaced |", "|---|---|--:|"]
        lines += [
            f"| {item['name']} | {item['why']} | {len(item['nodes'])} |"
            for item in report["rewrites"]
        ]
    else:
        lines.append("No rewrite applied.")
    lines += ["", "## Graphs", "", "| graph | bytes | opset | IR | inputs | outputs |"]
    lines.append("|---|--:|---|--:|---|---|")
    for name, graph in report["graphs"].items():
        opset = ", ".join(f"{domain} {number}" for domain, number in graph["opset"].items())
        lines.append(
            f"| {name} | {graph['bytes']} | {opset} | {graph['ir_version']} | "
            f"{_ports(graph['inputs'])} | {_ports(graph['outputs'])} |"
        )
    lines += ["", _fixed(report["sizes"]), ""]
    paddle, plain, edge = (report["operators"][name] for name in ("paddle", "plain", "edge"))
    if paddle:
        counted = ", ".join(f"{name} {number}" for name, number in paddle.items())
        lines += [f"Paddle's operators: {counted}.", ""]
    lines += ["| operator | plain | edge |", "|---|--:|--:|"]
    ordered = sorted({*plain, *edge}, key=lambda name: (-plain.get(name, 0), name))
    lines += [f"| {name} | {plain.get(name, 0)} | {edge.get(name, 0)} |" for name in ordered]
    lines += ["", "## Parity", ""]
    for title, key in (
        ("Edge graph", "edge_graph"),
        ("Plain graph", "paddle"),
        ("Edge graph", "edge_to_paddle"),
    ):
        if key in report["parity"]:
            lines += [*_parity(title, report["parity"][key]), ""]
    lines += [
        "## Time",
        "",
        "ONNX Runtime on this machine's CPU; medians of alternating runs.",
        "",
    ]
    lines += ["| input | threads | plain ms | edge ms | edge ÷ plain |", "|---|--:|--:|--:|--:|"]
    lines += [
        f"| {_by(item['input'])} | {item['threads']} | {item['plain_ms']} | {item['edge_ms']} | "
        f"{item['edge_to_plain']} |"
        for item in report["times"]
    ]
    made = ", ".join(f"{name} {number}" for name, number in report["made_by"].items())
    return "\n".join([*lines, "", f"Made by {made}.", ""])


def _parity(title: str, item: dict[str, Any] | str) -> list[str]:
    if isinstance(item, str):
        return [f"{title} beside Paddle Inference: {item}."]
    said = "passed" if item["passed"] else "FAILED"
    indices = {True: " The indices are equal.", False: " The indices differ.", None: ""}
    lines = [
        f"{title} beside {item['reference']}: {said}.{indices[item['indices_equal']]} Inputs: "
        f"{', '.join(_by(sizes) for sizes in item['inputs'])}.",
        "",
        "| output | largest difference | allowed | mean difference | allowed | largest value | "
        "relative difference | rounding of the reference |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for out in item["outputs"]:
        figures = [
            *(out[name] for name in ("max_abs", "allowed", "mean_abs", "allowed_mean")),
            *(out[name] for name in ("magnitude", "relative", "own")),
        ]
        lines.append(f"| `{out['output']}` | {' | '.join(map(_figure, figures))} |")
    return lines


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.1e}"


def _normalization(normalize: dict[str, Any]) -> str:
    mean, std = (" ".join(f"{value:g}" for value in normalize[name]) for name in ("mean", "std"))
    return f"{normalize['colour']}, (pixel × {normalize['scale']:.4g} - {mean}) / {std}"


def _finite(value: Any) -> Any:
    """Return plain data with None in place of NaN and infinity, which JSON can't express."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _fixed(found: dict[str, Any]) -> str:
    fixed = [
        f"{name} {found[name]} (by {by})"
        for name, by in found["fixed_by"].items()
        if by is not None
    ]
    varies = [name for name, by in found["fixed_by"].items() if by is None]
    parts = [f"Fixed: {', '.join(fixed)}."] if fixed else []
    return " ".join([*parts, f"May vary: {', '.join(varies) or 'nothing'}."])


def _ports(ports: list[dict[str, Any]]) -> str:
    return ", ".join(f"`{port['name']}` {port['type']} {_by(port['shape'])}" for port in ports)


def _by(sizes: list[int | None]) -> str:
    return "×".join("?" if size is None else str(size) for size in sizes)
