"""Test that models.toml is complete, and that errors about a wrong one name the field."""

import dataclasses
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import onnx
import pytest

from converters.catalog import entries as catalog
from converters.catalog.entries import READING, SETTINGS, TASKS
from converters.catalog.fetch import Fetcher
from converters.errors import CatalogError
from converters.model import dictionary as charset
from converters.model import settings
from converters.model.families import FAMILIES
from edgeocr import Bundle
from edgeocr.bundle import fields as typed
from edgeocr.bundle import manifest
from edgeocr.runtime.onnx_runtime import import_onnxruntime

ENTRIES = catalog.load()
SEED = [
    *("det_r50_vd_east", "det_mv3_east", "det_r50_vd_db", "det_mv3_db"),
    *("rec_r34_vd_none_none_ctc", "rec_mv3_none_none_ctc"),
    *("rec_r34_vd_none_bilstm_ctc", "rec_mv3_none_bilstm_ctc"),
    *("rec_r34_vd_tps_bilstm_ctc", "rec_mv3_tps_bilstm_ctc"),
    *("rec_r34_vd_tps_bilstm_attn", "rec_mv3_tps_bilstm_attn"),
    *("ch_det_mv3_db", "ch_rec_mv3_crnn", "ch_det_r50_vd_db", "ch_rec_r34_vd_crnn"),
]


@pytest.mark.parametrize("name", ENTRIES.models)
def test_entries_are_complete(name):
    entry = ENTRIES.models[name]
    assert entry.title and entry.series and entry.licence == "Apache-2.0" and entry.authors
    assert entry.languages and len(set(entry.languages)) == len(entry.languages)
    assert all(language[0].islower() for language in entry.languages)
    assert TASKS[entry.algorithm] == entry.task
    for file in entry.files:
        packaged = file.source.startswith("pypi:") and "==" in file.source and "!" in file.source
        assert file.source.startswith("https://") or packaged
        assert unquote(file.source).endswith(f"/{file.name}")
        for mirror in file.mirrors:
            assert mirror.startswith("https://") or ("==" in mirror and "!" in mirror)
    if entry.is_complete:
        check_stage(entry)
    else:
        assert SETTINGS in {file.name for file in entry.files}
        assert entry.normalize is None and entry.charset is None and entry.stage == {}


def check_stage(entry):
    stage = dict(entry.stage)
    if entry.task in READING:
        family = FAMILIES[entry.algorithm]
        special = {*family.before, *family.after} - {"unknown"}
        assert stage["charset"].keys() == {"classes", *special}
        # PaddleOCR 1.0 numbered the special classes in another way.
        if entry.series not in ("PaddleOCR 1.0", "PP-OCR 1.0"):
            number = stage["charset"]["classes"] - len(family.before) - len(family.after)
            assert stage["charset"] == family.charset(number)
        assert entry.charset.file in {file.name for file in entry.files}
        stage["charset"] = {"file": "c", **stage["charset"]}
    reading = entry.task in READING
    algorithm = FAMILIES[entry.algorithm].decoder if reading else entry.algorithm
    stage = {"algorithm": algorithm, "graph": "g", "model": entry.name, **stage}
    typed.parse(manifest.Stages, {entry.task: stage})


def test_catalogue_has_all_published_models_and_languages():
    names = set(ENTRIES.models)
    assert set(SEED) <= names
    aliases = [alias for entry in ENTRIES.models.values() for alias in entry.aliases]
    published = [e for e in ENTRIES.models.values() if "/RapidAI/RapidOCR/" in e.files[0].source]
    assert len(published) == 42
    assert all(file.sha256 for entry in published for file in entry.files)
    assert {"ch_PP-OCRv4_det_mobile", "multi_PP-OCRv6_rec_medium"} <= set(aliases)
    languages = {code for entry in ENTRIES.models.values() for code in entry.languages}
    assert {"zh-Hans", "zh-Hant", "ja", "ko", "th", "el", "ta", "te", "kn", "hi", "ar", "ru"} <= (
        languages
    )
    assert len(ENTRIES.model("PP-OCRv6_small_rec").languages) == 50
    assert len(ENTRIES.model("PP-OCRv6_tiny_rec").languages) == 49


@pytest.mark.parametrize(
    ("name", "figure", "value"),
    [
        ("det_r50_vd_east", "hmean", 86.82),
        ("det_mv3_db", "recall", 73.18),
        ("rec_r34_vd_tps_bilstm_attn", "accuracy", 84.90),
        ("ch_det_mv3_db", "megabytes", 4.1),
        ("e2e_r50_vd_pg", "e2e_hmean", 60.03),
    ],
)
def test_entries_state_the_published_figures(name, figure, value):
    figures = ENTRIES.model(name).figures
    assert figures is not None and figures.values[figure] == value
    assert figures.source.startswith("PaddleOCR")


def test_first_models_are_checkpoints_except_for_those_of_pp_ocr():
    """PaddleOCR published checkpoints of the academic networks, and inference models of PP-OCR.

    Their archives have no published hashes.
    """
    for name in SEED:
        entry = ENTRIES.model(name)
        assert entry.contents == ("inference" if name.startswith("ch_") else "checkpoint")
        assert (entry.checkpoint is not None) == name.startswith("ch_")
        assert [file.sha256 for file in entry.files if file.is_archive] == [None]
        assert (entry.figures is not None) == ("ch_" not in name or "mv3" in name)


def test_entries_have_the_settings_of_their_release_of_paddleocr():
    """PaddleOCR 1.0 has the blank last, the symbols of attention first, and EAST in RGB."""
    first, second = (
        ENTRIES.model(f"rec_mv3_none_bilstm_ctc{v}").stage["charset"] for v in ("", "_v2.0")
    )
    assert (first["blank"], second["blank"]) == (36, 0)
    first, second = (ENTRIES.model(f"rec_mv3_tps_bilstm_{v}") for v in ("attn", "att_v2.0"))
    assert first.stage["charset"] == {"classes": 38, "begin": 0, "end": 1}
    assert second.stage["charset"] == {"classes": 38, "begin": 0, "end": 37}
    colours = {"det_mv3_east": "RGB", "det_mv3_east_v2.0": "BGR"}
    for name, colour in colours.items():
        normalize = ENTRIES.model(name).normalize
        assert normalize is not None and normalize.colour == colour


def test_networks_for_arabic_write_in_visual_order():
    """An inference.yml lists its characters, from which that follows; a dictionary says nothing."""
    for entry in ENTRIES.models.values():
        if entry.algorithm == "CTC" and entry.is_complete:
            assert entry.stage.get("visual_order", False) is ("ar" in entry.languages)


def test_catalogue_has_three_bundles():
    assert list(ENTRIES.bundles) == ["tiny", "mobile", "small"]
    assert ENTRIES.model(ENTRIES.bundle("mobile").models["detection"]).format == "paddle-legacy"
    assert ENTRIES.model(ENTRIES.bundle("tiny").models["detection"]).format == "onnx"
    assert all(bundle.orientation for bundle in ENTRIES.bundles.values())


def test_models_are_found_by_name_and_alias():
    assert ENTRIES.model("ch_PP-OCRv4_det_mobile") is ENTRIES.model("PP-OCRv4_mobile_det")
    assert "ch_PP-OCRv4_det_mobile" in ENTRIES and "PP-OCRv4_mobile_det" in ENTRIES
    assert "PP-OCRv9" not in ENTRIES


def test_errors_about_unknown_names_suggest_known_ones():
    with pytest.raises(CatalogError, match=r"no model 'PP-OCRv4_mobil_det'.*PP-OCRv4_mobile_det"):
        ENTRIES.model("PP-OCRv4_mobil_det")
    with pytest.raises(CatalogError, match=r"no model '####'; `python -m converters list`"):
        ENTRIES.model("####")
    with pytest.raises(CatalogError, match="no bundle 'huge'; its bundles are tiny, mobile, small"):
        ENTRIES.bundle("huge")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('task = "detection"', 'task = "detektion"', r"models\.\S+\.task must be one of"),
        ('licence = "Apache-2.0"\n', "", r"field models\..*\.licence is missing"),
        ("[families.DB]", "[families.DB", "models.toml:"),
        (
            'detection = "PP-OCRv6_tiny_det"',
            'detection = "PP-OCRv6_tiny_rec"',
            "is not a detection",
        ),
        ('detection = "PP-OCRv6_tiny_det"', 'detection = "nothing"', "nothing is not a detection"),
        ('size = "server"', 'size = "server"\nspeed = 3', r"unknown field models\..*\.speed"),
        ("\n[languages]", "\n[tongues]", "unknown field tongues"),
        ('sha256 = "28b2', 'sha256 = "28B2', r"files\[\d\]\.sha256 must be 64 hex digits or"),
        ('sha256 = "unpublished"', "sha256 = 3", r"sha256 must be a string"),
        ('name = "{name}.tar"', 'name = "../{name}.tar"', "must be a file name without a folder"),
        (
            'name = "{name}.tar"',
            'name = "{nam}.tar"',
            r"files\[0\] or base: .* unknown placeholder: 'nam'",
        ),
        ('colour = "GREY"', 'colour = "BGR"', "mean and std must have 3 values for BGR"),
        ('charset.file = "inference.yml"', 'charset.file = "x.txt"', r"x\.txt is neither one of"),
        ('algorithm = "CLS"', 'algorithm = "DB"', "task: DB is an algorithm for detection"),
        ('aliases = ["rec_r50_vd_srn"]', 'aliases = ["det_mv3_db"]', "name or alias det_mv3_db"),
        ('family = ["RARE"', 'family = ["RARA"', r"rec_\w+\.family: no family 'RARA'"),
    ],
)
def test_wrong_catalogue_is_refused(tmp_path: Path, old, new, message):
    text = catalog.CATALOG.read_text(encoding="utf-8")
    assert old in text
    wrong = tmp_path / "models.toml"
    wrong.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogError, match=message):
        catalog.load(wrong)


def test_embedded_network_has_a_class_for_each_character():
    bundle = Bundle.default()
    stage = bundle.manifest.stages.recognition
    assert stage is not None
    model = onnx.load_from_string(bundle.read(stage.graph))
    *_, softmax = (node for node in model.graph.node if node.op_type == "Softmax")
    model.graph.output.append(onnx.ValueInfoProto(name=softmax.output[0]))
    ort = import_onnxruntime()
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    crop = np.zeros((1, stage.height, 64, 3), np.uint8)
    (probabilities,) = session.run([softmax.output[0]], {"crops": crop})
    entry = ENTRIES.model(stage.model)
    listed = bundle.read(stage.charset.file).decode().removesuffix("\n").split("\n")
    assert probabilities.shape[-1] == charset.classes(listed, entry.stage["charset"])
    assert probabilities.shape[-1] == entry.stage["charset"]["classes"] == stage.charset.classes


@pytest.mark.slow
def test_translated_network_has_a_class_for_each_character(v4, v4_folders):
    name = "PP-OCRv4_mobile_rec"
    entry, conversion = v4(name)
    (output,) = onnx.load_from_string(conversion.plain).graph.output
    classes = output.type.tensor_type.shape.dim[2].dim_value
    listed = charset.characters(v4_folders[name], entry.charset)
    assert classes == charset.classes(listed, entry.stage["charset"]) == 6625


@pytest.mark.registry
@pytest.mark.parametrize(
    "name",
    [e.name for e in ENTRIES.models.values() if e.charset and e.charset.file != SETTINGS],
)
def test_dictionaries_have_as_many_characters_as_the_stage_says(name):
    """Only the dictionary is fetched; `resolve` compares its characters with `stage.charset`."""
    entry = ENTRIES.models[name]
    assert entry.charset is not None
    dictionary = [file for file in entry.files if file.name == entry.charset.file]
    with Fetcher() as fetcher:
        folder = fetcher.fetch(dataclasses.replace(entry, files=dictionary))
    settings.resolve(dataclasses.replace(entry, contents="inference"), folder)


@pytest.mark.registry
@pytest.mark.parametrize("name", ["PP-OCRv6_tiny_rec", "PP-OCRv6_small_rec"])
def test_official_networks_have_as_many_classes_as_their_settings_say(name):
    """This also holds if the entry leaves everything to inference.yml, as those of PP-OCRv5 do."""
    entry = ENTRIES.model(name)
    with Fetcher() as fetcher:
        folder = fetcher.fetch(entry)
    bare = dataclasses.replace(entry, normalize=None, stage={}, charset=None)
    own = settings.resolve(bare, folder)
    (output,) = onnx.load(str(folder / "inference.onnx"), load_external_data=False).graph.output
    classes = output.type.tensor_type.shape.dim[2].dim_value
    assert classes == own.stage["charset"]["classes"] == entry.stage["charset"]["classes"]
    assert own.normalize == entry.normalize and own.charset == entry.charset
