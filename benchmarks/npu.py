"""Export networks for NPUs, and give the graphs to those compilers that run on a computer."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from converters import child_process
from converters.catalog.entries import load
from converters.convert import Wanted, convert
from converters.errors import ConverterError
from converters.npu.export import Export, export
from converters.npu.targets import TARGETS

from . import machine

WORKERS = {
    name: Path(__file__).parent / "engines" / f"npu_{name}_worker.py" for name in ("rknn", "qnn")
}
TIMEOUT_SECONDS = 900
HEADER = (
    "| Network | Shape | Not listed: RKNN | QNN | CoreML | RKNN-Toolkit2 builds, differs by "
    "| onnxruntime-qnn compiles for HTP |\n|---|---|---|---|---|---|---|"
)
# Height and width in pixels, by task, of the pictures of networks that leave them open.
SIZES = {"detection": (320, 320), "recognition": (48, 320), "spotting": (256, 256)}


@dataclass(frozen=True)
class Row:
    """A row of the table; its fields are the keys of the result file.

    Attributes:
        network: The network's folder.
        shape: The shape of its picture.
        refused: The operators that each compiler's documentation doesn't list.
        rknn: What RKNN-Toolkit2 said; None if it wasn't asked.
        qnn: What onnxruntime-qnn said; None if it wasn't asked.
    """

    network: str
    shape: list[int]
    refused: dict[str, list[str]]
    rknn: dict[str, Any] | None
    qnn: dict[str, Any] | None

    def __str__(self) -> str:
        """Return the row in Markdown."""
        listed = " | ".join(
            ", ".join(self.refused[name]) or "none" for name in ("rknn", "qnn", "coreml")
        )
        shape = "x".join(map(str, self.shape))
        return f"| {self.network} | {shape} | {listed} | {self._rknn()} | {self._qnn()} |"

    def _rknn(self) -> str:
        if self.rknn is None:
            return "not run"
        if "error" in self.rknn:
            return f"no: {self.rknn['error']:.80}"
        return f"yes, {self.rknn['difference']:.1e}"

    def _qnn(self) -> str:
        if self.qnn is None:
            return "not run"
        if "error" in self.qnn:
            return f"no: {self.qnn['error']:.80}"
        if not self.qnn["parts"]:
            return "nothing"
        if not self.qnn["cpu"]:
            return "whole"
        left = ", ".join(f"{number} {name}" for name, number in self.qnn["cpu"].items())
        return f"{self.qnn['parts']} parts; on the CPU {left}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="folders of networks")
    for name, package in (("rknn", "rknn-toolkit2"), ("qnn", "onnxruntime-qnn")):
        parser.add_argument(
            f"--{name}-python", type=Path, metavar="PATH", help=f"a Python that has {package}"
        )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")


def run(options: argparse.Namespace) -> None:
    """Export each network, ask the compilers, and print the table."""
    rows = []
    print(HEADER)
    pythons = {"rknn": options.rknn_python, "qnn": options.qnn_python}
    for row in _rows(options.folders, pythons):
        rows.append(row)
        print(row, flush=True)
    if options.json is not None:
        outcome = {"machine": machine.describe(), "rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(outcome, indent=1) + "\n", encoding="utf-8")


def _rows(folders: list[Path], pythons: dict[str, Path | None]) -> Iterator[Row]:
    for folder in folders:
        try:
            exports = exported(folder)
        except ConverterError as error:
            print(f"{folder}: {error}", file=sys.stderr, flush=True)
            continue
        refused = {name: [each.operator for each in made.refused] for name, made in exports.items()}
        answers = {
            name: asked(exports[name], python, name) if python is not None else None
            for name, python in pythons.items()
        }
        shape = next(iter(exports["rknn"].inputs.values()))
        generic = folder.name in ("legacy", "pir")
        title = f"{folder.parent.name}, {folder.name}" if generic else folder.name
        yield Row(title, shape, refused, answers["rknn"], answers["qnn"])


def exported(folder: Path) -> dict[str, Export]:
    """Return the graph of the network in a folder for each compiler, by the compiler's name.

    Raises:
        ConverterError: It can't be converted, or its sizes can't be fixed.
    """
    conversion = convert(folder, load(), wanted=Wanted(fast=True))
    _, channels, height, width = conversion.interface.image.shape
    high, wide = SIZES.get(conversion.network.task, (48, 192))
    shape = [1, channels or 3, height or high, width or wide]
    return {
        name: export(conversion.plain, target, {None: shape}, conversion.network)
        for name, target in TARGETS.items()
    }


def asked(made: Export, python: Path, name: str) -> dict[str, Any]:
    """Give a graph to a compiler in another Python; return its answer."""
    with tempfile.TemporaryDirectory(prefix="edgeocr-") as folder:
        graph = Path(folder) / "npu.onnx"
        graph.write_bytes(made.graph)
        command = [str(python), str(WORKERS[name]), str(graph)]
        ended = child_process.run(
            command if name == "rknn" else [*command, folder], TIMEOUT_SECONDS
        )
    try:
        answer: dict[str, Any] = json.loads(ended.output.splitlines()[-1])
    except (ValueError, IndexError):
        return {"error": str(ended)[:300]}
    return answer
