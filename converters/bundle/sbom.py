"""The bill of materials of a bundle: CycloneDX 1.6, as JSON.

It tells other people's tools what the manifest tells ours: which models the bundle contains, under
which licences, from which published files they were made, by which tools, and what was done to
them. The specification is ECMA-424; its schema is
https://cyclonedx.org/schema/bom-1.6.schema.json.

The same bundle gives the same bytes: the bill contains no time, and its serial number is computed
from its content.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from edgeocr.bundle.manifest import Manifest, Stages
from edgeocr.bundle.provenance import Origin, SourceFile

from ..model.stages import Stage
from .parts import UNSTATED
from .stages import charset_of

FILE = "sbom.cdx.json"
VERSION = "1.6"

Json: TypeAlias = dict[str, Any]


def build(manifest: Manifest) -> bytes:
    """Return the bill of a bundle, the content of its file `FILE`.

    Args:
        manifest: The bundle's manifest; its `files` are without the bill.
    """
    stages, provenance = manifest.stages, manifest.provenance
    digests = {path: file.sha256 for path, file in manifest.files.items()}
    models = [_model(_stage(stages, origin), origin, digests) for origin in provenance]
    graphs = {_stage(stages, origin).graph for origin in provenance}
    others = [
        _file(path, digests[path], stages, provenance) for path in sorted(digests.keys() - graphs)
    ]
    contents = [*models, *others]
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": VERSION,
        "version": 1,
        "metadata": {
            "tools": {"components": _tools(provenance, manifest.made_by)},
            "component": {
                "type": "machine-learning-model",
                "bom-ref": "bundle",
                "name": manifest.name,
                "description": manifest.description,
            },
        },
        "components": contents,
        "dependencies": _dependencies(contents, stages, provenance),
    }
    bill["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, _text(bill))}"
    return (_text(bill) + "\n").encode()


def _stage(stages: Stages, origin: Origin) -> Stage:
    """Return the stage that an origin describes."""
    stage: Stage = getattr(stages, origin.stage)
    return stage


def _text(bill: Json) -> str:
    return json.dumps(bill, indent=1, sort_keys=True, ensure_ascii=False)


def _model(stage: Stage, origin: Origin, digests: Mapping[str, str]) -> Json:
    """Describe a stage: its graph in the bundle, and as its pedigree the published weights."""
    about = {
        "type": "machine-learning-model",
        "name": origin.model,
        "description": origin.title,
        "licenses": _licences(origin),
        **_authors(origin),
    }
    links = [link for file in origin.files for link in _links(file)]
    return about | {
        "bom-ref": f"stage:{origin.stage}",
        "hashes": _hashes(digests[stage.graph]),
        "evidence": {"occurrences": [{"location": stage.graph}]},
        "modelCard": {
            "modelParameters": {
                "task": f"text {origin.stage}",
                "modelArchitecture": stage.algorithm,
            }
        },
        **({"externalReferences": links} if links else {}),
        "pedigree": {
            "ancestors": [
                about
                | {
                    "bom-ref": f"published:{origin.stage}",
                    "components": [_published(file) for file in origin.files],
                    "properties": _properties({"format": origin.format}),
                }
            ],
            "notes": _notes(stage, origin),
        },
        "properties": _properties(
            {
                "stage": origin.stage,
                "algorithm": stage.algorithm,
                "precision": stage.precision,
                "translator": origin.translator,
                "repair": origin.repairs,
                "rewrite": origin.rewrites,
            }
        ),
    }


def _authors(origin: Origin) -> Json:
    return {} if origin.authors == UNSTATED else {"authors": [{"name": origin.authors}]}


def _licences(origin: Origin) -> list[Json]:
    """Name the licence by its SPDX identifier, or say in words that nobody has stated one."""
    key = "name" if origin.licence == UNSTATED else "id"
    return [{"license": {key: origin.licence}}]


def _published(file: SourceFile) -> Json:
    return {
        "type": "file",
        "name": file.name,
        "hashes": _hashes(file.sha256),
        **({"externalReferences": links} if (links := _links(file)) else {}),
    }


def _links(file: SourceFile) -> list[Json]:
    """Return the address of a published file; an empty list for a local file."""
    if "://" not in file.source:
        return []
    return [
        {
            "type": "distribution",
            "url": file.source,
            "hashes": _hashes(file.sha256),
            "comment": f"{file.name}, of which the stage was made",
        }
    ]


def _notes(stage: Stage, origin: Origin) -> str:
    """Say in sentences what was done to a stage's network."""
    said = [f"Translated by {origin.translator}."]
    if origin.translator.startswith("none"):
        said = ["Published as ONNX, not translated."]
    if origin.repairs:
        said.append(f"Changed in the translation: {', '.join(origin.repairs)}.")
    if origin.rewrites:
        said.append(f"Rewritten without changing what it computes: {', '.join(origin.rewrites)}.")
    if stage.precision == "fp16":
        said.append("Computes in float16.")
    if others := [variant.precision for variant in stage.variants]:
        said.append(f"Also as graphs in {' and '.join(others)}.")
    if (made := origin.quantization) is not None:
        said.append(
            f"Quantized to int8: {made.nodes} nodes, calibrated on {made.pictures} pictures "
            f"(sha256 {made.images}), {len(made.left_out)} nodes left in float32."
        )
    if origin.weights is not None:
        said.append(f"Weights are stored in {origin.weights}; it computes with them in float32.")
    if origin.full_classes is not None and (charset := charset_of(stage)) is not None:
        said.append(f"Charset pruned from {origin.full_classes} to {charset.classes} classes.")
    return " ".join(said)


def _file(path: str, digest: str, stages: Stages, provenance: Sequence[Origin]) -> Json:
    """Describe a charset or a variant, which are under their model's licence, or a licence."""
    component: Json = {
        "type": "file",
        "bom-ref": f"file:{path}",
        "name": path,
        "hashes": _hashes(digest),
        "evidence": {"occurrences": [{"location": path}]},
    }
    for origin in provenance:
        stage = _stage(stages, origin)
        for variant in stage.variants:
            if variant.graph == path:
                return component | {
                    "type": "machine-learning-model",
                    "description": f"the network of {origin.model} in {variant.precision}",
                    "licenses": _licences(origin),
                }
        charset = charset_of(stage)
        if charset is not None and charset.file == path:
            return component | {
                "type": "data",
                "description": f"the characters of {origin.model}, in the order of its classes",
                "licenses": _licences(origin),
            }
    return component


def _dependencies(
    contents: Sequence[Json], stages: Stages, provenance: Sequence[Origin]
) -> list[Json]:
    """Return the dependencies: the bundle's on all its contents, a stage's on its other files."""
    needs = {item["bom-ref"]: list[str]() for item in contents}
    for origin in provenance:
        stage, own = _stage(stages, origin), needs[f"stage:{origin.stage}"]
        if (charset := charset_of(stage)) is not None:
            own.append(f"file:{charset.file}")
        own += [f"file:{variant.graph}" for variant in stage.variants]
    every: dict[str, list[str]] = {"bundle": list(needs), **needs}
    return [{"ref": ref, "dependsOn": sorted(every[ref])} for ref in sorted(every)]


def _tools(provenance: Sequence[Origin], made_by: Mapping[str, str]) -> list[Json]:
    """Name the tools that made the bundle: those of `made_by`, and each stage's translator."""
    tools = {(name, version) for name, version in made_by.items()}
    for origin in provenance:
        if found := re.match(r"(\S+) (\d[\w.]*)", origin.translator):
            tools.add((found[1], found[2]))
    return [
        {"type": "application", "name": name, "version": version} for name, version in sorted(tools)
    ]


def _hashes(sha256: str) -> list[Json]:
    return [{"alg": "SHA-256", "content": sha256}]


def _properties(values: Mapping[str, str | list[str]]) -> list[Json]:
    """Return properties named `edgeocr:NAME`, one for each item of a list."""
    return [
        {"name": f"edgeocr:{name}", "value": item}
        for name, value in sorted(values.items())
        for item in ([value] if isinstance(value, str) else value)
    ]
