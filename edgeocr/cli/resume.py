"""What a file of JSON lines holds already, so that a command can go on where it ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ..errors import OutputError
from ..outputs.devices import is_device, output_errors

# The field by which a record of each command is known.
FIELDS = {"read": "lines", "detect": "regions", "recognize": "text"}


@dataclass(frozen=True)
class Done:
    """What was read before.

    Attributes:
        names: The sources that have a record without an error.
        size: The number of bytes of whole lines. What follows them is an incomplete line, which a
            process that was killed has left behind.
    """

    names: frozenset[str] = frozenset()
    size: int = 0


def read_done(path: Path, command: str) -> Done:
    """Read the sources that a file of JSON lines has results of.

    Args:
        path: The file, which need not exist.
        command: "read", "detect" or "recognize".

    Raises:
        OutputError: It can't be read, or holds something other than results of this command.
    """
    if is_device(path):
        raise OutputError(path, "is a device or a pipe, so --resume can't read it", refused=True)
    names, size = set(), 0
    with output_errors(path):
        if not path.exists():
            return Done()
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    break
                size += len(line)
                if (name := _done(path, number, line, command)) is not None:
                    names.add(name)
    return Done(frozenset(names), size)


def _done(path: Path, number: int, line: bytes, command: str) -> str | None:
    """Return the source of a line; None if the line holds an error."""
    try:
        record = json.loads(line)
        name = record["source"]
        if not isinstance(name, str) or not ("error" in record or FIELDS[command] in record):
            raise KeyError(FIELDS[command])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise OutputError(
            path,
            f"can't be continued: line {number} is no result of edgeocr {command}: choose another "
            "file, or leave out --resume",
            refused=True,
        ) from error
    return None if "error" in record else name
