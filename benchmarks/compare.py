"""python -m benchmarks compare A.json B.json … [--html FILE]: devices side by side"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgeocr.bench.html import device_names, page
from edgeocr.bench.table import METRICS, SCHEMA, notes, number, working
from edgeocr.bench.worker import Measured

# Fields that a result has, and a part of it that was measured.
FIELDS: dict[str, type | tuple[type, ...]] = {
    **{"edgeocr": str, "when": str, "device": dict, "clocks": dict, "packages": dict},
    **{"bundle": dict, "threads": int, "images": list, "repeat": int, "failed": list},
    "providers": dict,
}


class NoResultError(Exception):
    """A file isn't what `edgeocr bench --json` writes; the message says which and why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "results",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="what edgeocr bench --json wrote; ratios are to the first one",
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with charts there")


def run(options: argparse.Namespace) -> None:
    """Print the Markdown table and write the page if asked for."""
    try:
        results = [load(path) for path in options.results]
    except NoResultError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    print(markdown(results))
    if options.html is not None:
        options.html.write_text(page(results), encoding="utf-8", errors="replace")


def load(path: Path) -> dict[str, Any]:
    """Read and check a result file; raises `NoResultError`."""
    try:
        result = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError as error:
        raise NoResultError(f"{path}: can't be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise NoResultError(f"{path}: is no JSON: {error}") from None
    if not isinstance(result, dict) or "schema" not in result:
        raise NoResultError(f"{path}: is no result of edgeocr bench: it has no schema")
    if result["schema"] != SCHEMA:
        raise NoResultError(f"{path}: has schema {result['schema']!r}, this reads {SCHEMA}")
    for field, kind in FIELDS.items():
        if not isinstance(result.get(field), kind):
            raise NoResultError(f"{path}: is no result of edgeocr bench: {field} is missing or bad")
    for provider, figures in result["providers"].items():
        if not isinstance(figures, dict):
            raise NoResultError(f"{path}: providers.{provider} is no object")
        lacking = [key for key in Measured.__annotations__ if key not in figures]
        if lacking and "error" not in figures:
            raise NoResultError(f"{path}: providers.{provider}.{lacking[0]} is missing")
    try:
        markdown([result])
        page([result])
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise NoResultError(
            f"{path}: something in it is of the wrong kind: {type(error).__name__}: {error}"
        ) from error
    return result


def markdown(results: Sequence[Mapping[str, Any]]) -> str:
    """The table, a column for each device, with warnings and what doesn't work below."""
    names = device_names(results)
    measured = [working(result) for result in results]
    rows = []
    for provider in dict.fromkeys(name for each in measured for name in each):
        for metric in METRICS:
            values = [
                metric.value(each[provider]) if provider in each else None for each in measured
            ]
            if any(value is not None for value in values):
                rows.append([f"{provider}: {metric.title}", *_with_ratios(values)])
    remarks = [f"**{warning}**" for warning in warnings(results)]
    remarks += [
        f"{name}: {note}"
        for name, result in zip(names, results, strict=True)
        for note in notes(result)
    ]
    return "\n".join(
        [
            _row(["", *names]),
            "|---|" + "---:|" * len(names),
            *map(_row, rows),
            *([""] if remarks else []),
            *("- " + " ".join(remark.split()) for remark in remarks),
        ]
    )


def warnings(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """What makes the results unfit to be set beside the first one: other weights, pictures, texts.

    Graphs that differ are told apart from a bundle that differs in its settings only.
    """
    found = []
    names = device_names(results)
    first, *others = results
    for name, result in zip(names[1:], others, strict=True):
        if result["bundle"]["sha256"] != first["bundle"]["sha256"]:
            same = result["bundle"]["graphs"] == first["bundle"]["graphs"]
            what = "another bundle, with the same graphs" if same else "another bundle"
            found.append(f"{name} was measured with {what} than {names[0]}")
        if _pictures(result) != _pictures(first):
            found.append(f"{name} read other pictures than {names[0]}")
        for provider, figures in working(result).items():
            beside = working(first).get(provider)
            if beside and figures["texts_sha256"] != beside["texts_sha256"]:
                found.append(f"{name} found other texts than {names[0]} with {provider}")
    return found


def _pictures(result: Mapping[str, Any]) -> list[str]:
    return [image["sha256"] for image in result["images"]]


def _with_ratios(values: Sequence[float | None]) -> list[str]:
    base = values[0]
    return [
        f"{number(value)} ({number(value / base)}×)"
        if i and value is not None and base
        else number(value)
        for i, value in enumerate(values)
    ]


def _row(cells: Sequence[str]) -> str:
    safe = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
    return "| " + " | ".join(safe) + " |"
