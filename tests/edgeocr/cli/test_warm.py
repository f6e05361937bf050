"""`edgeocr warm` prepares a device: it measures the graphs of a stage that has several."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeocr.cli.main import main
from tests.support.packing import Files, packed
from tests.support.variants import NEEDED, broken, cpu_has, fleet


@pytest.fixture
def path(embedded_files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle with several graphs, on a CPU with the instructions for int8."""
    cpu_has(monkeypatch, *NEEDED)
    monkeypatch.setattr("edgeocr.variants.timing.MOST_ROUNDS", 3)
    return packed(fleet(embedded_files), tmp_path / "fleet.edgeocr")


@pytest.mark.slow
def test_warm_measures_once_and_says_what_is_taken(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["warm", "--bundle", str(path), "--provider", "cpu", "--threads", "1"]
    assert main(command) == 0
    said = capsys.readouterr().out.splitlines()
    (kept,) = path.parent.glob("fleet.variants-*.json")
    assert said[0] == f"variants: {kept}, measured now"
    assert said[1].startswith("recognition: ") and ", measured " in said[1]
    assert main(command) == 0
    assert "measured before" in capsys.readouterr().out


@pytest.mark.slow
def test_warm_measures_nothing_where_the_graph_is_pinned(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["warm", "--bundle", str(path), "--provider", "cpu", "--threads", "1"]
    assert main([*command, "--variant", "recognition=fp32"]) == 0
    assert capsys.readouterr().out.startswith("recognition: fp32, pinned by the caller\n")
    assert list(path.parent.glob("*.json")) == []


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


def test_a_graph_that_fails_is_told_by_warm_and_by_bundle_show(
    embedded_files: Files,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cpu_has(monkeypatch, *NEEDED)
    monkeypatch.setattr("edgeocr.variants.timing.MOST_ROUNDS", 3)
    graph = broken(embedded_files["graphs/recognition.onnx"])
    path = str(packed(fleet(embedded_files, graph), tmp_path / "fleet.edgeocr"))
    assert main(["bundle", "show", path]) == 0
    assert "measured on this device" not in capsys.readouterr().out
    assert main(["warm", "--bundle", path, "--provider", "cpu", "--threads", "1"]) == 0
    assert "not int8: measuring it failed: ONNX Runtime can't load" in capsys.readouterr().out
    assert main(["bundle", "show", path]) == 0
    said = capsys.readouterr().out.split("measured on this device, for a run on one thread\n")[1]
    assert said.startswith("  recognition: fp32 ") and " ms; int8 failed: ONNX Runtime" in said
