"""The variants of a stage in the manifest, in descriptions, comparisons and the probe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeocr import Bundle, BundleError, GraphError
from edgeocr.bundle import description, difference
from edgeocr.probe import child
from tests.support.packing import STUB, Files, packed, with_manifest
from tests.support.variants import INT8, NEEDED, fleet, variant


@pytest.fixture
def fleet_files(files: Files) -> Files:
    """The embedded bundle with stubs for graphs, one of them in int8."""
    return fleet(files, STUB)


def opened(files: Files, folder: Path, name: str = "fleet") -> Bundle:
    return Bundle.open(packed(files, folder / f"{name}.edgeocr"))


def changed(files: Files, **fields: Any) -> Files:
    """Return the files with other fields of the variant in the manifest."""

    def change(manifest: dict[str, Any]) -> None:
        manifest["stages"]["recognition"]["variants"][0] |= fields

    return with_manifest(files, change)


def test_a_stage_has_its_own_graph_and_its_variants(fleet_files: Files, tmp_path: Path) -> None:
    bundle = opened(fleet_files, tmp_path)
    stage = bundle.manifest.stages.recognition
    assert stage is not None
    assert stage.graphs == {"fp32": stage.graph, "int8": INT8["graph"]}
    assert stage.variants[0].cpu_features == list(NEEDED)
    assert bundle.files() == fleet_files


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"precision": "fp32"}, "two graphs of the stage have the same precision"),
        ({"precision": "int4"}, "precision must be one of 'fp32', 'fp16', 'int8'"),
        ({"graph": "graphs/none.onnx"}, "graph is 'graphs/none.onnx', which is not among"),
        ({"providers": ["toaster"]}, "providers has 'toaster', which is none of"),
        ({"cpu_features": "asimddp"}, "cpu_features must be a list"),
        ({"speed": 9}, "unknown field"),
    ],
)
def test_a_variant_that_is_not_valid_is_refused(
    fleet_files: Files, tmp_path: Path, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(BundleError, match=rf"stages\.recognition\.variants.*{message}|{message}.*"):
        opened(changed(fleet_files, **fields), tmp_path)


def test_every_graph_is_checked(files: Files, tmp_path: Path) -> None:
    path = packed(fleet(files, b"not a graph"), tmp_path / "a.edgeocr")
    with pytest.raises(BundleError, match=INT8["graph"]):
        Bundle.open(path)
    later = Bundle.open(path, all_graphs=False)
    with pytest.raises(BundleError, match=rf"a\.edgeocr: {INT8['graph']}: "):
        later.read(INT8["graph"])
    with pytest.raises(BundleError, match=r"no file 'graphs/none\.onnx' in the bundle"):
        later.read("graphs/none.onnx")


def test_graphs_that_are_read_later_are_the_same(fleet_files: Files, tmp_path: Path) -> None:
    path = packed(fleet_files, tmp_path / "a.edgeocr")
    assert Bundle.open(path, all_graphs=False).files() == Bundle.open(path).files()


def test_the_description_lists_graphs_with_their_sizes_and_needs(
    fleet_files: Files, tmp_path: Path
) -> None:
    text = description.describe(opened(fleet_files, tmp_path))
    size = description.size(len(STUB))
    row = f"  or graph    int8, {size}, graphs/recognition.int8.onnx; for cpu; for a CPU with"
    assert row in text
    assert "schema 3" in text and "edgeocr 0.3.0 or newer" in text
    text = description.describe(opened(changed(fleet_files, activation_bytes=175), tmp_path))
    assert "recognition.int8.onnx; a run needs 175 bytes for each pixel of its" in text


def test_a_difference_names_variants_by_their_precision(
    files: Files, fleet_files: Files, tmp_path: Path
) -> None:
    fp16 = variant("recognition", "fp16", providers=["cuda"])
    one = opened(fleet_files, tmp_path, "one")
    two = opened(fleet(files, STUB, [fp16, {**INT8, "cpu_features": []}]), tmp_path, "two")
    paths = {change.path for change in difference.compare(one, two).manifest}
    assert paths == {
        "stages.recognition.variants.fp16",
        "stages.recognition.variants.int8.cpu_features",
    }


def test_the_probe_runs_every_graph(
    monkeypatch: pytest.MonkeyPatch, fleet_files: Files, files: Files, tmp_path: Path
) -> None:
    ran: list[str | None] = []
    monkeypatch.setattr(child, "run_variant", lambda bundle, variant: ran.append(variant))
    child.run(opened(fleet_files, tmp_path))
    assert ran == ["fp32", "int8"]
    child.run(opened(files, tmp_path, "plain"))
    assert ran == ["fp32", "int8", None]


@pytest.mark.slow
def test_the_probe_finds_a_variant_that_does_not_run(embedded_files: Files, tmp_path: Path) -> None:
    bundle = opened(fleet(embedded_files, STUB), tmp_path)
    child.run_variant(bundle, "fp32")
    with pytest.raises(GraphError):
        child.run(bundle)
