"""Results as JSON: one document, or one line for each picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


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
