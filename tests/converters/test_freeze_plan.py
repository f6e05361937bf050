"""Test what a plan does to a bundle's models: characters, precision, figures and a signature."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from converters import freeze
from converters.__main__ import main
from converters.accuracy import measure as accuracy
from converters.bundle import sbom
from converters.errors import CatalogError, ConverterError, PrecisionError
from converters.freeze import Plan
from converters.graph.activation_memory import bytes_per_pixel
from converters.precision import choice
from converters.precision.judging import Redraft, Reduced
from edgeocr import OCR, Bundle, DatasetError, SignatureError
from edgeocr.bundle import archive
from edgeocr.bundle.manifest import Detection, Recognition
from edgeocr.bundle.provenance import Interval, Loss, Quantization
from tests.support.frozen import frozen
from tests.support.paths import IMAGES, TRAINED_EXPORTS
from tests.trained import pages, words

# Networks are converted or frozen for these tests.
pytestmark = pytest.mark.slow

EXPORTS = TRAINED_EXPORTS
CRNN, DB = str(EXPORTS / "crnn"), str(EXPORTS / "db")
# Words of six seldom have none of the others.
KEPT = "0123456789ACEGIKMOQSUWY"


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    target = tmp_path_factory.mktemp("pruned") / "reader.edgeocr"
    plan = Plan(charset=("digits", f"chars:{KEPT[10:]}"))
    return frozen(target, plan, detection=DB, recognition=CRNN)


def test_pruned_network_reads_the_characters_that_it_kept(pruned: Bundle) -> None:
    given = [word for word in words.clean(600, 7, (3, 4)) if set(word.text) <= set(KEPT)]
    assert len(given) > 40
    readings = OCR(pruned, provider="cpu", threads=1).recognize([word.crop for word in given])
    hits = [reading.text == word.text for reading, word in zip(readings, given, strict=True)]
    assert np.mean(hits) >= 0.95


def test_pruned_network_reads_no_other_characters(pruned: Bundle) -> None:
    given = words.clean(50, 8)
    readings = OCR(pruned, provider="cpu", threads=1).recognize([word.crop for word in given])
    assert set("".join(reading.text for reading in readings)) <= set(KEPT)


def test_manifest_records_what_was_pruned(pruned: Bundle) -> None:
    manifest = pruned.manifest
    stage = manifest.stages.recognition
    assert stage is not None and stage.charset.classes == len(KEPT) + 1
    assert pruned.characters == ["", *KEPT]
    of = {origin.stage: origin.full_classes for origin in manifest.provenance}
    assert of == {"detection": None, "recognition": len(pages.CAPITALS) + 1}
    assert "Charset pruned from 37 to 24 classes." in pruned.read(sbom.FILE).decode()


def test_charset_of_all_characters_prunes_nothing(tmp_path: Path) -> None:
    whole = frozen(tmp_path / "a.edgeocr", recognition=CRNN)
    same = frozen(tmp_path / "same" / "a.edgeocr", Plan((pages.CAPITALS,)), recognition=CRNN)
    assert same.path.read_bytes() == whole.path.read_bytes()
    assert same.manifest.provenance[0].full_classes is None


def test_stages_record_the_bytes_that_a_run_needs(pruned: Bundle) -> None:
    stages = pruned.manifest.stages
    for task, stage in (("detection", stages.detection), ("recognition", stages.recognition)):
        assert stage is not None
        wanted = bytes_per_pixel(
            pruned.read(stage.graph),
            task,
            height=getattr(stage, "height", None),
            width=getattr(stage, "width", None),
        )
        assert stage.activation_bytes == wanted > 3


def test_error_names_a_character_that_the_network_lacks(tmp_path: Path) -> None:
    with pytest.raises(ConverterError, match=r"trained_crnn does not know .* € \(U\+20AC\)"):
        frozen(tmp_path / "out" / "a.edgeocr", Plan(("digits", "€")), recognition=CRNN)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.stress
def test_same_plan_gives_the_same_bytes(keys: Path, tmp_path: Path) -> None:
    arguments = ["freeze", "--detection", DB, "--recognition", CRNN, "--charset", "digits"]
    arguments += ["--profile", "server", "--accuracy", str(IMAGES)]
    arguments += ["--sign", str(keys / "own.key")]
    first, again, folder = (tmp_path / name for name in ("a/r.edgeocr", "b/r.edgeocr", "c/r"))
    for target in (first, again, folder):
        assert main([*arguments, "-o", str(target)]) == 0
    assert first.read_bytes() == again.read_bytes()
    opened = Bundle.open(folder, require_signature=keys / "own.pub")
    assert opened.files() == Bundle.open(first).files()


def test_signed_bundle_opens_with_its_own_key_only(keys: Path, tmp_path: Path) -> None:
    plan = Plan(sign=keys / "own.key")
    signed = frozen(tmp_path / "signed.edgeocr", plan, recognition=CRNN)
    OCR(signed.path, provider="cpu", require_signature=keys / "own.pub")
    with pytest.raises(SignatureError, match="signed by another key"):
        OCR(signed.path, provider="cpu", require_signature=keys / "other.pub")
    plain = frozen(tmp_path / "plain.edgeocr", recognition=CRNN)
    with pytest.raises(SignatureError, match="not signed"):
        OCR(plain.path, provider="cpu", require_signature=keys / "own.pub")


@pytest.mark.stress
def test_recorded_accuracy_is_that_of_the_written_bundle(pruned: Bundle, tmp_path: Path) -> None:
    arguments = ["--detection", DB, "--recognition", CRNN, "--accuracy", str(IMAGES)]
    target = tmp_path / "a.edgeocr"
    assert main(["freeze", *arguments, "-o", str(target)]) == 0
    found = Bundle.open(target).manifest.accuracy
    assert found == accuracy.measure(Bundle.open(target), IMAGES)
    assert (found.data, found.pictures) == ("images", 4) and found.detection_hmean > 0.5
    assert pruned.manifest.accuracy is None


def both_stages(bundle: Bundle) -> tuple[Detection, Recognition]:
    """Return the detection and the recognition stage, which the bundle must have."""
    stages = bundle.manifest.stages
    assert stages.detection is not None and stages.recognition is not None
    return stages.detection, stages.recognition


def shifted(graph: bytes) -> bytes:
    """The graph with another producer, which makes it another file that does the same."""
    model = onnx.load_from_string(graph)
    model.producer_name = "a stand-in"
    return model.SerializeToString()


def test_graphs_of_lower_precision_replace_the_full_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A stand-in replaces the measurements, and reduces only the recognition network."""
    asked: dict[str, Any] = {}
    how = Quantization("0" * 64, 3, 17, ["Conv_1"])
    loss = Loss("images", "0" * 64, 4, 74, 4, *[Interval(0.25, -0.5, 1.0)] * 3)

    def reduce(
        draft: Bundle, redraft: Redraft, wanted: str, **options: object
    ) -> dict[str, Reduced]:
        asked.update(options, wanted=wanted, profile=draft.manifest.profile)
        OCR(draft, provider="cpu", threads=1)
        stage = draft.manifest.stages.recognition
        assert stage is not None
        graph = shifted(draft.read(stage.graph))
        return {"recognition": Reduced(graph, how, loss)}

    monkeypatch.setattr(choice, "reduce", reduce)
    plan = Plan(precision="int8", calibrate=IMAGES, accuracy=IMAGES, max_loss=2.0, profile="server")
    made = frozen(tmp_path / "less.edgeocr", plan, detection=DB, recognition=CRNN)
    assert asked == {
        **{"wanted": "int8", "calibrate": IMAGES, "accuracy": IMAGES, "max_loss": 2.0},
        "profile": None,
    }
    whole = frozen(
        tmp_path / "whole.edgeocr", Plan(profile="server"), detection=DB, recognition=CRNN
    )
    (detection, recognition), (full_detection, full_recognition) = map(both_stages, (made, whole))
    assert (detection.precision, recognition.precision) == ("fp32", "int8")
    assert made.read(detection.graph) == whole.read(full_detection.graph)
    assert made.read(recognition.graph) == shifted(whole.read(full_recognition.graph))
    assert recognition.activation_bytes == full_recognition.activation_bytes
    of = {origin.stage: origin.quantization for origin in made.manifest.provenance}
    assert of == {"detection": None, "recognition": how}
    assert [origin.loss for origin in made.manifest.provenance] == [None, loss]
    # edgeocr 0.2 refuses the field.
    assert (made.manifest.schema, made.manifest.requires) == (3, "0.3.0")
    bill = made.read(sbom.FILE).decode()
    assert '"value": "int8"' in bill and "Quantized to int8: 17 nodes" in bill
    digest = hashlib.sha256(made.read(recognition.graph)).hexdigest()
    assert digest in bill


def test_variants_stand_beside_the_full_graphs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, keys: Path
) -> None:
    """A stand-in replaces the measurements, and reduces only the recognition network."""
    asked: list[str] = []
    how = Quantization("0" * 64, 3, 17, ["Conv_1"])

    def reduce(
        draft: Bundle, redraft: Redraft, wanted: str, **options: object
    ) -> dict[str, Reduced]:
        asked.append(wanted)
        stage = draft.manifest.stages.recognition
        assert stage is not None and not stage.variants
        graph = shifted(draft.read(stage.graph))
        return {"recognition": Reduced(graph, how if wanted == "int8" else None)}

    monkeypatch.setattr(choice, "reduce", reduce)
    plan = Plan(variants=("fp16", "int8"), accuracy=IMAGES, sign=keys / "own.key")
    made = frozen(tmp_path / "fleet.edgeocr", plan, detection=DB, recognition=CRNN)
    assert asked == ["fp16", "int8"]
    whole = frozen(tmp_path / "whole.edgeocr", detection=DB, recognition=CRNN)
    (detection, recognition), (_, full) = map(both_stages, (made, whole))
    assert recognition.graphs == {
        "fp32": full.graph,
        "fp16": "graphs/recognition.fp16.onnx",
        "int8": "graphs/recognition.int8.onnx",
    }
    assert detection.variants == [] and made.read(full.graph) == whole.read(full.graph)
    assert made.read("graphs/recognition.int8.onnx") == shifted(whole.read(full.graph))
    fp16, int8 = recognition.variants
    assert fp16.providers == ["tensorrt", "cuda"] and fp16.cpu_features == []
    assert int8.providers == ["cpu"]
    assert int8.activation_bytes >= recognition.activation_bytes > 0
    assert int8.cpu_features == ["avx512_vnni", "avx_vnni", "asimddp"]
    manifest = made.manifest
    assert (manifest.schema, manifest.requires) == (3, "0.3.0")
    assert (whole.manifest.schema, whole.manifest.requires) == (2, "0.2.0")
    of = {origin.stage: origin.quantization for origin in manifest.provenance}
    assert of == {"detection": None, "recognition": how}
    assert manifest.accuracy is not None and manifest.variant_accuracy.keys() == {"fp16", "int8"}
    bill = json.loads(made.read(sbom.FILE))
    (component,) = [c for c in bill["components"] if c["name"] == "graphs/recognition.int8.onnx"]
    assert component["description"] == "the network of trained_crnn in int8"
    (needs,) = [d["dependsOn"] for d in bill["dependencies"] if d["ref"] == "stage:recognition"]
    assert "file:graphs/recognition.int8.onnx" in needs
    again = frozen(tmp_path / "again" / "fleet.edgeocr", plan, detection=DB, recognition=CRNN)
    assert again.path.read_bytes() == made.path.read_bytes()
    OCR(made.path, provider="cpu", threads=1, require_signature=keys / "own.pub").close()


def test_a_variant_by_which_no_stage_gains_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def reduce(*_: object, **__: object) -> dict[str, Reduced]:
        raise PrecisionError("no stage gains by int8: too much lost; freeze without --precision")

    monkeypatch.setattr(choice, "reduce", reduce)
    with pytest.raises(PrecisionError, match=r"--variants: no stage gains.*; or leave int8 out"):
        frozen(tmp_path / "a.edgeocr", Plan(variants=("int8",)), recognition=CRNN)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("plan", "error", "message"),
    [
        (Plan(profile="toaster"), CatalogError, "no profile 'toaster'; its profiles are rasp"),
        (Plan(charset=("klingon",)), ConverterError, "neither a set nor a language"),
        (Plan(charset=("@/no/such",)), ConverterError, "can't be read as UTF-8"),
        (Plan(sign=Path("/no/such.key")), SignatureError, "the key can't be read"),
        (Plan(accuracy=Path("/no/such")), DatasetError, "Label.txt: there is no such file"),
        (
            Plan(precision="int8", calibrate=Path("/no/such")),
            ConverterError,
            "no such folder of pic",
        ),
        (Plan(precision="int8", calibrate=EXPORTS), ConverterError, "contains no pictures"),
        (Plan(calibrate=IMAGES), ConverterError, "--calibrate is for --precision int8"),
        (Plan(max_loss=1.0), ConverterError, "--max-loss is for --precision"),
        (Plan(precision="int8", variants=("fp16",)), ConverterError, "--variants excludes"),
        (
            Plan(precision="fp16", weights="fp16"),
            ConverterError,
            "fp16 stores weights in fp16 alre",
        ),
    ],
)
def test_wrong_plan_is_refused_before_anything_is_fetched(
    plan: Plan,
    error: type[Exception],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def fetcher(*_: object) -> None:
        raise AssertionError("something is fetched")

    monkeypatch.setattr(freeze, "Fetcher", fetcher)
    with pytest.raises(error, match=message):
        frozen(tmp_path / "out" / "a.edgeocr", plan, detection=DB, recognition=CRNN)
    with pytest.raises(ConverterError, match="needs a model that reads"):
        frozen(tmp_path / "out" / "a.edgeocr", Plan(("digits",)), detection=DB)
    assert list(tmp_path.iterdir()) == []


def test_missing_pictures_are_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    line = '[{"transcription": "A", "points": [[0, 0], [9, 0], [9, 9], [0, 9]]}]'
    (tmp_path / "Label.txt").write_text(f"a.jpg\t{line}\nb.jpg\t{line}\n")
    plan = Plan(accuracy=tmp_path)
    with pytest.raises(DatasetError, match=r"are missing: .*a\.jpg and 1 more"):
        frozen(tmp_path / "own.edgeocr", plan, recognition="ch_ppocr_mobile_v2.0_rec")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nope", "no model 'nope'"),
        ("PP-OCRv6_tiny_det", "is a detection model, it can't be the recognition stage"),
        ("ch_ppocr_mobile_v2.0_rec=/no/such", "neither a folder"),
        (str(IMAGES), "images"),
    ],
)
def test_wrong_model_is_refused_before_another_is_fetched(
    source: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(freeze, "Fetcher", None)
    with pytest.raises(ConverterError, match=message):
        frozen(tmp_path / "own.edgeocr", detection=DB, recognition=source)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "file",
            "this is a file, but the bundle is written as a folder; for a file write .*edgeocr",
        ),
        ("folder.edgeocr", "this is a folder, but NAME.edgeocr is written as a file"),
        ("full", "the folder is not empty"),
        ("file/own.edgeocr", "can't be written to"),
        ("full/..", "needs a name, such as"),
        ("/", "needs a name, such as"),
    ],
)
def test_unusable_target_is_refused_before_anything_is_fetched(
    name: str, message: str, tmp_path: Path
) -> None:
    for folder in ("folder.edgeocr", "full/of"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConverterError, match=message):
        frozen(tmp_path / name, recognition="ch_ppocr_mobile_v2.0_rec")
    assert (tmp_path / "file").read_text() == "mine"


def test_interrupted_freeze_leaves_nothing_and_exits_130(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(archive, "write", stopped)
    target = tmp_path / "own.edgeocr"
    assert main(["freeze", "--recognition", CRNN, "-o", str(target)]) == 130
    assert "Traceback" not in capsys.readouterr().err and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [["--precision", "fp8"], ["--max-loss", "-1"], ["--max-loss", "little"], ["--max-loss", "nan"]],
)
def test_wrong_usage_exits_2_and_names_the_argument(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["freeze", "tiny", "-o", str(tmp_path / "a"), *arguments])
    assert ended.value.code == 2 and arguments[0] in capsys.readouterr().err


def test_changed_bundle_has_its_files_name_and_describes_the_changes(tmp_path: Path) -> None:
    arguments = ["--detection", DB, "--recognition", CRNN, "--profile", "jetson"]
    assert main(["freeze", *arguments, "--charset", "digits", "-o", str(tmp_path / "own")]) == 0
    manifest = json.loads((tmp_path / "own" / "manifest.json").read_text("utf-8"))
    assert manifest["name"] == "own"
    assert manifest["description"] == (
        "made of models named one by one, with a smaller charset, settings for jetson"
    )
