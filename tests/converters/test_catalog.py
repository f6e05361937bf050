"""models.toml is complete, and a wrong one is refused by the field's name."""

from pathlib import Path

import pytest

from converters import catalog
from converters.errors import CatalogError
from edgeocr import manifest, typed

STAGES = {
    "detection": manifest.Detection,
    "recognition": manifest.Recognition,
    "orientation": manifest.Orientation,
}
ENTRIES = catalog.load()


@pytest.mark.parametrize("name", ENTRIES.models)
def test_entries_are_complete(name):
    entry = ENTRIES.models[name]
    assert entry.title and entry.licence == "Apache-2.0" and entry.authors
    stage = {"algorithm": entry.algorithm, "graph": "g", "model": name, **entry.stage}
    if entry.charset is not None:
        stage["charset"] = {"file": "c", **entry.stage["charset"]}
    typed.parse(STAGES[entry.task], stage)
    names = [file.name for file in entry.files]
    assert len(set(names)) == len(names)
    if entry.charset is not None:
        assert entry.charset.file in names
    for file in entry.files:
        assert len(file.sha256) == 64 and int(file.sha256, 16)
        assert file.source.startswith("https://")
        assert file.mirrors
        for mirror in file.mirrors:
            assert mirror.startswith("https://") or ("==" in mirror and "!" in mirror)


def test_the_bundles_are_there():
    assert list(ENTRIES.bundles) == ["tiny", "mobile", "small"]
    assert ENTRIES.model(ENTRIES.bundle("mobile").detection).format == "paddle-legacy"
    assert ENTRIES.model(ENTRIES.bundle("tiny").detection).format == "onnx"
    assert all(bundle.orientation for bundle in ENTRIES.bundles.values())


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(CatalogError, match=r"no model 'PP-OCRv9'.*PP-OCRv4_mobile_det"):
        ENTRIES.model("PP-OCRv9")
    with pytest.raises(CatalogError, match="no bundle 'huge'; it has tiny, mobile, small"):
        ENTRIES.bundle("huge")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('task = "detection"', 'task = "detektion"', r"PP-OCRv4_mobile_det\.task must be one of"),
        ('licence = "Apache-2.0"\n', "", r"field .*\.licence is missing"),
        ("[models", "[models\n", "models.toml:"),
        ('detection = "PP-OCRv6_tiny_det"', 'detection = "PP-OCRv6_tiny_rec"', "is none"),
        ('format = "onnx"', 'format = "onnx"\nspeed = 3', "unknown field"),
    ],
)
def test_a_wrong_catalogue_is_refused(tmp_path: Path, old, new, message):
    text = catalog.CATALOG.read_text(encoding="utf-8")
    assert old in text
    wrong = tmp_path / "models.toml"
    wrong.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogError, match=message):
        catalog.load(wrong)
