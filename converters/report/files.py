"""Write and read a report: report.json for programs, report.md for people."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from edgeocr.bundle import fields as typed
from edgeocr.outputs.replacement import write_file

from ..catalog.conversions import REPORT
from ..errors import ConverterError
from ..model.network import Network
from . import markdown
from .content import Report

JSON, MARKDOWN = REPORT, "report.md"


def write(report: Report, folder: Path) -> None:
    """Write both forms of a report into a folder; NaN and infinity become null in the JSON."""
    text = json.dumps(_finite(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    for name, content in ((JSON, text), (MARKDOWN, markdown.page(report))):
        write_file(folder / name, content.encode())


def read(folder: Path) -> tuple[Report, Network]:
    """Return the report in a folder and the network that it describes.

    Raises:
        ConverterError: The folder has no report, or it is damaged.
    """
    path = folder / JSON
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        for field in Report.__annotations__:
            data[field]
        report: Report = data
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


def _finite(value: Any) -> Any:
    """Return plain data with None in place of NaN and infinity, which JSON can't express."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
