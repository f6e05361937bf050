"""Results as JSON: one document, or one line for each picture."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, Protocol

from ..outputs.encoding import encoded
from .several import whether_several

if TYPE_CHECKING:
    from ..images import Source

# How a document or a line begins that `document` or `line` wrote, in the order of the keys.
BEGINNING = re.compile(rb'(?:\[\s*)?\{\s*"source": "(?:[^"\\]|\\.)*",\s*"(?:width|text|error)": ')


class HasRecord(Protocol):
    """A page, detections, or the reading of a crop."""

    def to_dict(self) -> dict[str, Any]:
        """Return the result as lists and numbers, with the picture's name as `source`."""


class Writer:
    """One JSON document: an object for one picture, or a list for several ones."""

    def __init__(self, stream: IO[bytes], *, several: bool = False) -> None:
        """Begin a document.

        Args:
            stream: Where to write it.
            several: Whether to write a list; without it, one result may be added.
        """
        self._stream = stream
        self._several = several
        self._count = 0

    def add(self, page: HasRecord, picture: Source | None = None) -> None:
        """Add a result; the picture is not needed.

        Raises:
            ValueError: It is the second one of a document that isn't a list.
        """
        self._add(page.to_dict())

    def add_failure(self, source: str, error: str) -> None:
        """Add the name of a picture that can't be read, and the reason."""
        self._add(failure(source, error))

    def close(self) -> None:
        """Complete the document."""
        if self._several:
            self._stream.write(b"\n]\n" if self._count else b"[]\n")

    def _add(self, record: Mapping[str, Any]) -> None:
        written = document(record)
        if self._several:
            # What `document` would write for the list of all records.
            start = ",\n " if self._count else "[\n "
            written = start + written.rstrip("\n").replace("\n", "\n ")
        elif self._count:
            raise ValueError("the JSON document holds one result: open it with several=True")
        self._stream.write(encoded(written))
        self._count += 1


def write(pages: Iterable[HasRecord], stream: IO[bytes]) -> None:
    """Write one result as an object, or several ones, or none, as a list."""
    several, pages = whether_several(pages)
    writer = Writer(stream, several=several)
    for page in pages:
        writer.add(page)
    writer.close()


def failure(source: str, error: str) -> dict[str, Any]:
    """Return the record of a picture that can't be read, and of the reason."""
    return {"source": source, "error": error}


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
