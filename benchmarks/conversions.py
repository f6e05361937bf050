"""converts and verifies every Paddle model below a folder: parity, repairs, sizes, times"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from converters import catalog, report
from converters.convert import convert
from converters.errors import ConverterError
from converters.paddle_model import identify
from converters.verify import verify

from . import machine

HEADER = (
    "Network", "Algorithm", "Format", "Repairs", "MB", "Largest difference", "of the largest value",
    "Rounding of Paddle", "Indices", "Input", "Plain ms", "Edge ms",
)  # fmt: skip


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
    for folder in sorted(path for path in options.models.rglob("*") if path.is_dir()):
        try:
            model = identify(folder)
        except ConverterError:
            continue
        python = options.pir_python if model.format == "paddle-pir" else options.legacy_python
        print(f"{folder}", file=sys.stderr, flush=True)
        rows.append(_measure(folder, model.format, python))
    print(table(rows))
    if options.json is not None:
        result = {"machine": machine.describe(), "models": rows}
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if any("error" in row for row in rows):
        sys.exit(1)


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown of what `_measure` returned for each model."""
    lines = ["| " + " | ".join(HEADER) + " |", "|---" * 4 + "|--:" * 4 + "|---|---|--:|--:|"]
    for row in rows:
        cells = [row["network"], row.get("algorithm", ""), row["format"]]
        if "error" in row:
            lines.append(f"| {' | '.join(cells)} | failed: {row['error'].splitlines()[0]} |")
            continue
        cells += [", ".join(row["repairs"]) or "none", f"{row['plain_bytes'] / 1e6:.1f}"]
        worst = row.get("worst")
        if worst is None:
            cells += ["", "", "", ""]
        else:
            equal = {True: "equal", False: "differ", None: ""}[row["indices_equal"]]
            cells += [f"{worst['max_abs']:.0e}", f"{worst['relative']:.0e}", f"{worst['own']:.0e}"]
            cells.append(equal)
        first = row["times"][0]
        cells += ["×".join(map(str, first["input"])), f"{first['plain_ms']}", f"{first['edge_ms']}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _measure(folder: Path, form: str, python: Path | None) -> dict[str, Any]:
    row: dict[str, Any] = {"network": folder.name, "format": form}
    try:
        with tempfile.TemporaryDirectory(prefix="edgeocr-") as name:
            output = Path(name)
            conversion = convert(folder, catalog.load(), _say)
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
                "times": made["times"],
            }
            if python is not None:
                of_plain, of_edge = verify(output, folder, _say, python)
                figures = report.describe(of_plain)["outputs"]
                row["worst"] = max(figures, key=lambda item: float(item["relative"]))
                row["reference"] = of_plain.reference
                row["indices_equal"] = of_plain.indices_equal
                if not (of_plain.passed and of_edge.passed):
                    row["error"] = f"{of_plain}; edge graph: {of_edge}"
    except ConverterError as error:
        row["error"] = str(error)
    return row


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)
