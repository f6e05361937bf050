"""Convert and verify every Paddle model below a folder, and list what changed, sizes and parity."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from converters import report
from converters.catalog import entries as catalog
from converters.catalog.entries import Algorithm
from converters.convert import convert
from converters.errors import ConverterError
from converters.model.known import Statement
from converters.model.network import name_of
from converters.model.paddle_model import PaddleModel, identify
from converters.verify import verify

from . import machine

# The columns of the formats, by the name that `identify` has for a format.
FORMATS = {"paddle-legacy": "Legacy", "paddle-pir": "PIR"}
HEADER = ("Network", "Algorithm", "Changed", "MB", *FORMATS.values(), "Rounding", "Indices")


@dataclass(frozen=True)
class Converted:
    """A model that was converted; the fields are keys of the result file.

    Attributes:
        algorithm: Algorithm of the network, such as "DB".
        translator: Name and version of what translated it.
        changed: What the translation changed because ONNX or an edge graph can't express it,
            such as "unrolled_loops".
        plain_bytes: Size of the plain graph.
        edge_bytes: Size of the edge graph.
    """

    algorithm: str
    translator: str
    changed: tuple[str, ...]
    plain_bytes: int
    edge_bytes: int


@dataclass(frozen=True)
class Verified:
    """A comparison of a plain graph with Paddle; the fields are keys of the result file.

    Attributes:
        worst: The output with the largest relative difference, as the converter's report has it.
        reference: What the graph was compared with.
        indices_equal: Whether the largest value of each position is at the same index; None if the
            network has no such output.
    """

    worst: report.OutputDifference
    reference: str
    indices_equal: bool | None

    @property
    def rounding(self) -> float:
        """The difference that rounding makes in Paddle, relative to the output's largest value."""
        return (self.worst["own"] or 0.0) / (self.worst["magnitude"] or 1.0)


@dataclass(frozen=True)
class Row:
    """The outcome for one model.

    Attributes:
        network: Name of the network, or of the folder if the conversion failed.
        format: A key of `FORMATS`.
        converted: The converted model; None if the conversion failed.
        verified: The comparison with Paddle; None if there was none.
        error: What failed; None if nothing did.
    """

    network: str
    format: str
    converted: Converted | None = None
    verified: Verified | None = None
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as the result file records it."""
        return {
            "network": self.network,
            "format": self.format,
            **({} if self.converted is None else asdict(self.converted)),
            **({} if self.verified is None else asdict(self.verified)),
            **({} if self.error is None else {"error": self.error}),
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--models", type=Path, required=True, metavar="DIR", help="folder with models in it"
    )
    parser.add_argument(
        "--legacy-python",
        type=Path,
        metavar="PATH",
        help="Python that has paddlepaddle 2.6.2; without it legacy models are not compared",
    )
    parser.add_argument(
        "--pir-python",
        type=Path,
        metavar="PATH",
        help="Python that has paddlepaddle 3; without it PIR models are not compared",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")


def run(options: argparse.Namespace) -> None:
    """Convert each model and print the table; the exit code is 1 if one of them fails."""
    rows = []
    for folder, model in models_below(options.models):
        python = options.pir_python if model.format == "paddle-pir" else options.legacy_python
        rows.append(measure(folder, model.format, python))
    print(table(rows))
    if options.json is not None:
        result = {"machine": machine.describe(), "models": [row.to_dict() for row in rows]}
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if any(row.error is not None for row in rows):
        sys.exit(1)


def models_below(root: Path) -> Iterator[tuple[Path, PaddleModel]]:
    """Yield each folder below `root` that holds a model, with the model, and name it on stderr."""
    for folder in sorted(path for path in root.rglob("*") if path.is_dir()):
        try:
            model = identify(folder)
        except ConverterError:
            continue
        print(folder, file=sys.stderr, flush=True)
        yield folder, model


def table(rows: Sequence[Row]) -> str:
    """Format the rows as Markdown, with both formats of a network in one row.

    The columns "Legacy" and "PIR" have the largest difference from Paddle Inference, relative to
    the output's largest value. "Rounding" has the difference that rounding makes in Paddle itself.
    """
    lines = ["| " + " | ".join(HEADER) + " |", "|---|---|---|--:|--:|--:|--:|---|"]
    for name in dict.fromkeys(row.network for row in rows):
        formats = {row.format: row for row in rows if row.network == name}
        converted = [row.converted for row in formats.values() if row.converted is not None]
        verified = [row.verified for row in formats.values() if row.verified is not None]
        changed = dict.fromkeys(name for each in converted for name in each.changed)
        rounding = max((each.rounding for each in verified), default=None)
        equal = [each.indices_equal for each in verified]
        cells = [
            name,
            converted[0].algorithm if converted else "",
            ", ".join(changed),
            f"{converted[0].plain_bytes / 1e6:.1f}" if converted else "",
            *(_parity(formats.get(form)) for form in FORMATS),
            "" if rounding is None else f"{rounding:.0e}",
            "differ" if False in equal else "equal" if True in equal else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _parity(row: Row | None) -> str:
    """Return the cell that says how far a model's plain graph is from Paddle Inference."""
    if row is None:
        return ""
    if row.error is not None:
        return f"failed: {row.error.splitlines()[0]}"
    return "not compared" if row.verified is None else f"{row.verified.worst['relative']:.0e}"


def measure(folder: Path, form: str, python: Path | None) -> Row:
    """Convert and verify one model.

    Args:
        folder: Folder of the model.
        form: Format of the model, a key of `FORMATS`.
        python: Python that has the Paddle for this format; None to skip the verification.
    """
    network = name_of(folder)
    converted: Converted | None = None
    verified: Verified | None = None
    problem: str | None = None
    try:
        with tempfile.TemporaryDirectory(prefix="edgeocr-") as name:
            output = Path(name)
            stated = Statement(_stated(network, folder))
            conversion = convert(folder, catalog.load(), said=stated)
            (output / "plain.onnx").write_bytes(conversion.plain)
            (output / "edge.onnx").write_bytes(conversion.edge)
            made = report.build(conversion)
            report.write(made, output)
            network = conversion.network.name
            converted = Converted(
                algorithm=conversion.network.algorithm,
                translator=made["translator"],
                changed=tuple(item["name"] for item in made["changes"]),
                plain_bytes=len(conversion.plain),
                edge_bytes=len(conversion.edge),
            )
            if python is not None:
                of_plain, of_edge = verify(output, folder, python)
                figures = report.describe(of_plain)["outputs"]
                verified = Verified(
                    worst=max(figures, key=lambda item: item["relative"] or 0.0),
                    reference=of_plain.reference,
                    indices_equal=of_plain.indices_equal,
                )
                if not (of_plain.passed and of_edge.passed):
                    problem = f"{of_plain}; edge graph: {of_edge}"
    except ConverterError as error:
        problem = str(error)
    return Row(network, form, converted, verified, problem)


def _stated(network: str, folder: Path) -> Algorithm | None:
    """Return the algorithm that models.toml states for a network without an inference.yml.

    The folder of an export of PaddleOCR has the name of its configuration or of its model.
    """
    known = catalog.load()
    names = [name for name in (network, f"{network}_v2.0") if name in known]
    if not names or (folder / catalog.SETTINGS).is_file():
        return None
    return known.model(names[0]).algorithm
