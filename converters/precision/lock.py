"""precision.lock records which nodes of a graph were left out of int8 when it was first measured.

Measured times differ from run to run, but a bundle has to be the same each time. Nodes are
therefore chosen once for a graph and the pictures that it was calibrated with, and the choice is
kept in the repository, as models.lock is.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ..atomic import replacing
from ..errors import PrecisionError


class PrecisionLock:
    """The lock file, in JSON.

    Attributes:
        path: The file, which need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        """Use the file at a path."""
        self.path = path

    def get(self, graph: bytes, pictures: str) -> list[str] | None:
        """Return the nodes that were left out, None where nothing is recorded.

        Args:
            graph: The float32 graph.
            pictures: The SHA-256 of the pictures that it was calibrated with.

        Raises:
            PrecisionError: The file is damaged.
        """
        choice = self._read().get(_key(graph, pictures))
        return None if choice is None else choice["left_out"]

    def remember(self, graph: bytes, pictures: str, model: str, left_out: list[str]) -> None:
        """Record the nodes that were left out; the file is replaced atomically."""
        choice = {"model": model, "left_out": left_out}
        choices = {**self._read(), _key(graph, pictures): choice}
        text = json.dumps(choices, indent=1, sort_keys=True) + "\n"
        with replacing(self.path) as partial:
            partial.write_text(text, encoding="utf-8")

    def _read(self) -> dict[str, dict[str, Any]]:
        if not self.path.is_file():
            return {}
        try:
            choices: dict[str, dict[str, Any]] = json.loads(self.path.read_text(encoding="utf-8"))
            for choice in choices.values():
                if not all(isinstance(node, str) for node in choice["left_out"]):
                    raise TypeError("left_out must be names")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise PrecisionError(
                f"{self.path} is damaged ({error!r}): restore or remove it"
            ) from None
        return choices


def _key(graph: bytes, pictures: str) -> str:
    return f"{hashlib.sha256(graph).hexdigest()} {pictures}"
