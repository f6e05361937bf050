"""The way from published models to a bundle that reads."""

import dataclasses
import json
from pathlib import Path

import pytest

from benchmarks.labels import read
from benchmarks.score import normalized
from converters import catalog, freeze
from converters.__main__ import main
from converters.errors import ConverterError, FetchError
from edgeocr import OCR, Bundle

SAMPLE = Path(__file__).parent.parent / "images" / "sample.jpg"


@pytest.fixture(scope="module")
def mobile(v4, tmp_path_factory) -> Path:
    v4("PP-OCRv4_mobile_det")  # skips where it can't be translated
    path = tmp_path_factory.mktemp("frozen") / "mobile.edgeocr"
    assert main(["freeze", "mobile", "-o", str(path)]) == 0
    return path


def test_paddle_models_become_text(mobile):
    lines = {normalized(line.text) for line in OCR(mobile, provider="cpu").read(SAMPLE).lines}
    labels = {normalized(label.text) for label in read(SAMPLE.parent)[SAMPLE]}
    assert lines == labels


def test_freezing_twice_gives_the_same_bytes(mobile, tmp_path):
    assert main(["freeze", "mobile", "-o", str(tmp_path / "again.edgeocr")]) == 0
    assert (tmp_path / "again.edgeocr").read_bytes() == mobile.read_bytes()


def test_a_folder_holds_the_same_bundle(mobile, tmp_path):
    assert main(["freeze", "mobile", "-o", str(tmp_path / "mobile")]) == 0
    assert Bundle.open(tmp_path / "mobile").digest == Bundle.open(mobile).digest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mobile"]


def test_the_manifest_says_where_everything_came_from(mobile):
    bundle = Bundle.open(mobile)
    provenance = {origin.stage: origin for origin in bundle.manifest.provenance}
    assert set(provenance) == {"detection", "orientation", "recognition"}
    entries = catalog.load()
    for origin in provenance.values():
        entry = entries.model(origin.model)
        assert origin.licence == "Apache-2.0"
        assert origin.translator == "paddle2onnx 1.3.1"
        assert {file.sha256 for file in origin.files} == {f.sha256 for f in entry.files}
        assert origin.parity["edge_graph"].status == "passed"
        assert origin.parity["paddle"].status in ("passed", "not run")
    assert "Apache License" in bundle.read("licences/Apache-2.0.txt").decode()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"precious")
    with pytest.raises(ConverterError, match="not empty"):
        freeze.freeze(catalog.load().bundle("mobile"), catalog.load(), tmp_path, print)
    assert (tmp_path / "photo.jpg").read_bytes() == b"precious"


def test_what_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEOCR_CACHE", str(tmp_path / "cache"))
    entries = catalog.load()
    broken = {
        name: dataclasses.replace(
            entry,
            files=[dataclasses.replace(f, source="nowhere", mirrors=[]) for f in entry.files],
        )
        for name, entry in entries.models.items()
    }
    target = tmp_path / "out" / "mobile.edgeocr"
    with pytest.raises(FetchError):
        freeze.freeze(
            entries.bundle("mobile"), dataclasses.replace(entries, models=broken), target, print
        )
    assert not target.parent.exists()


def test_a_licence_without_text_is_refused(tmp_path):
    entries = catalog.load()
    models = {n: dataclasses.replace(e, licence="GPL-3.0") for n, e in entries.models.items()}
    with pytest.raises(ConverterError, match=r"no text of its licence GPL-3\.0"):
        freeze.freeze(
            entries.bundle("mobile"),
            dataclasses.replace(entries, models=models),
            tmp_path / "mobile.edgeocr",
            print,
        )
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_that_would_not_open_is_not_written(tmp_path):
    files = {"manifest.json": json.dumps({"schema": 1}).encode(), "x": b""}
    with pytest.raises(Exception, match="is missing"):
        freeze.write(files, tmp_path / "wrong.edgeocr")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.registry
@pytest.mark.parametrize("name", ["tiny", "small"])
def test_the_official_exports_freeze_and_read(name, tmp_path):
    path = tmp_path / f"{name}.edgeocr"
    assert main(["freeze", name, "-o", str(path)]) == 0
    assert "欢迎光临" in OCR(path, provider="cpu").read(SAMPLE).text


@pytest.mark.paddle
@pytest.mark.registry
def test_the_embedded_bundle_is_what_the_command_makes(tmp_path):
    """All but the tools' versions, which may be newer here, and the last digits of parity."""
    path = tmp_path / "tiny.edgeocr"
    assert main(["freeze", "tiny", "-o", str(path)]) == 0
    made, embedded = (json.loads(b.manifest_text) for b in (Bundle.open(path), Bundle.default()))
    for manifest in (made, embedded):
        del manifest["made_by"]
        for origin in manifest["provenance"]:
            origin["parity"] = {name: c["status"] for name, c in origin["parity"].items()}
    assert made == embedded
    assert made["provenance"][1]["parity"] == {"edge_graph": "passed", "paddle": "passed"}
