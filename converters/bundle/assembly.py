"""A bundle while it is being made: its files in memory, and what its manifest will say."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgeocr.bundle.archive import MANIFEST
from edgeocr.bundle.bundle import Bundle, InMemory
from edgeocr.bundle.manifest import REQUIRES, File, Manifest, Stages, Variant
from edgeocr.bundle.provenance import Accuracy, Loss, Origin, Precision, Quantization
from edgeocr.device.cpus import ARM_DOT_PRODUCTS, VNNI
from edgeocr.version import __version__

from ..catalog.entries import ProfileEntry
from ..charset import selection
from ..charset.pruning import prune
from ..errors import ConverterError
from ..graph.activation_memory import bytes_per_pixel
from ..model import dictionary
from ..model.stages import Stage
from . import manifest_json, profiles, sbom
from .parts import UNSTATED, Part
from .stages import charset_of, with_charset, with_stage

# The texts of the licences that models come under. edgeocr's own is the same Apache licence.
LICENCES = {"Apache-2.0": Path(__file__).parents[2] / "LICENSE"}

# What a graph suits, by precision. Without instructions for dot products of int8, int8 is slower
# than float32 on most CPUs. ONNX Runtime's CPU kernels convert float16 to float32.
SUITS: Mapping[str, Mapping[str, Any]] = {
    "int8": {"providers": ["cpu"], "cpu_features": [*VNNI, *ARM_DOT_PRODUCTS]},
    "fp16": {"providers": ["tensorrt", "cuda"]},
}


@dataclass(frozen=True)
class Content:
    """The content of one of a bundle's files, hashed once.

    Attributes:
        data: The content.
        file: Its size and SHA-256, as the manifest has them.
    """

    data: bytes
    file: File

    @classmethod
    def of(cls, data: bytes) -> Content:
        """Hash a content."""
        return cls(data, File(hashlib.sha256(data).hexdigest(), len(data)))


@dataclass(frozen=True)
class Assembly:
    """What a bundle consists of; the methods return a new assembly.

    Attributes:
        name: The bundle's name.
        description: What the bundle is, in a sentence.
        stages: The manifest's stages.
        provenance: Where each stage came from.
        files: Path in the bundle → content, without the manifest and the bill of materials.
        profile: The profile that the bundle is made for, None for no profile.
        accuracy: What was measured with the bundle, None where nothing was.
        variant_accuracy: What was measured with the stages' variants, by precision.
    """

    name: str
    description: str
    stages: Stages = field(default_factory=Stages)
    provenance: Sequence[Origin] = ()
    files: Mapping[str, Content] = field(default_factory=dict)
    profile: ProfileEntry | None = None
    accuracy: Accuracy | None = None
    variant_accuracy: Mapping[str, Accuracy] = field(default_factory=dict)

    def with_part(self, part: Part, wanted: Sequence[str]) -> Assembly:
        """Add a model as a stage.

        Args:
            part: The converted model.
            wanted: The characters that a network that reads keeps, as `selection.choose` takes
                them. An empty sequence keeps all characters.

        Raises:
            ConverterError: The network lacks a wanted character, can't be pruned or doesn't run.
        """
        edge, stage, origin = part.conversion.edge, part.stage, _origin(part)
        files = {}
        charset, characters = charset_of(stage), part.characters
        if charset is not None and characters is not None:
            full = charset.classes
            if wanted:
                kept = selection.choose(wanted, characters, part.name)
                pruned = prune(edge, stage.algorithm, charset, characters, kept)
                edge, charset, characters = pruned.graph, pruned.charset, pruned.characters
                stage = with_charset(stage, charset)
            if charset.classes < full:
                origin = replace(origin, full_classes=full)
            files[charset.file] = Content.of(dictionary.content(characters))
        if self.profile is not None:
            stage = profiles.applied(self.profile, stage)
        needed = _bytes_per_pixel(edge, part.task, stage)
        files[stage.graph] = Content.of(edge)
        if part.licence is not None:
            text = licence(part.name, part.licence)
            files[f"licences/{part.licence}.txt"] = Content.of(text)
        return replace(
            self,
            stages=with_stage(self.stages, part.task, replace(stage, activation_bytes=needed)),
            provenance=[*self.provenance, origin],
            files={**self.files, **files},
        )

    def with_graph(
        self,
        task: str,
        graph: bytes,
        precision: Precision,
        quantization: Quantization | None,
        loss: Loss | None = None,
    ) -> Assembly:
        """Put a stage's graph of another precision in the place of the one that is there.

        Args:
            task: The stage.
            graph: The graph.
            precision: What it computes in.
            quantization: How it became int8, None for another precision.
            loss: What the stage loses by it, None where that isn't recorded.
        """
        stage: Stage = getattr(self.stages, task)
        needed = _reduced_bytes_per_pixel(graph, task, stage)
        return self._changed(
            task,
            replace(stage, precision=precision, activation_bytes=needed),
            lambda origin: replace(origin, quantization=quantization, loss=loss),
            {stage.graph: Content.of(graph)},
        )

    def with_half_weights(self, task: str, graph: bytes, loss: Loss | None = None) -> Assembly:
        """Put a stage's graph with weights in fp16 in the place of the one that is there.

        Args:
            task: The stage.
            graph: The graph.
            loss: What the stage loses by it, None where that isn't recorded. If the loss of an
                earlier step is recorded, that one stays instead.
        """
        stage: Stage = getattr(self.stages, task)
        return self._changed(
            task,
            stage,
            lambda origin: replace(origin, weights="fp16", loss=origin.loss or loss),
            {stage.graph: Content.of(graph)},
        )

    def with_variant(
        self,
        task: str,
        graph: bytes,
        precision: Precision,
        quantization: Quantization | None,
        loss: Loss | None = None,
    ) -> Assembly:
        """Add a graph of another precision to a stage, for the devices that it suits.

        Args:
            task: The stage.
            graph: The graph.
            precision: Its precision.
            quantization: How it became int8, None for a graph in float16.
            loss: What the stage loses by it, which is recorded in place of what it loses by an
                earlier variant. None keeps that.
        """
        stage: Stage = getattr(self.stages, task)
        variant = Variant(
            graph=f"graphs/{task}.{precision}.onnx",
            precision=precision,
            activation_bytes=_reduced_bytes_per_pixel(graph, task, stage),
            **SUITS[precision],
        )
        return self._changed(
            task,
            replace(stage, variants=[*stage.variants, variant]),
            lambda origin: replace(
                origin,
                quantization=quantization or origin.quantization,
                loss=loss or origin.loss,
            ),
            {variant.graph: Content.of(graph)},
        )

    def _changed(
        self,
        task: str,
        stage: Stage,
        change: Callable[[Origin], Origin],
        files: Mapping[str, Content],
    ) -> Assembly:
        """Return the assembly with one stage and its origin replaced, and with files added."""
        return replace(
            self,
            stages=with_stage(self.stages, task, stage),
            provenance=[
                change(origin) if origin.stage == task else origin for origin in self.provenance
            ],
            files={**self.files, **files},
        )

    @cached_property
    def draft(self) -> Bundle:
        """The bundle opened from memory, to be run in this process.

        It is without the profile: the profile's threads and memory limit are for the device, while
        this process holds the converters too.
        """
        manifest = replace(self, profile=None)._manifest(self.files)
        contents = {name: content.data for name, content in self.files.items()}
        contents[MANIFEST] = manifest_json.content(manifest)
        return Bundle(Path(self.name), InMemory(contents))

    def complete(self) -> dict[str, bytes]:
        """Return all files with their contents, the manifest and the bill of materials included."""
        bill = Content.of(sbom.build(self._manifest(self.files)))
        manifest = self._manifest({**self.files, sbom.FILE: bill})
        return {
            MANIFEST: manifest_json.content(manifest),
            **{name: content.data for name, content in self.files.items()},
            sbom.FILE: bill.data,
        }

    def _manifest(self, files: Mapping[str, Content]) -> Manifest:
        is_new = any(stage.variants for stage in self.stages.present.values()) or any(
            origin.loss is not None or origin.weights is not None for origin in self.provenance
        )
        stages = self.stages.present.values()
        schema = max([3 if is_new else 2, *(stage.schema for stage in stages)])
        return Manifest(
            schema=schema,
            requires=REQUIRES[schema],
            name=self.name,
            description=self.description,
            stages=self.stages,
            files={name: content.file for name, content in files.items()},
            made_by={"edgeocr": __version__, "onnx": version("onnx")},
            provenance=list(self.provenance),
            profile=profiles.settings(self.profile) if self.profile else None,
            accuracy=self.accuracy,
            variant_accuracy=dict(self.variant_accuracy),
        )


def _bytes_per_pixel(graph: bytes, task: str, stage: Stage) -> int:
    """Return the memory that a run of a stage's graph needs, in bytes per pixel of its input."""
    return bytes_per_pixel(
        graph,
        task,
        height=getattr(stage, "height", None),
        width=getattr(stage, "width", None),
    )


def _reduced_bytes_per_pixel(graph: bytes, task: str, stage: Stage) -> int:
    """Return the same for a graph of a lower precision than the stage's own.

    It is at least the number of the stage's own graph, since a CPU that can't compute in float16
    converts all values to float32. In int8 a run needs more where values are kept in both types.
    """
    return max(stage.activation_bytes, _bytes_per_pixel(graph, task, stage))


def licence(name: str, spdx: str) -> bytes:
    """Return the text of a model's licence.

    Args:
        name: The model's name, for the error.
        spdx: The licence's SPDX identifier.

    Raises:
        ConverterError: The repository has no text of this licence.
    """
    if spdx not in LICENCES:
        raise ConverterError(
            f"{name}: the text of its licence {spdx} is missing, and the bundle has to contain it; "
            "add it to LICENCES in converters/bundle/assembly.py"
        )
    # Read as text: a checkout on Windows has other line ends, which must not reach the bundle.
    return LICENCES[spdx].read_text("utf-8").encode()


def _origin(part: Part) -> Origin:
    conversion = part.conversion
    return Origin(
        stage=part.task,
        model=part.name,
        title=part.title,
        authors=part.authors,
        licence=part.licence or UNSTATED,
        format=conversion.model.format,
        files=part.files,
        translator=conversion.translation.translator,
        parity=conversion.checks,
        repairs=[change.name for change in conversion.translation.changes],
        rewrites=[rewrite.name for rewrite in conversion.rewrites],
    )
