"""converts and verifies every Paddle model below a folder: repairs, sizes, parity"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from converters import report
from converters.catalog import entries as catalog
from converters.convert import convert
from converters.errors import ConverterError
from converters.model.paddle_model import PaddleModel, identify
from converters.verify import verify

from . import machine

FORMATS = {"paddle-legacy": "Legacy", "paddle-pir": "PIR"}
HEADER = ("Network", "Algorithm", "Repairs", "MB", *FORMATS.values(), "Rounding", "Indices")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--legacy-python", type=Path, metavar="PATH", help="a Python with paddlepaddle 2.6.2"
    )
    parser.add_argument(
        "--pir-python", type=Path, metavar="PATH", help="a Python with paddlepaddle 3"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")


def run(options: argparse.Namespace) -> None:
    """Convert each model and print a row for it; a failure is a row too."""
    rows = []
    for folder, model in models_below(options.models):
        python = options.pir_python if model.format == "paddle-pir" else options.legacy_python
        rows.append(_measure(folder, model.format, python))
    print(table(rows))
    if options.json is not None:
        result = {"machine": machine.describe(), "models": rows}
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if any("error" in row for row in rows):
        sys.exit(1)


def models_below(root: Path) -> Iterator[tuple[Path, PaddleModel]]:
    """Each folder below `root` that holds a model, with what it holds; says which one is next."""
    for folder in sorted(path for path in root.rglob("*") if path.is_dir()):
        try:
            model = identify(folder)
        except ConverterError:
            continue
        print(folder, file=sys.stderr, flush=True)
        yield folder, model


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown of what `_measure` returned for each model, both formats of a network in one row.

    Legacy, PIR: the largest difference from Paddle Inference, as a share of the output's largest
    value. Rounding: how far rounding takes Paddle from itself, likewise.
    """
    lines = ["| " + " | ".join(HEADER) + " |", "|---|---|---|--:|--:|--:|--:|---|"]
    for name in dict.fromkeys(row["network"] for row in rows):
        formats = {row["format"]: row for row in rows if row["network"] == name}
        first = next((row for row in formats.values() if "algorithm" in row), {})
        repairs = dict.fromkeys(item for row in formats.values() for item in row.get("repairs", []))
        cells = [name, first.get("algorithm", ""), ", ".join(repairs)]
        cells.append(f"{first['plain_bytes'] / 1e6:.1f}" if first else "")
        cells += [_parity(formats.get(form)) for form in FORMATS]
        measured = [row["worst"] for row in formats.values() if "worst" in row]
        own = max((item["own"] / (item["magnitude"] or 1) for item in measured), default=None)
        cells.append("" if own is None else f"{own:.0e}")
        equal = [row.get("indices_equal") for row in formats.values()]
        cells.append("differ" if False in equal else "equal" if True in equal else "")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _parity(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    if "error" in row:
        return f"failed: {row['error'].splitlines()[0]}"
    return f"{row['worst']['relative']:.0e}" if "worst" in row else "not compared"


def _measure(folder: Path, form: str, python: Path | None) -> dict[str, Any]:
    row: dict[str, Any] = {"network": folder.name, "format": form}
    try:
        with tempfile.TemporaryDirectory(prefix="edgeocr-") as name:
            output = Path(name)
            conversion = convert(folder, catalog.load())
            (output / "plain.onnx").write_bytes(conversion.plain)
            (output / "edge.onnx").write_bytes(conversion.edge)
            made = report.build(conversion)
            report.write(made, output)
            row |= {
                "network": conversion.network.name,
                "algorithm": conversion.network.algorithm,
                "translator": made["translator"],
                "repairs": [item["name"] for item in made["repairs"]],
                "plain_bytes": len(conversion.plain),
                "edge_bytes": len(conversion.edge),
            }
            if python is not None:
                of_plain, of_edge = verify(output, folder, python)
                figures = report.describe(of_plain)["outputs"]
                row["worst"] = max(figures, key=lambda item: float(item["relative"]))
                row["reference"] = of_plain.reference
                row["indices_equal"] = of_plain.indices_equal
                if not (of_plain.passed and of_edge.passed):
                    row["error"] = f"{of_plain}; edge graph: {of_edge}"
    except ConverterError as error:
        row["error"] = str(error)
    return row
