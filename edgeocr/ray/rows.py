"""The rows of a result: one for each page, or one that says why a picture was not read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..batch.outcomes import Outcome
from ..errors import EdgeOCRError
from ..images import Frame
from ..page import Page
from .libraries import library

# The columns of a row, with the names of their types in Arrow.
COLUMNS: Mapping[str, str] = {
    "source": "string",
    "page": "int32",
    "pages": "int32",
    "width": "int32",
    "height": "int32",
    "text": "string",
    "result": "string",
    "milliseconds": "float64",
    "error_type": "string",
    "error": "string",
}
Row = dict[str, Any]


def row_of(outcome: Outcome, source: str) -> Row:
    """Return the row of one page.

    Args:
        outcome: What came of the page.
        source: What the picture's row, path or address is called.
    """
    frame = outcome.source.picture
    number, count = (frame.number, frame.count) if isinstance(frame, Frame) else (1, 1)
    row: Row = {**dict.fromkeys(COLUMNS), "source": source, "page": number, "pages": count}
    page = outcome.result
    if isinstance(page, Page):
        return row | {
            "width": page.width,
            "height": page.height,
            "text": page.to_text(),
            "result": json.dumps(page.to_dict(), ensure_ascii=False, separators=(",", ":")),
            "milliseconds": round(sum(page.milliseconds.values()), 3),
        }
    fault = outcome.fault or outcome.source.error
    kind = EdgeOCRError.__name__ if fault is None else type(fault).__name__
    return row | {"error_type": kind, "error": outcome.error}


def failed_row(source: str, kind: str, message: str) -> Row:
    """Return the row of a picture whose pages are not known.

    Args:
        source: What the picture's row, path or address is called.
        kind: Name of the class of the error.
        message: What is wrong.
    """
    return {**dict.fromkeys(COLUMNS), "source": source, "error_type": kind, "error": message}


def table_of(rows: Sequence[Row]) -> Any:
    """Return rows as a pyarrow `Table`, which has all columns even if there is no row."""
    pyarrow = library("pyarrow")
    fields = [(name, getattr(pyarrow, type_)()) for name, type_ in COLUMNS.items()]
    return pyarrow.Table.from_pylist(list(rows), pyarrow.schema(fields))
