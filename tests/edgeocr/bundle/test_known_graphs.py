"""The embedded bundle's graphs are known by their digests, and pass the check."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeocr import Bundle, BundleError
from edgeocr.bundle.known_graphs import KNOWN_GRAPHS
from edgeocr.graphs.check import check


def test_the_known_graphs_are_those_of_the_embedded_bundle_and_pass_the_check() -> None:
    bundle = Bundle.default()
    stages = bundle.manifest.stages.present
    digests = {bundle.manifest.files[stage.graph].sha256: name for name, stage in stages.items()}
    assert digests == KNOWN_GRAPHS, f"known_graphs.py must have KNOWN_GRAPHS = {digests}"
    for stage in stages.values():
        check(bundle.read(stage.graph))


def test_a_graph_is_read_again_only_if_it_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "copy.edgeocr"
    path.write_bytes(Bundle.default_path().read_bytes())
    bundle = Bundle.open(path)
    assert bundle.manifest.stages.detection is not None
    name = bundle.manifest.stages.detection.graph
    read = bundle.reader(name)
    graph = bundle.read(name)
    assert read() == graph
    path.write_bytes(path.read_bytes().replace(graph, bytes(len(graph))))
    with pytest.raises(BundleError, match=r"copy\.edgeocr"):
        read()
    path.unlink()
    with pytest.raises(BundleError, match="no such bundle"):
        read()
