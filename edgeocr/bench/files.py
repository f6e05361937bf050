"""The files that `edgeocr bench` writes: one result in several formats."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..outputs.encoding import encoded
from . import csv_rows, html, markdown
from .result import BenchResult, is_result


@dataclass(frozen=True)
class FileFormat:
    """A format of result files.

    Attributes:
        render: Returns a result's file.
        recognizes: Tells from the first bytes of a file whether it is one of this format, which may
            be replaced by a new one.
    """

    render: Callable[[BenchResult], bytes]
    recognizes: Callable[[bytes], bool]


def json_of(result: BenchResult) -> str:
    """Return the text of a result's JSON file."""
    return json.dumps(result.to_dict(), ensure_ascii=False, indent=1) + "\n"


FORMATS: Mapping[str, FileFormat] = MappingProxyType(
    {
        "json": FileFormat(lambda result: encoded(json_of(result)), is_result),
        "csv": FileFormat(lambda result: encoded(csv_rows.csv_of([result])), csv_rows.is_csv),
        "markdown": FileFormat(
            lambda result: encoded(markdown.markdown(result)), markdown.is_markdown
        ),
        "html": FileFormat(
            lambda result: html.report([result]).encode("utf-8", "replace"), html.is_report
        ),
    }
)
