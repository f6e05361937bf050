"""Results as JSON: one document, or one line for each picture."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

# How a document or a line begins that `document` or `line` wrote, in the order of the keys.
BEGINNING = re.compile(rb'(?:\[\s*)?\{\s*"source": "(?:[^"\\]|\\.)*",\s*"(?:width|text|error)": ')


def document(record: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    """Return a record, or a list of records, as an indented JSON document.

    Args:
        record: What `to_dict` of one or several results returned.
    """
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def line(record: Mapping[str, Any]) -> str:
    """Return a record as one line of JSON Lines (jsonl).

    Args:
        record: What `to_dict` of a result returned.
    """
    return json.dumps(record, ensure_ascii=False) + "\n"


def is_ours(start: bytes) -> bool:
    """Tell whether a file begins as `document` and `line` write it.

    Args:
        start: The first bytes of the file, or all of it.
    """
    return BEGINNING.match(start) is not None
