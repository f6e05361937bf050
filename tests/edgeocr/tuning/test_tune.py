"""`edgeocr tune` on the CPU, with real processes."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

import edgeocr
from edgeocr import OCR, EdgeOCRError, RuntimeOptions
from edgeocr.cli.main import main
from edgeocr.tuned.record import Candidate
from edgeocr.tuning.lock import only_tuning
from tests.support.packing import Files, packed
from tests.support.variants import NEEDED, cpu_has, fleet, wrong

INT8 = Candidate("cpu", "int8")


@pytest.fixture
def path(embedded_files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle whose int8 graph of recognition reads something else, and a CPU that takes it."""
    cpu_has(monkeypatch, *NEEDED)
    graph = wrong(embedded_files["graphs/recognition.onnx"])
    return packed(fleet(embedded_files, graph), tmp_path / "reader.edgeocr")


@pytest.mark.slow
def test_what_reads_wrongly_is_not_used_from_then_on(path: Path, pictures: Path) -> None:
    with OCR(path, provider="cpu", runtime=RuntimeOptions(tuned=False)) as ocr:
        assert ocr.variants == {"recognition": "int8"}
        assert "NO PARKING" not in ocr.read(pictures / "sample.jpg").text
    said: list[str] = []
    tuning = edgeocr.tune(
        path,
        images=[pictures / "sample.jpg"],
        providers=["cpu"],
        threads=1,
        on_progress=said.append,
    )
    recognition = tuning.stages["recognition"]
    assert [(str(each.candidate), each.verdict) for each in recognition.tried] == [
        ("cpu fp32", "right"),
        ("cpu int8", "refused"),
    ]
    assert recognition.choice is None and recognition.tried[0].milliseconds is not None
    assert tuning.path == path.with_name("reader.tuned.json") and tuning.problem is None
    assert not tuning.kept and tuning.threads is None and tuning.images == 1
    assert said == ["the CPU in float32", "recognition on cpu int8"]
    with OCR(path) as ocr:
        assert ocr.variants == {"recognition": "fp32"}
        assert "NO PARKING" in ocr.read(pictures / "sample.jpg").text


@pytest.mark.stress
def test_a_tuning_keeps_to_its_time_and_prints_tables(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert main(["tune", "--seconds", "20", "--providers", "cpu"]) == 0
    said = capsys.readouterr().out
    for stage in ("detection", "orientation", "recognition"):
        assert f"\n{stage} " in f"\n{said}"
    assert "70 of 70  right" in said
    (kept,) = (tmp_path / "edgeocr" / "tuned").glob("*.tuned.json")
    assert f"kept in {kept}" in said
    assert len(json.loads(kept.read_text())["entries"]) == 1


def test_what_there_is_no_time_for_is_listed(path: Path, pictures: Path) -> None:
    tuning = edgeocr.tune(path, images=[pictures / "sample.jpg"], providers=["cpu"], seconds=0.1)
    assert [each.problem for each in tuning.stages["recognition"].tried] == [
        None,
        "not measured: no time left",
    ]
    assert all(each.problem == "not measured: no time left" for each in tuning.settings)
    assert tuning.stages["recognition"].reason == "cpu int8 was not measured"


def test_a_result_that_cannot_be_kept_is_printed(
    path: Path,
    tmp_path: Path,
    pictures: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    blocked = path.with_name("reader.tuned.json")
    blocked.mkdir()  # nothing can be written under this name, whoever asks
    file = tmp_path / "file"
    file.write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    command = ["tune", "--bundle", str(path), "--providers", "cpu", "--seconds", "1"]
    assert main([*command, "--images", str(pictures / "sample.jpg")]) == 1
    said = capsys.readouterr()
    assert "recognition" in said.out and "kept in" not in said.out
    assert "what was measured can't be kept" in said.err
    assert "set XDG_CACHE_HOME to a folder that is" in said.err


@pytest.mark.skipif(sys.platform == "win32", reason="needs flock")
def test_two_at_once_are_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with only_tuning():
        assert main(["tune"]) == 1
    assert f"process number {os.getpid()}" in capsys.readouterr().err


def test_nothing_can_be_compared_if_the_cpu_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(EdgeOCRError, match="no picture to read"):
        edgeocr.tune(images=[tmp_path / "gone.jpg"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--variant", "fp32"], "unrecognized arguments: --variant fp32"),
        (["--seconds", "0"], "must be a number of seconds from 1 to 86400, not 0"),
        (["--seconds", "soon"], "must be a number of seconds"),
        (["--images", "-"], "name files instead of -"),
        (["--providers", "gpu"], "unknown provider 'gpu'"),
        (["--providers", "auto"], "unknown provider 'auto'"),
    ],
)
def test_wrong_arguments_are_wrong_usage(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["tune", *arguments])
    assert ended.value.code == 2 and said in capsys.readouterr().err


def test_graphs_and_lines_in_a_run_are_not_for_the_caller_to_choose() -> None:
    for runtime in (RuntimeOptions(variant="fp32"), RuntimeOptions(batch=2)):
        with pytest.raises(ValueError, match="leave them out"):
            edgeocr.tune(runtime=runtime)
    with pytest.raises(ValueError, match="seconds must be positive"):
        edgeocr.tune(seconds=0)
