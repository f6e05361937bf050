"""Test what is known about a network, and which source it is taken from."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import pytest

from converters.catalog import entries as catalog
from converters.catalog.entries import Catalog, Entry, Normalize, SourceFile
from converters.errors import ModelFormatError
from converters.model import inference_yml, interfaces, network
from converters.model.declaration import declaration
from converters.model.paddle_model import PaddleModel, identify
from converters.paddle.declared import Declaration
from tests.zoo.names import EXPORTS, OF_ALGORITHM

ENTRIES = catalog.load()
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
HALVES = ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])


def published(name: str, model: PaddleModel, **changes: Any) -> Entry:
    """Return the entry of that name, as if its publisher had published this model's files."""
    files = [
        SourceFile(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), "https://h")
        for path in model.files
    ]
    return dataclasses.replace(ENTRIES.model(name), files=files, **changes)


def model_of(name: str) -> PaddleModel:
    return identify(EXPORTS / name / "legacy")


@pytest.mark.parametrize(
    ("kind", "task", "colour", "numbers", "scale", "multiple"),
    [
        ("DB", "detection", "BGR", IMAGENET, 1 / 255, 32),
        ("EAST", "detection", "BGR", IMAGENET, 1 / 255, 32),
        ("SAST", "detection", "BGR", IMAGENET, 1 / 255, 128),
        ("PGNet", "spotting", "RGB", IMAGENET, 1 / 255, 128),
        ("CLS", "orientation", "BGR", HALVES, 1 / 255, 32),
        ("CTC", "recognition", "BGR", HALVES, 1 / 255, 32),
        ("Attention", "recognition", "BGR", HALVES, 1 / 255, 32),
        ("SRN", "recognition", "GREY", ([0.0], [1.0]), 1.0, 32),
    ],
)
def test_network_without_other_sources_gets_paddleocrs_normalization(
    kind, task, colour, numbers, scale, multiple
):
    found = network.of_algorithm("mine", kind, "a test")
    assert (found.name, found.task, found.algorithm) == ("mine", task, kind)
    assert found.normalize == Normalize(colour, numbers[0], numbers[1], scale)
    assert (found.height, found.width, found.multiple) == (None, None, multiple)
    assert not found.published and not found.is_of_catalog and found.classes is None
    assert "configuration" in found.known_by


@pytest.mark.parametrize(
    ("name", "kind", "height", "classes", "colour"),
    [
        ("PP-OCRv5_mobile_det", "DB", None, None, "BGR"),
        ("PP-OCRv6_tiny_rec", "CTC", 48, 38, "BGR"),
    ],
)
def test_inference_yml_gives_name_algorithm_colour_and_sizes(name, kind, height, classes, colour):
    found = network.of_settings("x", inference_yml.read(EXPORTS / name / "pir" / "inference.yml"))
    assert (found.name, found.algorithm, found.normalize.colour) == (name, kind, colour)
    assert (found.height, found.width, found.classes) == (height, None, classes)
    assert found.multiple == 32 and not found.published and not found.is_of_catalog
    assert found.known_by == "its inference.yml"


def test_folder_names_the_network_if_inference_yml_does_not():
    own = inference_yml.read(EXPORTS / "PP-OCRv5_mobile_det" / "pir" / "inference.yml")
    found = network.of_settings("folder", dataclasses.replace(own, model=None))
    assert found.name == "folder"


@pytest.mark.parametrize("name", [e.name for e in ENTRIES.models.values() if e.is_complete])
def test_complete_entry_gives_everything_about_its_network(name, tmp_path):
    entry = ENTRIES.models[name]
    (tmp_path / "inference.onnx").write_bytes(b"")
    found = network.of_entry(entry, identify(tmp_path), network.BY_NAME)
    assert (found.name, found.task, found.algorithm) == (name, entry.task, entry.algorithm)
    assert found.normalize is entry.normalize and found.is_of_catalog
    assert (found.height, found.width) == (entry.stage.get("height"), entry.stage.get("width"))
    assert found.classes == entry.stage.get("charset", {}).get("classes")
    assert found.multiple % 32 == 0
    assert not found.published


def test_entry_gives_height_width_classes_and_multiple():
    model = model_of("rec_r34_vd_tps_bilstm_ctc")
    found = network.of_entry(ENTRIES.model("rec_r34_vd_tps_bilstm_ctc_v2.0"), model, "x")
    assert (found.height, found.width, found.classes) == (32, 100, 37)
    found = network.of_entry(ENTRIES.model("det_r50_vd_sast_icdar15"), model, "x")
    assert found.multiple == 128


def test_network_is_published_only_if_every_file_has_a_published_hash(tmp_path):
    model = model_of("det_mv3_db")
    entry = published("det_mv3_db", model)
    assert network.of_entry(entry, model, "x").published
    for changed in range(2):
        files = list(entry.files)
        files[changed] = dataclasses.replace(files[changed], sha256="0" * 64)
        other = dataclasses.replace(entry, files=files)
        assert not network.of_entry(other, model, "x").published
    files = [dataclasses.replace(file, sha256=None) for file in entry.files]
    assert not network.of_entry(dataclasses.replace(entry, files=files), model, "x").published


def test_entry_is_found_only_if_the_hashes_of_all_files_match():
    model, other = model_of("det_mv3_db"), model_of("det_r50_vd_db")
    entry = published("det_mv3_db", model)
    known = Catalog({"first": ENTRIES.model("det_r50_vd_db"), entry.name: entry}, {})
    assert network.find_entry(known, model) is entry
    assert network.find_entry(known, other) is None
    mixed = dataclasses.replace(model, parameters=other.parameters)
    assert network.find_entry(known, mixed) is None
    assert network.find_entry(ENTRIES, model) is None


def declared(name: str, form: str = "legacy") -> Declaration:
    return declaration(identify(EXPORTS / name / form))


def test_entry_that_contradicts_the_files_is_refused():
    shown = declared("det_mv3_db")
    known = network.of_entry(ENTRIES.model("det_mv3_east"), model_of("det_mv3_db"), "its name")
    message = (
        "det_mv3_east: its name says EAST; networks for EAST have 1 input and maps of 1 and 8 "
        r"channels, but this one has 1 input and the output \[\?, 1, \?, \?\]"
    )
    with pytest.raises(ModelFormatError, match=message):
        network.check_fits(known, shown)
    network.check_fits(dataclasses.replace(known, algorithm="DB"), shown)


def test_ctc_fits_the_outputs_of_attention_and_srn_does_not():
    shown = declared("rec_mv3_tps_bilstm_att")
    known = network.of_algorithm("x", "Attention", "a test")
    network.check_fits(dataclasses.replace(known, algorithm="CTC"), shown)
    with pytest.raises(ModelFormatError, match="says SRN; networks for SRN have 5 inputs"):
        network.check_fits(dataclasses.replace(known, algorithm="SRN"), shown)


@pytest.mark.parametrize("form", ["legacy", "pir"])
@pytest.mark.parametrize(
    ("kind", "classes"), [("CTC", 37), ("Attention", 38), ("SRN", 38), ("PGNet", 37)]
)
def test_wrong_number_of_classes_is_refused(kind, classes, form):
    shown = declared(OF_ALGORITHM[kind], form)
    known = network.of_algorithm("x", kind, "a test")
    network.check_fits(dataclasses.replace(known, classes=classes), shown)
    for wrong in (classes - 1, classes + 1, 6625):
        message = f"says {wrong} classes, but the network has {classes}: it was trained on"
        with pytest.raises(ModelFormatError, match=message):
            network.check_fits(dataclasses.replace(known, classes=wrong), shown)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"height": 48},
            "a test says that the height of the input is 48, but the network takes 32",
        ),
        (
            {"width": 320},
            "a test says that the width of the input is 320, but the network takes 100",
        ),
        ({"normalize": Normalize("GREY", [0.5], [0.5])}, "says GREY, 1 channel, but .* takes 3"),
    ],
)
def test_image_that_contradicts_the_network_is_refused(change, message):
    shown = declared("rec_mv3_tps_bilstm_att")
    known = network.of_algorithm("x", "Attention", "a test")
    network.check_fits(dataclasses.replace(known, height=32, width=100), shown)
    with pytest.raises(ModelFormatError, match=message):
        network.check_fits(dataclasses.replace(known, **change), shown)


def test_graph_with_an_open_number_of_classes_is_accepted():
    shown = Declaration([[None, 3, 32, None]], [[None, None, None]])
    network.check_fits(network.of_algorithm("x", "CTC", "a test", classes=37), shown)


@pytest.mark.parametrize(
    "folder", ["net", "net/inference", "net/Inference", "net/pir", "net/model"]
)
def test_generic_folder_names_do_not_become_the_name(tmp_path, folder):
    assert network.name_of(tmp_path / folder) == "net"


def test_relative_folder_is_resolved_before_it_gives_the_name(tmp_path, monkeypatch):
    (tmp_path / "net").mkdir()
    monkeypatch.chdir(tmp_path / "net")
    assert network.name_of(Path()) == "net"


def test_shape_that_a_program_does_not_declare_is_a_misfit():
    outputs = [[None, 38], [None, 38], [], [None, 38], [None, 38]]
    inputs = [[None, 1, 64, 256]] * 5
    why = interfaces.misfit("SRN", inputs, outputs)
    assert why is not None
    assert "5 outputs, of which number 3 is [N * positions, classes], but this one has" in why
    assert interfaces.classes("SRN", outputs) is None
    outputs[2] = [None, 38]
    assert interfaces.misfit("SRN", inputs, outputs) is None
    assert interfaces.classes("SRN", outputs) == 38
