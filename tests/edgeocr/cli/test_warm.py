"""`edgeocr warm` prepares a device, and checks that it reads what the CPU reads in float32."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeocr import OCR
from edgeocr.cli.main import main
from tests.support.packing import Files, packed
from tests.support.variants import NEEDED, cpu_has, fleet, wrong


@pytest.fixture
def path(embedded_files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle whose int8 graph of recognition reads something else, and a CPU that takes it."""
    cpu_has(monkeypatch, *NEEDED)
    graph = wrong(embedded_files["graphs/recognition.onnx"])
    return packed(fleet(embedded_files, graph), tmp_path / "reader.edgeocr")


def warm(path: Path, pictures: Path, *arguments: str) -> int:
    images = ["--images", str(pictures / "sample.jpg")]
    return main(["warm", "--bundle", str(path), "--threads", "1", *images, *arguments])


def test_the_next_best_is_taken_for_a_stage_that_reads_wrongly(
    path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert warm(path, pictures) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "recognition: int8, the CPU has avx512_vnni"
    refused, outcome = said[-2:]
    assert refused.startswith("not used from now on: recognition on cpu int8: it reads ")
    assert outcome == "detection=cpu fp32, orientation=cpu fp32, recognition=cpu fp32"
    assert path.with_name("reader.tuned.json").is_file()
    with OCR(path) as ocr:
        assert ocr.variants == {"recognition": "fp32"}
        assert "not int8: it reads " in ocr.variant_reasons["recognition"]
    assert warm(path, pictures) == 0  # again, and nothing is wrong any more
    assert "not used from now on" not in capsys.readouterr().out


@pytest.mark.stress
@pytest.mark.slow
def test_what_was_named_and_reads_wrongly_is_a_failure(
    path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert warm(path, pictures, "--variant", "recognition=int8") == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[-1].endswith("recognition=cpu int8")
    assert "edgeocr: recognition on cpu int8: it reads " in said.err
    assert not path.with_name("reader.tuned.json").exists()


@pytest.mark.stress
@pytest.mark.slow
def test_what_cannot_be_kept_is_an_error(
    path: Path,
    tmp_path: Path,
    pictures: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path.with_name("reader.tuned.json").mkdir()
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert warm(path, pictures) == 1
    assert "what was measured can't be kept" in capsys.readouterr().err


def test_nothing_is_compared_where_all_stages_run_on_the_cpu_in_float32(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeocr.tuning.process.WORKER", "raise SystemExit(3)")
    assert main(["warm", "--threads", "1"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("detection: 1 input shape on cpu in ")
    assert said[-1] == "detection=cpu fp32, orientation=cpu fp32, recognition=cpu fp32"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("int4", "unknown variant 'int4': choose one of fp32, int8, fp16"),
        ("recognition=", "must be written like detection=fp32,recognition=int8"),
        ("recognition=int8,recognition=fp32", "names the stage recognition twice"),
        ("fp16", "no stage of the bundle has a graph 'fp16'"),
    ],
)
def test_a_wrong_name_is_wrong_usage(
    path: Path, capsys: pytest.CaptureFixture[str], name: str, message: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["warm", "--bundle", str(path), "--provider", "cpu", "--variant", name])
    assert ended.value.code == 2 and message in capsys.readouterr().err
