"""Accuracy on sets in published formats, with the packaged bundle and with small networks."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import pytest

from benchmarks import __main__ as command_line
from edgeocr.accuracy import label_file
from tests.support.datasets import lmdb_database, lmdb_values, text
from tests.support.frozen import frozen
from tests.support.paths import EMBEDDED_BUNDLE, IMAGES, TRAINED_EXPORTS
from tests.trained import words


def run(monkeypatch: pytest.MonkeyPatch, *options: object) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "accuracy", *map(str, options)])
    command_line.main()


def cells(printed: str) -> list[list[str]]:
    rows = [row for row in printed.splitlines() if row.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


@pytest.fixture(scope="module")
def icdar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of the repository's pictures as ICDAR 2015 would label it, one line as unreadable."""
    root = tmp_path_factory.mktemp("icdar")
    lines = label_file.labels_of(IMAGES / "Label.txt")[IMAGES / "sample.jpg"]
    assert all(len(line.polygon) == 4 for line in lines)
    corners = [",".join(f"{x:.0f}" for x in line.polygon.ravel()) for line in lines]
    texts = [line.text for line in lines[:-1]] + ["###"]
    rows = [f"{numbers},{words}" for numbers, words in zip(corners, texts, strict=True)]
    text(root / "gt" / "gt_img_1.txt", *rows, encoding="utf-8-sig")
    (root / "images").mkdir()
    (root / "images" / "img_1.jpg").write_bytes((IMAGES / "sample.jpg").read_bytes())
    return root


@pytest.fixture(scope="module")
def dtrb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two databases of drawn words, the second with one that is labelled wrongly."""
    root = tmp_path_factory.mktemp("dtrb")
    drawn = [
        (cv2.imencode(".png", word.crop)[1].tobytes(), word.text.capitalize() + "!")
        for word in words.clean(9, 7)
    ]
    wrong = [(content, label[:-1] + "Q") for content, label in drawn[:1]]
    lmdb_database(root / "SVT", wrong + drawn[1:4])
    lmdb_database(root / "IIIT5k_3000", drawn[4:])
    return root


def test_detection_table_of_an_icdar_folder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], icdar: Path, tmp_path: Path
) -> None:
    result = tmp_path / "figures.json"
    run(monkeypatch, "--data", icdar, "--table", "detection", "--json", result)
    printed = capsys.readouterr().out
    figures = json.loads(result.read_text())[icdar.name]["edgeocr"]["icdar2015"]
    assert "1 pictures with 15 regions, IoU over 0.5:" in printed
    header, _, row = cells(printed)
    assert header == ["Bundle", "Network", "precision", "recall", "Hmean"]
    shares = [f"{100 * figures[name]:.2f}%" for name in ("precision", "recall", "hmean")]
    assert row == ["tiny", "PP-OCRv6_tiny_det", *shares]
    assert figures["hmean"] == figures["e2e_hmean"] == 1


def test_row_by_icdars_protocol_stands_below_our_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], icdar: Path
) -> None:
    run(monkeypatch, "--data", icdar / "gt")
    picture, *_, row = capsys.readouterr().out.splitlines()
    assert picture.startswith("img_1.jpg") and " 15 lines" in picture
    assert row.startswith("ICDAR 2015")
    assert "detection P 1.0000  R 1.0000  H 1.0000  end-to-end P 1.0000" in row


@pytest.mark.slow
def test_recognition_table_has_a_column_for_each_set_and_a_row_for_each_bundle(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], dtrb: Path, tmp_path: Path
) -> None:
    crnn = tmp_path / "crnn.edgeocr"
    frozen(crnn, recognition=str(TRAINED_EXPORTS / "crnn"))
    options = ("--data", dtrb, "--bundles", EMBEDDED_BUNDLE, crnn, "--table", "recognition")
    run(monkeypatch, *options)
    printed = capsys.readouterr().out
    assert printed.startswith("9 words, 36 characters, whatever their case:\n\n| Bundle |")
    header, _, tiny, small = cells(printed)
    assert header == ["Bundle", "Network", "IIIT5k_3000", "SVT", "Average"]
    assert tiny[0] == "tiny" and tiny[2].endswith("%")
    # Case and the mark at the end don't count; the wrong label does.
    assert small == ["crnn", small[1], "100.00%", "75.00%", "88.89%"]


@pytest.mark.slow
def test_bundle_that_only_recognizes_is_not_credited_with_detection(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    icdar: Path,
    tmp_path: Path,
) -> None:
    crnn = tmp_path / "crnn.edgeocr"
    frozen(crnn, recognition=str(TRAINED_EXPORTS / "crnn"))
    run(monkeypatch, "--data", icdar, "--bundle", crnn)
    assert "ICDAR 2015" not in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run(monkeypatch, "--data", icdar, "--bundle", crnn, "--table", "detection")
    assert "needs bundles that detect; crnn does not" in capsys.readouterr().err


@pytest.mark.slow
def test_bundle_that_only_detects_has_the_columns_of_detection(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    icdar: Path,
    tmp_path: Path,
) -> None:
    db = tmp_path / "db.edgeocr"
    frozen(db, detection=str(TRAINED_EXPORTS / "db"))
    run(monkeypatch, "--data", icdar, "--bundle", db)
    picture, *_, row = capsys.readouterr().out.splitlines()
    assert "det H 0." in picture and "CER" not in picture
    assert "detection P 0." in row and "end-to-end" not in row


def test_words_have_a_row_for_each_set_and_their_errors_below(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], dtrb: Path, tmp_path: Path
) -> None:
    result = tmp_path / "figures.json"
    run(monkeypatch, "--data", dtrb, "--errors", "--json", result)
    rows = capsys.readouterr().out.splitlines()
    first, second, average = (row for row in rows if not row.startswith("    "))
    assert first.startswith("IIIT5k_3000") and second.startswith("SVT")
    assert average.startswith("average") and " 9 words  accuracy " in average
    # No word is exact: the labels have a mark at the end, and other letters are small.
    assert sum(row.startswith("    image-0000000") for row in rows) == 9
    figures = json.loads(result.read_text())
    assert figures["SVT"]["edgeocr"]["words"] == 4
    assert figures["SVT"]["edgeocr"]["figures"]["accuracy"] <= 0.75
    assert figures["IIIT5k_3000"]["edgeocr"]["figures"]["accuracy"] >= 0.6


def test_sets_of_the_same_name_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, dtrb: Path, tmp_path: Path
) -> None:
    result = tmp_path / "figures.json"
    run(monkeypatch, "--data", dtrb / "SVT", dtrb, "--json", result)
    assert list(json.loads(result.read_text())) == [
        f"{dtrb / 'SVT'}: SVT",
        "IIIT5k_3000",
        f"{dtrb}: SVT",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--table", "detection"], "needs pictures with labelled lines, not single words"),
        (["--peers", "rapidocr"], "--peers needs one bundle, and pictures with labelled lines"),
        (["--worst", "-1"], "--worst must be 1 or more"),
        (["--dataset", "sroie"], "there are no labels of the format sroie"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    dtrb: Path,
    options: list[str],
    message: str,
) -> None:
    with pytest.raises(SystemExit):
        run(monkeypatch, "--data", dtrb, *options)
    assert message in capsys.readouterr().err


def test_picture_that_is_damaged_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    values = {"num-samples": b"1", "label-000000001": b"a", "image-000000001": b"no picture"}
    lmdb_values(tmp_path / "SVT", values)
    with pytest.raises(SystemExit):
        run(monkeypatch, "--data", tmp_path)
    assert "SVT/image-000000001" in capsys.readouterr().err
