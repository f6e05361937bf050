"""Test how a model's own inference.yml completes its entry of models.toml."""

import dataclasses
from pathlib import Path

import pytest

from converters import freeze
from converters.catalog import entries as catalog
from converters.catalog.entries import BundleEntry
from converters.catalog.fetch import model_folder
from converters.errors import ModelFormatError
from converters.model import settings

ENTRIES = catalog.load()
YML = """\
Global:
  model_name: th_PP-OCRv5_mobile_rec
PreProcess:
  transform_ops:
  - DecodeImage: {channel_first: false, img_mode: BGR}
  - RecResizeImg:
      image_shape: [3, 48, 320]
PostProcess:
  name: CTCLabelDecode
  character_dict: [ก, ข]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inference.yml").write_text(YML, encoding="utf-8")
    return tmp_path


def test_complete_entry_is_unchanged(tmp_path):
    entry = ENTRIES.model("PP-OCRv6_tiny_det")
    assert settings.resolve(entry, tmp_path) is entry


def test_missing_settings_come_from_inference_yml(folder):
    entry = ENTRIES.model("th_PP-OCRv5_mobile_rec")
    resolved = settings.resolve(entry, folder)
    assert resolved.is_complete and not entry.is_complete
    assert resolved.normalize is not None and resolved.charset is not None
    assert resolved.normalize.mean == [0.5, 0.5, 0.5]
    assert resolved.charset.file == "inference.yml"
    assert resolved.stage["charset"] == {"classes": 4, "blank": 0}
    assert settings.resolve(resolved, folder) is resolved


def test_settings_of_models_toml_take_precedence(folder):
    entry = dataclasses.replace(
        ENTRIES.model("th_PP-OCRv5_mobile_rec"), stage={"margin": 16, "charset": {"classes": 4}}
    )
    stage = settings.resolve(entry, folder).stage
    assert (stage["margin"], stage["min_width"]) == (16, 320)
    assert stage["charset"] == {"classes": 4, "blank": 0}


def test_wrong_number_of_characters_is_refused(folder):
    entry = ENTRIES.model("PP-OCRv6_tiny_rec")  # complete: 6906 classes, and inference.yml
    with pytest.raises(ModelFormatError, match=r"make 4 classes, but the network of .* has 6906"):
        settings.resolve(entry, folder)


def test_contradictions_and_missing_settings_are_errors(folder, tmp_path):
    with pytest.raises(ModelFormatError, match=r"is for CTC, but PP-OCRv5_mobile_det is DB"):
        settings.resolve(ENTRIES.model("PP-OCRv5_mobile_det"), folder)
    with pytest.raises(ModelFormatError, match=r"inference\.yml is missing"):
        settings.resolve(ENTRIES.model("PP-OCRv5_mobile_det"), tmp_path / "nothing")
    (folder / "inference.yml").write_text(YML[: YML.index("  character_dict")], encoding="utf-8")
    with pytest.raises(ModelFormatError, match=r"PostProcess\.character_dict is missing"):
        settings.resolve(ENTRIES.model("th_PP-OCRv5_mobile_rec"), folder)


def test_checkpoint_is_refused_and_its_export_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEOCR_CACHE", str(tmp_path))
    entry = ENTRIES.model("det_r50_vd_east")
    with pytest.raises(ModelFormatError, match=r"export_model\.py .*--as det_r50_vd_east"):
        settings.require_inference(entry)
    assert settings.resolve(entry, tmp_path / "exported") is entry
    folder = model_folder(entry)
    folder.mkdir(parents=True)
    for name in ("inference.pdmodel", "inference.pdiparams"):
        (folder / name).write_bytes(b"")
    settings.require_inference(entry)
    settings.require_inference(ENTRIES.model("ch_det_mv3_db"))


def test_bundle_of_a_checkpoint_is_refused_before_anything_is_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEOCR_CACHE", str(tmp_path / "cache"))
    bundle = BundleEntry("b", "B", detection="det_r50_vd_db", recognition="PP-OCRv6_tiny_rec")
    with pytest.raises(ModelFormatError, match="training checkpoint"):
        freeze.freeze(bundle, ENTRIES, tmp_path / "b.edgeocr")
    assert list(tmp_path.iterdir()) == []
