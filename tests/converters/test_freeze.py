"""The way from published models to a bundle that reads."""

import dataclasses
import errno
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters import freeze
from converters.__main__ import main
from converters.catalog import entries as catalog
from converters.catalog.entries import BundleEntry, Entry, SourceFile
from converters.errors import ConverterError, FetchError, ModelFormatError
from converters.parity import paddle_reference
from converters.parity.paddle_reference import PaddleMissingError
from edgeocr import OCR, Bundle
from edgeocr.accuracy import label_file
from edgeocr.accuracy.score import normalized
from edgeocr.version import __version__
from tests.support.paths import IMAGES
from tests.zoo.converted import converted
from tests.zoo.names import EXPORTS

SAMPLE = IMAGES / "sample.jpg"


@pytest.fixture(scope="module")
def mobile(v4, tmp_path_factory) -> Path:
    v4("PP-OCRv4_mobile_det")  # skips where it can't be translated
    path = tmp_path_factory.mktemp("frozen") / "mobile.edgeocr"
    assert main(["freeze", "mobile", "-o", str(path)]) == 0
    return path


@pytest.mark.slow
def test_frozen_paddle_models_read_the_sample(mobile):
    lines = {normalized(line.text) for line in OCR(mobile, provider="cpu").read(SAMPLE).lines}
    labelled = label_file.labels_of(SAMPLE.parent / "Label.txt")[SAMPLE]
    labels = {normalized(label.text) for label in labelled}
    assert lines == labels


@pytest.mark.slow
def test_freezing_twice_gives_the_same_bytes(mobile, tmp_path):
    assert main(["freeze", "mobile", "-o", str(tmp_path / "again.edgeocr")]) == 0
    assert (tmp_path / "again.edgeocr").read_bytes() == mobile.read_bytes()


@pytest.mark.stress
@pytest.mark.slow
def test_folder_holds_the_same_bundle_as_the_file(mobile, tmp_path):
    assert main(["freeze", "mobile", "-o", str(tmp_path / "mobile")]) == 0
    assert Bundle.open(tmp_path / "mobile").digest == Bundle.open(mobile).digest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mobile"]


@pytest.mark.slow
def test_manifest_records_where_everything_came_from(mobile):
    bundle = Bundle.open(mobile)
    provenance = {origin.stage: origin for origin in bundle.manifest.provenance}
    assert set(provenance) == {"detection", "orientation", "recognition"}
    entries = catalog.load()
    for origin in provenance.values():
        entry = entries.model(origin.model)
        assert origin.licence == "Apache-2.0"
        assert origin.translator == f"edgeocr {__version__}"
        assert {file.sha256 for file in origin.files} == {f.sha256 for f in entry.files}
        assert origin.parity["edge_graph"].status == "passed"
        assert origin.parity["paddle"].status in ("passed", "not run")
    assert "Apache License" in bundle.read("licences/Apache-2.0.txt").decode()


def test_folder_that_is_not_empty_is_left_alone(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"precious")
    with pytest.raises(ConverterError, match="not empty"):
        freeze.freeze(catalog.load().bundle("mobile"), catalog.load(), tmp_path)
    assert (tmp_path / "photo.jpg").read_bytes() == b"precious"


def test_failed_freeze_leaves_nothing_behind(tmp_path, monkeypatch):
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
        freeze.freeze(entries.bundle("mobile"), dataclasses.replace(entries, models=broken), target)
    assert not target.parent.exists()


def test_licence_without_text_is_refused(tmp_path):
    entries = catalog.load()
    models = {n: dataclasses.replace(e, licence="GPL-3.0") for n, e in entries.models.items()}
    with pytest.raises(ConverterError, match=r"the text of its licence GPL-3\.0 is missing"):
        freeze.freeze(
            entries.bundle("mobile"),
            dataclasses.replace(entries, models=models),
            tmp_path / "mobile.edgeocr",
        )
    assert list(tmp_path.iterdir()) == []


def test_bundle_that_does_not_open_is_not_written(tmp_path):
    files = {"manifest.json": json.dumps({"schema": 1}).encode(), "x": b""}
    with pytest.raises(Exception, match="is missing"):
        freeze.write(files, tmp_path / "wrong.edgeocr")
    assert list(tmp_path.iterdir()) == []


def test_disk_that_is_full_is_named(tmp_path, monkeypatch):
    def full(*_, **_named):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(freeze, "store", full)
    target = tmp_path / "own.edgeocr"
    with pytest.raises(ConverterError, match=f"^{target}: can't be written: No space left on"):
        freeze.write({}, target)


def exported(name: str, network: str, dictionary: Path | None = None) -> Entry:
    """The entry of that name with an export of the zoo as its published files."""
    paths = [*sorted((EXPORTS / network / "legacy").iterdir()), *filter(None, [dictionary])]
    files = [
        SourceFile(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), path.as_uri())
        for path in paths
    ]
    entry = catalog.load().model(name)
    return dataclasses.replace(entry, files=files, contents="inference", format="paddle-legacy")


@pytest.fixture
def star_net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[BundleEntry, dict]:
    """A bundle with a recognizer of one input width, and its entries; made without Paddle."""
    converted("rec_r34_vd_tps_bilstm_ctc")  # skips where it can't be translated

    def missing(*_: Any) -> Any:
        raise PaddleMissingError("paddlepaddle is not installed")

    monkeypatch.setattr(paddle_reference, "run", missing)
    monkeypatch.setenv("EDGEOCR_CACHE", str(tmp_path / "cache"))
    dictionary = tmp_path / "ic15_dict.txt"
    dictionary.write_text("\n".join("0123456789abcdefghijklmnopqrstuvwxyz") + "\n")
    reader = exported("rec_r34_vd_tps_bilstm_ctc_v2.0", "rec_r34_vd_tps_bilstm_ctc", dictionary)
    detector = exported("PP-OCRv6_tiny_det", "PP-OCRv6_tiny_det")
    bundle = BundleEntry("star", "STAR-Net", detection=detector.name, recognition=reader.name)
    return bundle, {entry.name: entry for entry in (detector, reader)}


@pytest.mark.slow
def test_recognizer_with_one_width_keeps_it(star_net, tmp_path):
    bundle, entries = star_net
    made = freeze.freeze(bundle, catalog.Catalog(entries, {}), tmp_path / "star.edgeocr")
    stage = made.manifest.stages.recognition
    assert stage is not None
    assert (stage.height, stage.width, stage.charset.classes) == (32, 100, 37)
    assert json.loads(made.manifest_text)["stages"]["recognition"]["width"] == 100
    assert made.characters[1:] == list("0123456789abcdefghijklmnopqrstuvwxyz")
    assert made.manifest.stages.orientation is None
    ocr = OCR(made, provider="cpu")
    readings = ocr.recognize([np.full((20, wide, 3), 200, np.uint8) for wide in (10, 60, 400)])
    assert len(readings) == 3 and all(0 <= reading.score <= 1 for reading in readings)


@pytest.mark.slow
def test_manifest_records_that_paddle_was_not_run(star_net, tmp_path):
    bundle, entries = star_net
    made = freeze.freeze(bundle, catalog.Catalog(entries, {}), tmp_path / "star.edgeocr")
    for origin in made.manifest.provenance:
        assert origin.parity["edge_graph"].status == "passed"
        assert origin.parity["paddle"].status == "not run"
        assert origin.parity["paddle"].reason == "paddlepaddle is not installed"


@pytest.mark.slow
def test_wrong_number_of_characters_is_refused(star_net, tmp_path):
    bundle, entries = star_net
    (reader,) = (entry for entry in entries.values() if entry.task == "recognition")
    stage = {**reader.stage, "charset": {"classes": 38, "blank": 0, "end": 37}}
    wrong = {**entries, reader.name: dataclasses.replace(reader, stage=stage)}
    with pytest.raises(ModelFormatError, match="says 38 classes, but the network has 37"):
        freeze.freeze(bundle, catalog.Catalog(wrong, {}), tmp_path / "star.edgeocr")
    assert not (tmp_path / "star.edgeocr").exists()


@pytest.mark.registry
@pytest.mark.parametrize("name", ["tiny", "small"])
def test_official_exports_freeze_and_read(name, tmp_path):
    path = tmp_path / f"{name}.edgeocr"
    assert main(["freeze", name, "-o", str(path)]) == 0
    assert "欢迎光临" in OCR(path, provider="cpu").read(SAMPLE).text


@pytest.mark.paddle
@pytest.mark.registry
def test_command_makes_the_embedded_bundle(tmp_path):
    """All bytes are the same, because the extra `parity` pins the onnx that the manifest names."""
    path = tmp_path / "tiny.edgeocr"
    assert main(["freeze", "tiny", "-o", str(path)]) == 0
    made, embedded = Bundle.open(path), Bundle.default()
    assert json.loads(made.manifest_text) == json.loads(embedded.manifest_text)
    assert made.digest == embedded.digest
    assert path.read_bytes() == embedded.path.read_bytes()
    orientation = made.manifest.provenance[1]
    assert orientation.parity["paddle"].reference == "Paddle Inference 2.6.2"
