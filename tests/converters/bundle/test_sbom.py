"""Test the bill of materials of a bundle against CycloneDX's own schema."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from converters.bundle import sbom
from converters.catalog import entries as catalog
from edgeocr import Bundle
from edgeocr.bundle.manifest import File, Manifest, Stages
from edgeocr.bundle.provenance import Origin, Quantization, SourceFile
from tests.converters.bundle.test_shapes import LINES
from tests.support.frozen import frozen
from tests.support.paths import TRAINED_EXPORTS, ZOO_EXPORTS

# Networks are converted or frozen for these tests.
pytestmark = pytest.mark.slow

TRAINED = TRAINED_EXPORTS
EXPORTS = ZOO_EXPORTS
MADE_BY = {"edgeocr": "9.8.7", "onnx": "6.5.4"}
DIGEST = "0123456789abcdef" * 4
VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)


def require_valid(bill: bytes) -> dict[str, Any]:
    """The decoded bill, once the schema and the library's own model have taken it."""
    text = bill.decode("utf-8")
    assert VALIDATOR.validate_str(text) is None
    decoded: dict[str, Any] = json.loads(text)
    assert len(Bom.from_json(json.loads(text)).components) == len(decoded["components"])  # type: ignore[attr-defined]
    return decoded


def by_ref(bill: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["bom-ref"]: item for item in bill["components"]}


def values(component: dict[str, Any], name: str) -> list[str]:
    return [item["value"] for item in component["properties"] if item["name"] == f"edgeocr:{name}"]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Freeze DB from a folder, a classifier with a published name, and a trained STAR-Net."""
    classifier = EXPORTS / "ch_ppocr_mobile_v2.0_cls" / "legacy"
    return frozen(
        tmp_path_factory.mktemp("sbom") / "own.edgeocr",
        detection=str(TRAINED / "db"),
        orientation=f"ch_ppocr_mobile_v2.0_cls={classifier}",
        recognition=str(TRAINED / "star_net"),
    )


@pytest.fixture(scope="module")
def bill(own: Bundle) -> dict[str, Any]:
    return require_valid(own.read(sbom.FILE))


def test_bill_lists_every_file_with_its_hash(own, bill):
    found = {
        item["evidence"]["occurrences"][0]["location"]: item["hashes"]
        for item in bill["components"]
    }
    assert found == {
        name: [{"alg": "SHA-256", "content": hashlib.sha256(own.read(name)).hexdigest()}]
        for name in own.manifest.files.keys() - {sbom.FILE}
    }
    about = bill["metadata"]["component"]
    assert (about["name"], about["description"]) == (own.manifest.name, own.manifest.description)


def test_bill_names_the_tools_that_made_the_bundle(own, bill):
    tools = {tool["name"]: tool["version"] for tool in bill["metadata"]["tools"]["components"]}
    assert tools == own.manifest.made_by  # edgeocr is the translator too


def test_licences_are_named_or_stated_as_unknown(bill):
    licences = {ref: item.get("licenses") for ref, item in by_ref(bill).items()}
    unknown, apache = [{"license": {"name": "not stated"}}], [{"license": {"id": "Apache-2.0"}}]
    assert licences == {
        "stage:detection": unknown,
        "stage:orientation": apache,
        "stage:recognition": unknown,
        "file:charsets/trained_star_net.txt": unknown,
        "file:licences/Apache-2.0.txt": None,
    }
    models = by_ref(bill)
    assert models["stage:orientation"]["authors"] == [{"name": "PaddlePaddle authors"}]
    assert "authors" not in models["stage:detection"]


def test_bill_names_rewrites(own, bill):
    origins = {origin.stage: origin for origin in own.manifest.provenance}
    assert "affine_after_convolution" in origins["detection"].rewrites
    for stage, origin in origins.items():
        model = by_ref(bill)[f"stage:{stage}"]
        assert values(model, "repair") == origin.repairs == []
        assert values(model, "rewrite") == origin.rewrites
        notes = model["pedigree"]["notes"]
        assert all(name in notes for name in origin.rewrites)
        assert "Changed in the translation" not in notes


def test_local_files_are_the_pedigree_without_an_address(own, bill):
    for origin in own.manifest.provenance:
        model = by_ref(bill)[f"stage:{origin.stage}"]
        (ancestor,) = model["pedigree"]["ancestors"]
        assert [
            (file["name"], file["hashes"][0]["content"]) for file in ancestor["components"]
        ] == [(file.name, file.sha256) for file in origin.files]
        assert "distribution" not in json.dumps(model)


def test_every_reference_has_a_target(bill):
    needs = {item["ref"]: item["dependsOn"] for item in bill["dependencies"]}
    refs = set(by_ref(bill))
    assert set(needs) == refs | {"bundle"} and set(needs["bundle"]) == refs
    assert needs["stage:recognition"] == ["file:charsets/trained_star_net.txt"]


def test_bill_of_the_embedded_bundle_links_the_published_files(bundle):
    """The bill is made from the manifest, whether or not the bundle was frozen with a bill."""
    manifest = bundle.manifest
    files = {name: file for name, file in manifest.files.items() if name != sbom.FILE}
    origins = manifest.provenance
    content = sbom.build(dataclasses.replace(manifest, files=files))
    models = by_ref(require_valid(content))
    for origin in origins:
        model = models[f"stage:{origin.stage}"]
        published = {file.source: file.sha256 for file in origin.files}
        links = model["externalReferences"]
        assert {link["url"]: link["hashes"][0]["content"] for link in links} == published
        assert {link["type"] for link in links} == {"distribution"}
    assert "not translated" in models["stage:detection"]["pedigree"]["notes"]


def origin(translator: str = "none: published as ONNX", **more: Any) -> Origin:
    return Origin(
        "recognition", "m", "M", "A. N. Other", "Apache-2.0", "onnx",
        [SourceFile("m.onnx", "https://example.org/m.onnx", DIGEST)],
        translator, {}, **more,
    )  # fmt: skip


def built(source: Origin, files: Sequence[str] = (), **changed: Any) -> dict[str, Any]:
    """Return the bill of a bundle with one stage, which differs from LINES as said."""
    stage = dataclasses.replace(LINES, **changed)
    names = [stage.graph, stage.charset.file, *files]
    manifest = Manifest(
        2, "b", "", Stages(recognition=stage), dict.fromkeys(names, File(DIGEST, 1)), MADE_BY,
        [source],
    )  # fmt: skip
    return require_valid(sbom.build(manifest))


def test_bill_states_quantization_and_pruning():
    quantized = Quantization(DIGEST, 12, 34, ["Conv.1"])
    bill = built(
        origin(quantization=quantized, full_classes=6625),
        precision="int8",
    )
    model = by_ref(bill)["stage:recognition"]
    assert values(model, "precision") == ["int8"]
    notes = model["pedigree"]["notes"]
    assert f"int8: 34 nodes, calibrated on 12 pictures (sha256 {DIGEST}), 1 nodes left" in notes
    assert "from 6625 to 97 classes" in notes
    assert [tool["name"] for tool in bill["metadata"]["tools"]["components"]] == list(MADE_BY)


def test_bill_names_what_the_translation_changed():
    bill = built(origin(translator="edgeocr 1.2.3", repairs=["unrolled_loops"]))
    model = by_ref(bill)["stage:recognition"]
    assert values(model, "repair") == ["unrolled_loops"]
    assert "Changed in the translation: unrolled_loops." in model["pedigree"]["notes"]


def test_bill_states_float16():
    models = by_ref(built(origin(), precision="fp16")), by_ref(built(origin()))
    lower, whole = (each["stage:recognition"] for each in models)
    assert values(lower, "precision") == ["fp16"] and values(whole, "precision") == ["fp32"]
    assert "float16" in lower["pedigree"]["notes"] and "float16" not in whole["pedigree"]["notes"]


def test_serial_number_depends_on_the_content():
    first, same, other = built(origin()), built(origin()), built(origin(repairs=["r"]))
    assert first == same
    assert first["serialNumber"] != other["serialNumber"]


def test_every_licence_and_host_of_models_toml_makes_a_valid_bill():
    entries = catalog.load().models.values()
    files = [file for entry in entries for file in entry.files]
    assert all(re.fullmatch(r"(https?://|pypi:)[\w./%+=!-]+", file.source) for file in files)
    urls = [file for file in files if not file.source.startswith("pypi:")]
    hosts = {urlsplit(file.source).hostname: file for file in urls}
    sources = [SourceFile(f.name, f.source, f.sha256 or DIGEST) for f in hosts.values()]
    for licence in {entry.licence for entry in entries}:
        source = dataclasses.replace(origin(), licence=licence, files=sources)
        model = built(source)["components"][0]
        assert len(model["externalReferences"]) == len(sources) >= 2
