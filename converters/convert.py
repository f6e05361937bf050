"""One model's way: its folder → plain graph → edge graph, checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgeocr.manifest import Check

from . import edge_graph, parity
from .catalog import Catalog, Entry
from .errors import ModelFormatError
from .fetch import sha256
from .paddle_model import identify
from .translate import translate


@dataclass(frozen=True)
class Conversion:
    """Both graphs of a model, who translated it, and what the checks said."""

    plain: bytes
    edge: bytes
    translator: str
    checks: dict[str, Check]


def convert(entry: Entry, folder: Path, say: Callable[[str], None]) -> Conversion:
    """Translate and check the model of `entry` that lies in `folder`.

    Raises `ModelFormatError`, `TranslationError` or `ParityError`.
    """
    say(f"{entry.name}: translating")
    plain, translator = translate(folder)
    say(f"{entry.name}: edge graph")
    edge = edge_graph.make(plain, entry)
    checks = {
        "edge_graph": parity.check_edge(entry, plain, edge),
        "paddle": parity.check_paddle(entry, plain, folder),
    }
    for name, check in checks.items():
        say(f"{entry.name}: parity {name}: {check}")
    return Conversion(plain, edge, translator, checks)


def recognize_folder(catalog: Catalog, folder: Path) -> Entry:
    """The entry whose published files lie in `folder`, found by their hashes.

    Raises `ModelFormatError` when the folder has no model, or one that isn't in the catalogue.
    """
    model = identify(folder)
    found = {sha256(path) for path in (model.graph, model.parameters) if path is not None}
    for entry in catalog.models.values():
        if found <= {file.sha256 for file in entry.files}:
            return entry
    raise ModelFormatError(
        f"{folder}: no model of models.toml has these files. Say with --as NAME which entry's "
        "task, normalization and charset fit, or add an entry"
    )
