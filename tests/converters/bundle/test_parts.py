"""Test bundles whose models are named one by one: of models.toml, or in folders."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from converters import fixed_shapes
from converters.__main__ import main
from converters.bundle import parts
from converters.catalog import entries as catalog
from converters.catalog.entries import BundleEntry
from converters.errors import ConverterError, ModelFormatError
from converters.freeze import freeze
from converters.model.paddle_model import identify
from converters.parity import paddle_reference
from converters.parity.paddle_reference import PaddleMissingError
from converters.translate import translate
from edgeocr import OCR, Bundle
from edgeocr.bundle.description import describe
from edgeocr.postprocess.bidi import logical_order
from tests.zoo.converted import converted
from tests.zoo.names import EXPORTS

ALPHANUMERIC = "0123456789abcdefghijklmnopqrstuvwxyz"
EAST = EXPORTS / "det_mv3_east" / "legacy"
ROSETTA = EXPORTS / "rec_mv3_none_none_ctc" / "legacy"
WITH_YML = EXPORTS / "PP-OCRv6_tiny_det" / "pir"
RECOGNITION_WITH_YML = EXPORTS / "PP-OCRv6_tiny_rec" / "pir"


@pytest.fixture(autouse=True)
def without_paddle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    converted("det_mv3_east")  # skips where it can't be translated

    def missing(*_: Any) -> Any:
        raise PaddleMissingError("paddlepaddle is not installed")

    monkeypatch.setattr(paddle_reference, "run", missing)
    monkeypatch.setenv("EDGEOCR_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def rosetta(tmp_path: Path) -> Path:
    """An export with the dictionary that models.toml names beside it."""
    shutil.copytree(ROSETTA, tmp_path / "rosetta")
    (tmp_path / "rosetta" / "ic15_dict.txt").write_text("\n".join(ALPHANUMERIC) + "\n")
    return tmp_path / "rosetta"


@pytest.mark.slow
def test_bundle_is_frozen_from_exports_in_folders(rosetta: Path, tmp_path: Path) -> None:
    target = tmp_path / "own.edgeocr"
    detection = f"--detection=det_mv3_east_v2.0={EAST}"
    recognition = f"--recognition=rec_mv3_none_none_ctc_v2.0={rosetta}"
    assert main(["freeze", detection, recognition, "-o", str(target)]) == 0
    bundle = Bundle.open(target)
    stages = bundle.manifest.stages
    assert stages.detection is not None and stages.detection.algorithm == "EAST"
    assert stages.recognition is not None and stages.recognition.algorithm == "CTC"
    assert bundle.characters == ["", *ALPHANUMERIC]
    assert bundle.manifest.name == "own"
    detector, reader = bundle.manifest.provenance
    assert detector.licence == "Apache-2.0" and "licences/Apache-2.0.txt" in bundle.manifest.files
    # No folder of this machine.
    assert [file.source for file in detector.files] == [
        "a local file, inference.pdmodel",
        "a local file, inference.pdiparams",
    ]
    assert str(tmp_path) not in bundle.manifest_text
    assert reader.parity["paddle"].reason == "paddlepaddle is not installed"


@pytest.mark.slow
def test_model_in_a_folder_is_described_by_its_inference_yml(tmp_path: Path) -> None:
    bundle = freeze(
        BundleEntry("own", "", detection=str(WITH_YML)),
        catalog.load(),
        tmp_path / "own.edgeocr",
    )
    (origin,) = bundle.manifest.provenance
    assert (origin.model, origin.licence) == ("PP-OCRv6_tiny_det", "not stated")
    assert [file.name for file in origin.files][-1] == "inference.yml"
    assert not any(name.startswith("licences/") for name in bundle.manifest.files)
    assert bundle.characters == []


@pytest.mark.slow
def test_bundle_of_a_network_for_hebrew_puts_texts_into_logical_order(tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(RECOGNITION_WITH_YML, own)
    settings = own / "inference.yml"
    letters = dict(zip("abcdefghijklmnopqrstuvwxyz", "אבגדהוזחטיךכלםמןנסעףפץצקרש", strict=True))
    text = settings.read_text("utf-8")
    for latin, hebrew in letters.items():
        text = re.sub(f"^  - '?{latin}'?$", f"  - {hebrew}", text, flags=re.MULTILINE)
    settings.write_text(text, "utf-8")
    bundles = [
        freeze(BundleEntry("own", "", recognition=str(each)), catalog.load(), tmp_path / name)
        for name, each in (("a.edgeocr", RECOGNITION_WITH_YML), ("b.edgeocr", own))
    ]
    picture = np.random.RandomState(1).randint(0, 256, (48, 640, 3), np.uint8)
    latin_text, hebrew_text = (OCR(each).recognize([picture])[0].text for each in bundles)
    as_drawn = "".join(letters.get(each, each) for each in latin_text)
    assert as_drawn and hebrew_text == logical_order(as_drawn) != as_drawn
    assert ["logical order" in describe(each) for each in bundles] == [False, True]
    stages = [each.manifest_text.count("visual_order") for each in bundles]
    assert stages == [0, 1]


def test_model_for_another_stage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConverterError, match="is a detection model, it can't be the recognition"):
        freeze(
            BundleEntry("own", "", recognition=str(WITH_YML)),
            catalog.load(),
            tmp_path / "own.edgeocr",
        )


@pytest.mark.stress
@pytest.mark.slow
def test_folder_name_may_contain_an_equals_sign(tmp_path: Path) -> None:
    shutil.copytree(WITH_YML, tmp_path / "a=b" / "det")
    shutil.copytree(EAST, tmp_path / "a=b" / "east")
    for source in (
        str(tmp_path / "a=b" / "det"),
        f"det_mv3_east_v2.0={tmp_path / 'a=b' / 'east'}",
    ):
        entry = BundleEntry("own", "", detection=source)
        target = tmp_path / "own.edgeocr"
        made = freeze(entry, catalog.load(), target)
        assert made.manifest.stages.detection is not None


def test_model_name_that_is_a_path_is_refused(tmp_path: Path) -> None:
    shutil.copytree(WITH_YML, tmp_path / "own")
    settings = tmp_path / "own" / "inference.yml"
    text = settings.read_text("utf-8")
    settings.write_text(text.replace("PP-OCRv6_tiny_det", "../../../pwned"), "utf-8")
    with pytest.raises(ModelFormatError, match=r"Global\.model_name must consist of letters"):
        freeze(
            BundleEntry("own", "", detection=str(tmp_path / "own")),
            catalog.load(),
            tmp_path / "own.edgeocr",
        )


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ({}, "needs a model for detection, recognition or spotting"),
        ({"orientation": "a"}, "needs a model for detection, recognition or spotting"),
        ({"spotting": "a", "detection": "b"}, "a spotting model finds and reads on its own"),
        ({"detection": "nothing"}, "nothing"),
        ({"detection": "rec_r50_fpn_srn=x"}, "is a recognition model, it can't be the detection"),
        ({"detection": "det_mv3_east_v2.0=/nowhere"}, "nowhere"),
        ({"detection": __file__}, "is a file; name the folder that holds the model's files"),
    ],
)
def test_impossible_combination_of_models_is_refused(
    stages: dict[str, str], words: str, tmp_path: Path
) -> None:
    entry = BundleEntry("own", "", **stages)
    with pytest.raises(ConverterError, match=words):
        freeze(entry, catalog.load(), tmp_path / "own.edgeocr")
    assert not (tmp_path / "own.edgeocr").exists()


@pytest.mark.parametrize(
    ("sizes", "words"),
    [([1, 3, 64, 96], "(64 x 96 pixels)"), ([2, 3, 64, 64], "(2 at a time, 64 x 64 pixels)")],
)
def test_detector_of_one_size_is_refused_first(
    sizes: list[int], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """The runtime gives a detector pictures of many sizes, each of which would be an error."""
    plain = translate(identify(EAST)).plain
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "net.onnx").write_bytes(fixed_shapes.fix(plain, {None: sizes}))
    monkeypatch.setattr(parts, "convert", None)
    entry = BundleEntry("own", "", detection=f"det_mv3_east_v2.0={tmp_path / 'own'}")
    with pytest.raises(ModelFormatError, match=re.escape(f"of a fixed shape {words}, and no")):
        freeze(entry, catalog.load(), tmp_path / "own.edgeocr")
    assert main(["doctor", str(tmp_path / "own")]) == 1
    assert f"the network takes only pictures of a fixed shape {words}" in capsys.readouterr().out


@pytest.mark.slow
def test_network_for_one_line_at_a_time_is_given_no_more(tmp_path: Path) -> None:
    entry = BundleEntry("own", "", recognition=str(EXPORTS / "rec_satrn" / "pir"))
    made = freeze(entry, catalog.load(), tmp_path / "own.edgeocr")
    stage = made.manifest.stages.recognition
    assert stage is not None and stage.batches == [1]
    (crops,) = onnx.load_from_string(made.read(stage.graph)).graph.input
    assert crops.type.tensor_type.shape.dim[0].dim_value == 1


def test_folder_without_inference_yml_needs_a_model_name(tmp_path: Path) -> None:
    with pytest.raises(
        ModelFormatError, match=r"there is no inference\.yml beside .* Write NAME=FOLDER"
    ):
        freeze(
            BundleEntry("own", "", detection=str(EAST)),
            catalog.load(),
            tmp_path / "own.edgeocr",
        )


@pytest.mark.slow
def test_dictionary_of_the_user_replaces_that_of_the_model(tmp_path: Path, capsys: Any) -> None:
    own = shutil.copytree(RECOGNITION_WITH_YML, tmp_path / "own")
    settings = own / "inference.yml"
    text = settings.read_text("utf-8")
    settings.write_text(text.replace("  - '0'\n", ""), "utf-8")
    keys = tmp_path / "keys.txt"
    keys.write_text("\n".join([*ALPHANUMERIC[:-1], "\u3000"]) + "\n", "utf-8")
    target = tmp_path / "own.edgeocr"
    arguments = ["freeze", f"--recognition={own}", "-o", str(target)]
    assert main(arguments) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "character_dict has 35 characters; the network has 38 classes" in error
    assert "--dictionary FILE" in error and not target.exists()
    assert main([*arguments, "--dictionary", str(keys)]) == 0
    bundle = Bundle.open(target)
    assert bundle.characters == ["", *ALPHANUMERIC[:-1], "\u3000", " "]
    (origin,) = bundle.manifest.provenance
    assert origin.files[-1].source == "a local file, keys.txt"
    keys.write_text("ab\n", "utf-8")
    (tmp_path / "other").mkdir()
    other = ["freeze", f"--recognition={own}", "-o", str(tmp_path / "other" / "x.edgeocr")]
    assert main([*other, "--dictionary", str(keys)]) == 1
    assert "keys.txt has 1 character; the network has 38" in capsys.readouterr().err
    detector = ["freeze", f"--detection={WITH_YML}", "-o", str(tmp_path / "d.edgeocr")]
    assert main([*detector, "--dictionary", str(keys)]) == 1
    assert "--dictionary needs a model that reads" in capsys.readouterr().err


@pytest.mark.slow
def test_dictionary_of_the_user_replaces_that_of_the_entry(tmp_path: Path, capsys: Any) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text("\n".join("ÄÖÜ" + ALPHANUMERIC[3:-1]) + "\n\n", "utf-8")
    target = tmp_path / "own.edgeocr"
    recognition = f"--recognition=rec_mv3_none_none_ctc_v2.0={ROSETTA}"
    assert main(["freeze", recognition, "-o", str(target), "--dictionary", str(keys)]) == 0
    assert Bundle.open(target).characters == ["", *"ÄÖÜ", *ALPHANUMERIC[3:-1], ""]
    assert f"{keys}: line 36 is empty: a class that reads as nothing" in capsys.readouterr().err
