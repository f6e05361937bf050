"""The command line, as a user types it."""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeocr import OCR, Page, images, ocr
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.accuracy.score import normalized
from edgeocr.cli.main import main
from edgeocr.layout import READING_ORDERS, Layout, ReadingOrder, analyse
from tests.support.paths import IMAGES

SAMPLE = str(IMAGES / "sample.jpg")
CPU = ["--provider", "cpu"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_read_prints_the_texts_of_all_lines(
    capsys: pytest.CaptureFixture[str], labels: dict[str, list[LabelledLine]]
) -> None:
    code, out, err = run(capsys, "read", SAMPLE, *CPU)
    expected = {normalized(line.text) for line in labels["sample.jpg"]}
    assert (code, err) == (0, "")
    assert {normalized(row) for row in out.splitlines() if row} == expected


def test_json_of_one_picture_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "read", SAMPLE, "--format", "json")
    page = json.loads(out)
    assert code == 0
    keys = "source width height lines milliseconds providers blocks rotation frames"
    assert list(page) == keys.split()
    assert (page["source"], page["width"], page["height"]) == (SAMPLE, 960, 720)
    for line in page["lines"]:
        assert set(line) == {"text", "score", "quad"}
        assert np.array(line["quad"]).shape == (4, 2)
    stages = "load resize detection postprocess crops orientation recognition decoding layout"
    assert list(page["milliseconds"]) == stages.split()


def test_bad_source_is_reported_in_its_place_and_the_rest_is_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"not a picture")
    sources = [SAMPLE, str(bad), "missing.png", str(IMAGES / "poster.jpg")]
    code, out, err = run(capsys, "read", *sources, "--format", "jsonl")
    rows = [json.loads(row) for row in out.splitlines()]
    assert code == 1
    assert [row["source"] for row in rows] == sources
    assert [sorted(row) for row in rows[1:3]] == [["error", "source"]] * 2
    assert rows[0]["lines"] and rows[3]["lines"]
    assert "bad.jpg" in err and "missing.png" in err


@pytest.mark.slow
@pytest.mark.parametrize("command", ["read", "detect"])
@pytest.mark.parametrize("order", READING_ORDERS)
def test_reading_order_is_that_of_the_option(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    order: ReadingOrder,
) -> None:
    asked = []

    def analysed(*arguments: Any, reading_order: str, **rest: Any) -> Layout:
        asked.append(reading_order)
        return analyse(*arguments, reading_order=order, **rest)

    monkeypatch.setattr(ocr, "analyse", analysed)
    assert run(capsys, command, SAMPLE, *CPU, "--reading-order", order)[0] == 0
    assert run(capsys, command, SAMPLE, *CPU)[0] == 0
    assert asked == [order, "auto"]


def test_text_of_several_pictures_has_headings(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "read", SAMPLE, str(IMAGES / "poster.jpg"))
    assert code == 0
    assert out.startswith(f"==> {SAMPLE} <==\n")
    assert f"\n==> {IMAGES / 'poster.jpg'} <==\n" in out


def test_folder_is_read_in_the_order_of_names(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("b.jpg", "a.jpg", "übersicht 图.jpg"):
        shutil.copy(SAMPLE, tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    code, out, _ = run(capsys, "read", str(tmp_path), "--format", "json")
    pages = json.loads(out)
    assert code == 0
    assert [Path(page["source"]).name for page in pages] == ["a.jpg", "b.jpg", "übersicht 图.jpg"]
    assert all(page["lines"] for page in pages)


def test_folder_without_pictures_is_an_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, err = run(capsys, "read", str(tmp_path), "--format", "json")
    assert code == 1
    assert "no pictures" in json.loads(out)[0]["error"]
    assert "no pictures" in err


def test_standard_input_is_read_as_a_picture(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(Path(SAMPLE).read_bytes()))
    monkeypatch.setattr(sys, "stdin", stream)
    code, out, _ = run(capsys, "read", "-", "--format", "json")
    assert code == 0
    assert json.loads(out)["source"] == "-"


def test_output_is_written_to_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = tmp_path / "page.json"
    code, out, _ = run(capsys, "read", SAMPLE, "--format", "json", "--output", str(target))
    assert (code, out) == (0, "")
    assert json.loads(target.read_text(encoding="utf-8"))["lines"]
    code, _, err = run(capsys, "read", SAMPLE, "--output", str(tmp_path / "no" / "where"))
    assert code == 1 and "can't be written" in err


def test_pages_read_before_an_interruption_are_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    read = OCR.read

    def interrupted(self: OCR, source: str, **details: bool) -> Page:
        if "poster" in source:
            raise KeyboardInterrupt
        return read(self, source)

    monkeypatch.setattr(OCR, "read", interrupted)
    target = tmp_path / "pages.json"
    sources = [SAMPLE, str(IMAGES / "poster.jpg"), SAMPLE]
    assert run(capsys, "read", *sources, "--output", str(target))[0] == 130
    (page,) = json.loads(target.read_text(encoding="utf-8"))
    assert len(page["lines"]) == 16


def test_overlays_are_written_under_the_names_of_sources(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "overlays"
    copy = tmp_path / "sample.png"
    cv2.imwrite(str(copy), images.load(SAMPLE))
    code, _, _ = run(capsys, "read", SAMPLE, str(copy), "--overlay", str(folder))
    assert code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["sample-2.jpg", "sample.jpg"]
    drawn = images.load(str(folder / "sample.jpg"))
    assert drawn.shape[0] == 720 and drawn.shape[1] in (960, 1920)


def test_sources_are_never_overwritten(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    picture = tmp_path / "a.jpg"
    shutil.copy(SAMPLE, picture)
    content = picture.read_bytes()
    code, out, err = run(capsys, "read", str(picture), "--overlay", str(tmp_path))
    assert code == 1 and "营业时间" in out
    assert "overlay would overwrite it" in err
    code, _, err = run(capsys, "read", str(tmp_path), "--output", str(picture))
    assert code == 1 and "--output would overwrite it" in err
    assert picture.read_bytes() == content


@pytest.mark.slow
def test_ending_of_the_output_chooses_the_format(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, lines in (("a.json", None), ("a.jsonl", 1), ("a.txt", 16)):
        assert run(capsys, "read", SAMPLE, "--output", str(tmp_path / name))[0] == 0
        written = (tmp_path / name).read_text(encoding="utf-8")
        assert written.startswith("{") == (name != "a.txt")
        assert lines is None or len([row for row in written.splitlines() if row]) == lines


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
def test_full_disk_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "read", SAMPLE, "--output", "/dev/full")
    assert code == 1 and "No space left" in err


def test_detect_prints_corners_and_scores(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, labels: dict[str, list[LabelledLine]]
) -> None:
    code, out, _ = run(capsys, "detect", SAMPLE, "--overlay", str(tmp_path))
    rows = out.splitlines()
    assert code == 0
    assert len(rows) == len(labels["sample.jpg"])
    corners, score = rows[0].split("\t")
    assert len(corners.split()) == 4 and 0 < float(score) <= 1
    assert images.load(str(tmp_path / "sample.jpg")).shape == (720, 960, 3)
    code, out, _ = run(capsys, "detect", SAMPLE, "--format", "json")
    found = json.loads(out)
    keys = {"source", "width", "height", "regions", "milliseconds", "providers", "frames"}
    assert set(found) == keys and found["frames"] == 1
    assert all(set(region) == {"quad", "score"} for region in found["regions"])


def test_curved_lines_are_read_on_request(
    capsys: pytest.CaptureFixture[str], labels: dict[str, list[LabelledLine]]
) -> None:
    assert main(["read", str(IMAGES / "badge.jpg"), "--shape", "polygon"]) == 0
    read = filter(None, capsys.readouterr().out.splitlines())
    assert sorted(read) == sorted(line.text for line in labels["badge.jpg"])


def test_recognize_reads_crops_around_a_bad_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    image = images.load(SAMPLE)
    cv2.imwrite(str(tmp_path / "a.png"), image[160:205, 100:545])
    (tmp_path / "b.png").write_bytes(b"")
    cv2.imwrite(str(tmp_path / "c.png"), image[215:255, 360:600])
    code, out, err = run(capsys, "recognize", str(tmp_path), "--format", "jsonl")
    rows = [json.loads(row) for row in out.splitlines()]
    assert code == 1 and "b.png" in err
    assert [normalized(row.get("text", "")) for row in rows] == [
        "NOODLEANDTEAROOM",
        "",
        "09:00-21:30",
    ]
    code, out, _ = run(capsys, "recognize", str(tmp_path / "c.png"))
    assert (code, out.strip()) == (0, "09:00-21:30")


def test_verbose_names_providers_and_times(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = run(capsys, "read", SAMPLE, "--verbose", "--threads", "1")
    assert "detection on cpu" in err and "16 lines" in err and " ms" in err


def test_provider_that_is_not_built_in_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "read", SAMPLE, "--provider", "cuda")
    assert (code, out) == (1, "")
    assert "onnxruntime-gpu" in err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "COMMAND"),
        (["read"], "SOURCE"),
        (["read", SAMPLE, "--format", "xml"], "invalid choice: 'xml'"),
        (["read", SAMPLE, "--reading-order", "up"], "invalid choice: 'up'"),
        (["recognize", SAMPLE, "--reading-order", "rows"], "unrecognized arguments"),
        (["read", SAMPLE, "--threads", "0"], "must be a whole number from 1 to 1000000, not 0"),
        (["read", SAMPLE, "--threads", "two"], "must be a whole number"),
        (["read", SAMPLE, "--provider", "gpu"], "gpu"),
        (["read", SAMPLE, "--provider", "detection=cpu,detection=cuda"], "detection twice"),
        (["read", SAMPLE, "--provider-option", "cuda"], "must be written like cuda:device_id=1"),
        (["read", SAMPLE, "--cpus", "a-b"], "0,2-3"),
        (["read", SAMPLE, "--memory-limit", "much"], "much"),
        (["read", SAMPLE, "--max-pixels", "10"], "must be a whole number from 4096"),
        (["read", SAMPLE, "--cache", "folder"], "unrecognized arguments: --cache"),
        (["read", SAMPLE, "--provider", "reading=cpu"], "reading"),
        (["bundle"], "ACTION"),
        (["bench", "--providers", "gpu"], "unknown provider 'gpu'"),
        (["bench", "--repeat", "0"], "must be a whole number"),
        (["bench", "--images", "-"], "name files instead of -"),
        (["bench", "--json", "no/where.json"], "there is no folder no"),
        (["bench", "--json", "a", "--html", "a"], "--json and --html name the same file"),
    ],
)
def test_wrong_arguments_exit_with_2_and_a_usage(
    capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith("usage: edgeocr") and complaint in err


def test_cpus_are_a_usage_error_on_a_system_without_affinity(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    with pytest.raises(SystemExit) as caught:
        main(["read", SAMPLE, "--cpus", "0"])
    assert caught.value.code == 2
    assert "this system can't bind threads to CPUs" in capsys.readouterr().err


def test_damaged_bundle_is_refused_by_every_command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, embedded_files: dict[str, bytes]
) -> None:
    for name, content in embedded_files.items():
        path = tmp_path / "bundle" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert run(capsys, "bundle", "verify", str(tmp_path / "bundle"))[0] == 0
    (tmp_path / "bundle" / "graphs" / "detection.onnx").write_bytes(b"changed")
    for command in (["bundle", "verify"], ["bundle", "show"], ["read", SAMPLE, "--bundle"]):
        code, _, err = run(capsys, *command, str(tmp_path / "bundle"))
        assert code == 1 and "graphs/detection.onnx is not the file" in err


def test_progress_bar_is_shown_on_terminals_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    _, out, err = run(capsys, "read", SAMPLE, SAMPLE)
    assert "2/2 sample.jpg" in err
    assert "2/2" not in out
    _, _, err = run(capsys, "read", SAMPLE)
    assert err == ""


@pytest.mark.slow
def test_closed_pipe_ends_without_a_traceback() -> None:
    command = [sys.executable, "-m", "edgeocr", "read", *[SAMPLE] * 3]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    assert process.wait() == 1


def test_warm_prints_shapes_and_provider_of_each_stage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["warm", "--provider", "cpu", "--threads", "1"]) == 0
    rows = capsys.readouterr().out.splitlines()
    stages = ["detection", "orientation", "recognition"]
    assert [row.partition(":")[0] for row in rows[:-1]] == stages
    assert rows[-1] == ", ".join(f"{stage}=cpu fp32" for stage in stages)
    assert all(" 1 input shape on cpu in " in row for row in rows[:-1])
