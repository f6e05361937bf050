"""`python -m converters doctor`: what it prints, and its exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import pytest

from converters.__main__ import main
from converters.catalog import entries
from converters.doctor.characters import listed, scripts, symbols
from converters.doctor.examination import examine_folder
from converters.doctor.reading import Request
from converters.model.families import FAMILIES
from edgeocr import images
from tests.support import wrong_folders
from tests.support.paths import IMAGES, TRAINED_EXPORTS, ZOO_EXPORTS
from tests.trained import pages


def test_folder_without_a_network_is_one_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", str(tmp_path)]) == 1
    printed = capsys.readouterr().out
    assert printed.startswith("Problems\n  - ") and str(tmp_path) in printed


def test_file_that_cannot_be_written_is_refused_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (tmp_path, tmp_path / "none" / "doctor.json"):
        assert main(["doctor", str(tmp_path), "--json", str(path)]) == 1
        shown = capsys.readouterr()
        message = f"error: --json {path}: name a file in a folder that exists\n"
        assert (shown.out, shown.err) == ("", message)


def test_damaged_onnx_is_a_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model.onnx").write_bytes(b"\x08\x07garbage" * 20)
    assert main(["doctor", str(tmp_path)]) == 1
    printed = capsys.readouterr().out
    assert printed.startswith("Problems\n  - ") and "would refuse its graph" in printed


@pytest.mark.slow
def test_facts_and_findings_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dictionary = tmp_path / "dictionary.txt"
    text = "\ufeff" + "\n".join([*wrong_folders.CHARACTERS[:-3], "\u3000", "A", "AB"]) + "\n"
    dictionary.write_text(text, "utf-8")
    arguments = ["doctor", str(TRAINED_EXPORTS / "crnn"), "--charset", str(dictionary)]
    report = tmp_path / "doctor.json"
    assert main([*arguments, "--json", str(report)]) == 0
    printed = capsys.readouterr().out
    found = json.loads(report.read_text("utf-8"))
    assert found["kind"]["classes"] == found["listed"]["classes"] == 37
    assert found["folder"]["written_by"] == "Paddle 2.6.2"
    assert found["listed"]["white"] == {"U+3000": [34]} and found["listed"]["twice"] == ["A"]
    for part in ("byte order mark", "twice, such as 'A'", "several characters, such as 'AB'"):
        assert part in printed
    # Besides, Paddle is not installed, and no pictures were given.
    assert found["problems"] == [] and len(found["hints"]) == 5
    assert printed.startswith("No problems found.\n\nHints\n")


def test_network_that_runs_at_one_width_only_is_examined_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = shutil.copytree(ZOO_EXPORTS / "rec_vit_parseq" / "pir", tmp_path / "mine")
    for request in (Request(mine), Request(mine, ignore_settings=True, algorithm="PARSeq")):
        examined = examine_folder(request, entries.load())
        assert not any("doesn't run" in problem for problem in examined.problems)
        assert examined.facts.compared[0].passed
    (problem,) = examine_folder(Request(mine, ignore_settings=True), entries.load()).problems
    assert (
        problem.startswith("mine: nothing says what this network is") and "--algorithm" in problem
    )
    assert main(["convert", str(mine), "--ignore-yml", "-o", str(tmp_path / "out")]) == 1
    assert f"error: {problem}" in capsys.readouterr().err


def test_detector_without_settings_is_not_tried_on_pictures(tmp_path: Path) -> None:
    folder = shutil.copytree(ZOO_EXPORTS / "PP-OCRv6_tiny_det" / "pir", tmp_path / "export")
    (folder / "inference.yml").unlink()
    examination = examine_folder(Request(folder, IMAGES / "sample.jpg"), entries.load())
    assert examination.problems == []
    assert any("without an inference.yml, nothing says" in hint for hint in examination.hints)


@pytest.mark.stress  # the conversion of NRTR takes seconds
def test_dictionary_that_is_too_short_for_an_open_number_of_classes(tmp_path: Path) -> None:
    """NRTR chooses the classes inside its graph, whose shapes don't show how many there are."""
    (tmp_path / "keys.txt").write_text("a\nb\nc\n", "utf-8")
    cv2.imwrite(str(tmp_path / "line.png"), images.load(IMAGES / "sample.jpg")[265:310])
    request = Request(
        ZOO_EXPORTS / "rec_mtb_nrtr" / "pir", tmp_path / "line.png", [tmp_path / "keys.txt"]
    )
    (problem,) = examine_folder(request, entries.load()).problems
    assert f"if {tmp_path / 'keys.txt'} lacks characters, name the dictionary that" in problem


@pytest.mark.slow
def test_regions_are_counted_against_labels(tmp_path: Path) -> None:
    rows = []
    for i, (image, quads, texts) in enumerate(pages.pages(2, 2026, (384, 512))):
        cv2.imwrite(str(tmp_path / f"{i}.png"), image)
        lines = [
            {"transcription": text, "points": quad.tolist()}
            for text, quad in zip(texts, quads, strict=True)
        ]
        rows.append(f"{i}.png\t{json.dumps(lines)}")
    (tmp_path / "Label.txt").write_text("\n".join(rows) + "\n", "utf-8")
    report = tmp_path / "doctor.json"
    folder = str(TRAINED_EXPORTS / "db")
    assert main(["doctor", folder, "--images", str(tmp_path), "--json", str(report)]) == 0
    found = json.loads(report.read_text("utf-8"))["pictures"]
    for each in found["regions"]:
        assert each["matched"] >= 0.9 * each["labelled"] > 0
    assert found["attempts"][0]["score"] > 0.9


@pytest.mark.stress
@pytest.mark.parametrize("network", ["det_r50_vd_dcn_fce_ctw", "det_r18_vd_ct"])
def test_detectors_of_curved_text_are_tried(network: str, tmp_path: Path) -> None:
    arguments = [
        "doctor",
        str(ZOO_EXPORTS / network / "pir"),
        "--images",
        str(IMAGES / "sample.jpg"),
    ]
    report = tmp_path / "doctor.json"
    assert main([*arguments, "--json", str(report)]) == 0
    (found,) = json.loads(report.read_text("utf-8"))["pictures"]["regions"]
    assert found["picture"] == "sample.jpg" and found["edgeocr"] > 0


@pytest.mark.paddle
def test_paddle_reads_the_same(tmp_path: Path) -> None:
    wrong_folders.draw(tmp_path / "words", 12)
    report = tmp_path / "doctor.json"
    arguments = ["doctor", str(TRAINED_EXPORTS / "crnn"), "--images", str(tmp_path / "words")]
    assert main([*arguments, "--json", str(report)]) == 0
    found = json.loads(report.read_text("utf-8"))
    assert [each["passed"] for each in found["compared"]] == [True] * 3
    lines = found["pictures"]["lines"]
    assert len(lines) == 12
    assert all(line["label"] == line["edgeocr"] == line["paddle"] for line in lines)


def test_scripts_and_white_space_of_a_dictionary(tmp_path: Path) -> None:
    assert scripts(["中", "文", "a", "1", "あ"]) == {"Chinese": 2, "Latin": 1, "Japanese": 1}
    characters = ["中", "", "\u3000", "中", "\t"]
    charset = FAMILIES["CTC"].charset(len(characters))
    found = listed(tmp_path / "none.txt", characters, charset, space=False)
    assert found.white == {"empty": [2], "U+3000": [3], "U+0009": [5]}
    assert found.twice == ["中"] and found.classes == 6 and not found.byte_order_mark


def test_symbols_fill_the_classes_that_are_not_special() -> None:
    assert symbols(["a", "b"], [0], 4) == ("", "a", "b", "")
    assert symbols(["a", "b", "c"], [3], 4) == ("a", "b", "c", "")
    assert symbols(["a", "b", "c"], [0], 3) == ("", "a", "b")
