"""precision.lock: which nodes of a graph were left out of int8, as first measured.

Times are never twice the same, and what is frozen has to be. So a choice is made once for a graph
and the pictures that it was calibrated with, and kept in the repository, as models.lock is.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from ..errors import PrecisionError


class PrecisionLock:
    """The lock file at `path`, JSON, which may not be there yet."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def get(self, graph: bytes, pictures: str) -> list[str] | None:
        """The nodes left out for a float32 graph and the sha256 of pictures; None for a new one.

        Raises `PrecisionError` for a file that is none of this format.
        """
        choice = self._read().get(_key(graph, pictures))
        return None if choice is None else choice["left_out"]

    def remember(self, graph: bytes, pictures: str, model: str, left_out: list[str]) -> None:
        """Write a choice; the file is replaced as a whole."""
        choice = {"model": model, "left_out": left_out}
        choices = {**self._read(), _key(graph, pictures): choice}
        partial = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        try:
            partial.write_text(
                json.dumps(choices, indent=1, sort_keys=True) + "\n", encoding="utf-8"
            )
            partial.replace(self.path)
        finally:
            partial.unlink(missing_ok=True)

    def _read(self) -> dict[str, dict[str, Any]]:
        if not self.path.is_file():
            return {}
        try:
            choices: dict[str, dict[str, Any]] = json.loads(self.path.read_text(encoding="utf-8"))
            for choice in choices.values():
                if not all(isinstance(node, str) for node in choice["left_out"]):
                    raise TypeError("left_out must be names")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise PrecisionError(f"{self.path}: damaged ({error!r}): remove it") from None
        return choices


def _key(graph: bytes, pictures: str) -> str:
    return f"{hashlib.sha256(graph).hexdigest()} {pictures}"
