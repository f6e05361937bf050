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

from edgeocr.outputs.replacement import write_file

from ..atomic import locked
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

    def remember(self, graph: bytes, pictures: str, model: str, left_out: list[str]) -> list[str]:
        """Record the nodes that were left out, and keep what other processes record meanwhile.

        Args:
            graph: The float32 graph.
            pictures: The SHA-256 of the pictures that it was calibrated with.
            model: The model's name, for readers of the file.
            left_out: The nodes.

        Returns:
            The nodes that the file records: `left_out`, or what another process recorded for the
            same graph and pictures first.

        Raises:
            PrecisionError: The file is damaged.
        """
        with locked(self.path):
            choices = self._read()
            choice = {"model": model, "left_out": left_out}
            recorded: list[str] = choices.setdefault(_key(graph, pictures), choice)["left_out"]
            text = json.dumps(choices, indent=1, sort_keys=True) + "\n"
            write_file(self.path, text.encode())
        return recorded

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            choices: dict[str, dict[str, Any]] = json.loads(self.path.read_text(encoding="utf-8"))
            for choice in choices.values():
                left_out = choice["left_out"]
                if not isinstance(left_out, list) or not all(isinstance(n, str) for n in left_out):
                    raise TypeError("left_out must be names")
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise PrecisionError(
                f"{self.path} is damaged ({error!r}): restore or remove it"
            ) from error
        return choices


def _key(graph: bytes, pictures: str) -> str:
    return f"{hashlib.sha256(graph).hexdigest()} {pictures}"
