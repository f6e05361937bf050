"""A bundle while it is being made: files in memory, and what its manifest will say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgeocr.bundle.archive import MANIFEST
from edgeocr.bundle.bundle import Bundle
from edgeocr.bundle.manifest import REQUIRES, SCHEMA
from edgeocr.bundle.provenance import Accuracy, Origin, Precision, Quantization
from edgeocr.version import __version__

from ..catalog.entries import ProfileEntry
from ..charset import character_sets
from ..charset import pruning as charset_pruning
from ..errors import ConverterError
from ..graph.activation_memory import bytes_per_pixel
from ..model import dictionary as charset
from . import profiles, sbom
from .parts import UNSTATED, Part

# Texts of the licences that models come under; edgeocr's own is the same Apache licence.
LICENCES = {"Apache-2.0": Path(__file__).parents[2] / "LICENSE"}


@dataclass(frozen=True)
class Assembly:
    """What a bundle consists of.

    stages: the manifest's, by name. files: path → content, without manifest and bill of materials.
    """

    name: str
    description: str
    stages: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    provenance: Sequence[Origin] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    profile: ProfileEntry | None = None
    accuracy: Accuracy | None = None

    def with_part(self, made: Part, wanted: Sequence[str]) -> Assembly:
        """With a model as a stage.

        wanted: the characters that a network that reads is to keep, as `character_sets.choose`
            takes them; all when there are none.

        Raises `ConverterError` where the network lacks them, can't be cut or doesn't run.
        """
        path = f"graphs/{made.task}.onnx"
        edge = made.conversion.edge
        stage = {
            "algorithm": made.conversion.network.algorithm,
            "graph": path,
            "model": made.name,
            **made.stage,
        }
        files, origin = {}, _origin(made)
        if (characters := made.characters) is not None:
            listed, full = made.stage["charset"], made.stage["charset"]["classes"]
            if wanted:
                kept = character_sets.choose(wanted, characters, made.name)
                cut = charset_pruning.prune(edge, stage["algorithm"], listed, characters, kept)
                edge, listed, characters = cut.graph, cut.charset, cut.characters
            if listed["classes"] < full:
                origin = replace(origin, full_classes=full)
            file = f"charsets/{made.name}.txt"
            files[file] = charset.content(characters)
            stage["charset"] = {"file": file, **listed}
        if self.profile is not None:
            stage = profiles.applied(self.profile, made.task, stage)
        stage["activation_bytes"] = bytes_per_pixel(
            edge, made.task, height=stage.get("height"), width=stage.get("width")
        )
        files[path] = edge
        if made.licence is not None:
            files[f"licences/{made.licence}.txt"] = licence(made.name, made.licence)
        return replace(
            self,
            stages={**self.stages, made.task: stage},
            provenance=[*self.provenance, origin],
            files={**self.files, **files},
        )

    def with_graph(
        self, task: str, graph: bytes, precision: Precision, quantization: Quantization | None
    ) -> Assembly:
        """With a stage's graph in another precision."""
        stage = {**self.stages[task], "precision": precision}
        return replace(
            self,
            stages={**self.stages, task: stage},
            provenance=[
                replace(origin, quantization=quantization) if origin.stage == task else origin
                for origin in self.provenance
            ],
            files={**self.files, stage["graph"]: graph},
        )

    def draft(self) -> Bundle:
        """Opened from memory, to be run here. Without the profile's threads and memory, which are
        the device's: this process holds the converters too.
        """
        whole = {**self.files, MANIFEST: replace(self, profile=None)._manifest(self.files)}
        contents = {name: partial(bytes, content) for name, content in whole.items()}
        return Bundle(Path(self.name), contents, None)

    def complete(self) -> dict[str, bytes]:
        """All files with their contents, manifest and bill of materials too."""
        bill = sbom.build(
            self.name, self.description, self.stages, self.provenance, self.files, _made_by()
        )
        files = {**self.files, sbom.FILE: bill}
        return {MANIFEST: self._manifest(files), **files}

    def _manifest(self, files: Mapping[str, bytes]) -> bytes:
        manifest = {
            "schema": SCHEMA,
            "requires": REQUIRES,
            "name": self.name,
            "description": self.description,
            "stages": self.stages,
            "files": {
                name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
                for name, content in files.items()
            },
            "made_by": _made_by(),
            "provenance": [asdict(origin) for origin in self.provenance],
            "profile": profiles.settings(self.profile) if self.profile else None,
            "accuracy": asdict(self.accuracy) if self.accuracy else None,
        }
        text = json.dumps(_without_none(manifest), indent=1, sort_keys=True, ensure_ascii=False)
        return f"{text}\n".encode()


def licence(name: str, spdx: str) -> bytes:
    """The text of a model's licence; raises `ConverterError` when there is none here."""
    if spdx not in LICENCES:
        raise ConverterError(
            f"{name}: no text of its licence {spdx} to put into the bundle; "
            "add one to converters/bundle/assembly.py"
        )
    # As text: a checkout on Windows has other line ends, a bundle must not.
    return LICENCES[spdx].read_text("utf-8").encode()


def _made_by() -> dict[str, str]:
    return {"edgeocr": __version__, "onnx": version("onnx")}


def _origin(made: Part) -> Origin:
    return Origin(
        stage=made.task,
        model=made.name,
        title=made.title,
        authors=made.authors,
        licence=made.licence or UNSTATED,
        format=made.conversion.model.format,
        files=made.files,
        translator=made.conversion.translation.translator,
        parity=made.conversion.checks,
        repairs=[repair.name for repair in made.conversion.translation.repairs],
        rewrites=[rewrite.name for rewrite in made.conversion.rewrites],
    )


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_without_none(item) for item in value]
    return value
