"""precision.lock records which nodes stay out of int8, and what was lost when they were chosen.

Measured times differ from run to run, but a bundle has to be the same each time. Nodes are
therefore chosen once for graphs and the pictures that they were calibrated and judged with, and the
choice is kept in the repository, as models.lock is.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeocr.bundle import fields as typed
from edgeocr.bundle.provenance import Loss
from edgeocr.outputs.replacement import write_file

from ..atomic import locked
from ..errors import PrecisionError


@dataclass(frozen=True)
class Choice:
    """The nodes of a bundle's stages that stay in float32.

    Attributes:
        left_out: Stage → the nodes that were left out. A stage without an entry stays in float32.
        losses: What each of these stages loses, and under "all" what they lose together.
    """

    left_out: dict[str, list[str]]
    losses: dict[str, Loss]


class PrecisionLock:
    """The lock file, in JSON.

    Attributes:
        path: The file, which need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        """Use the file at a path."""
        self.path = path

    def get(self, graphs: Sequence[bytes], pictures: str) -> Choice | None:
        """Return what was chosen, None where nothing is recorded.

        Args:
            graphs: The float32 graphs of all stages.
            pictures: The SHA-256 of the pictures that the graphs were calibrated with, and that of
                the labelled pictures.

        Raises:
            PrecisionError: The file is damaged.
        """
        return self._choices().get(_key(graphs, pictures))

    def remember(
        self, graphs: Sequence[bytes], pictures: str, bundle: str, choice: Choice
    ) -> Choice:
        """Record a choice, and keep what other processes record meanwhile.

        Args:
            graphs: The float32 graphs of all stages.
            pictures: As for `get`.
            bundle: The bundle's name, for readers of the file.
            choice: What was chosen.

        Returns:
            The choice that the file records: `choice`, or what another process recorded for the
            same graphs and pictures first.

        Raises:
            PrecisionError: The file is damaged.
        """
        with locked(self.path):
            key = _key(graphs, pictures)
            if (recorded := self._choices().get(key)) is not None:
                return recorded
            entries = self._read() | {key: {"bundle": bundle, **dataclasses.asdict(choice)}}
            text = json.dumps(entries, indent=1, sort_keys=True) + "\n"
            write_file(self.path, text.encode())
        return choice

    def _choices(self) -> dict[str, Choice]:
        try:
            return {
                key: typed.parse(
                    Choice, {"left_out": entry["left_out"], "losses": entry["losses"]}, "choice"
                )
                for key, entry in self._read().items()
            }
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise PrecisionError(
                f"{self.path} is damaged ({error!r}): restore or remove it"
            ) from error

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        entries: dict[str, dict[str, Any]] = json.loads(text)
        return entries


def _key(graphs: Sequence[bytes], pictures: str) -> str:
    whole = hashlib.sha256()
    for graph in graphs:
        whole.update(hashlib.sha256(graph).digest())
    return f"{whole.hexdigest()} {pictures}"
