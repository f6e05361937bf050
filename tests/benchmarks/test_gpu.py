"""`python -m benchmarks gpu`: its refusals, its files, and reading them again."""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import gpu
from benchmarks.proof.claims.all import CLAIMS
from benchmarks.proof.record import load
from edgeocr.device import nvidia
from tests.support.proofs import PROOF


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    gpu.add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("driver", "gpus", "providers", "said"),
    [
        (None, [], ["cpu"], "NVIDIA's driver was not found"),
        ((13, 0), [], ["cpu", "cuda"], "it finds no GPU"),
        ((13, 0), [nvidia.GPU("L4", "8.9", 1)], ["cpu"], "has no provider for NVIDIA's GPUs"),
    ],
)
def test_without_a_gpu_one_sentence_says_what_is_missing(
    driver: tuple[int, int] | None,
    gpus: list[nvidia.GPU],
    providers: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(nvidia, "driver", lambda: driver)
    monkeypatch.setattr(nvidia, "gpus", lambda: gpus)
    monkeypatch.setattr(gpu, "built_in", lambda: providers)
    with pytest.raises(SystemExit) as ended:
        gpu.run(parsed("-o", "results"))
    assert ended.value.code == 1
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_a_gpu_that_can_be_used_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia, "driver", lambda: (13, 0))
    monkeypatch.setattr(nvidia, "gpus", lambda: [nvidia.GPU("L4", "8.9", 1)])
    monkeypatch.setattr(gpu, "built_in", lambda: ["cpu", "tensorrt-rtx"])
    assert gpu.missing(None) is None
    assert "'openvino' is not installed" in (gpu.missing("openvino") or "")


@pytest.mark.parametrize(
    ("words", "said"),
    [([], "-o DIR is missing"), (["-o", "x", "--minutes", "0"], "--minutes must be positive")],
)
def test_impossible_arguments(
    words: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(gpu, "missing", lambda stand_in: None)
    with pytest.raises(SystemExit):
        gpu.run(parsed(*words))
    assert said in capsys.readouterr().err


def test_files_are_named_after_the_gpu_and_read_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gpu.file_name(PROOF) == "gpu-nvidia-gpu-1"
    board = replace(PROOF.machine, gpus=[], cpu="Some Board")
    assert gpu.file_name(replace(PROOF, stand_in="openvino", machine=board)) == (
        "gpu-stand-in-some-board-8"
    )
    gpu.write(PROOF, tmp_path / "gpu")
    assert load(tmp_path / "gpu.json") == PROOF
    assert (tmp_path / "gpu.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    gpu.run(parsed("--show", str(tmp_path / "gpu.json")))
    assert capsys.readouterr().out == (tmp_path / "gpu.md").read_text(encoding="utf-8")


def test_a_broken_file_is_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gpu.json").write_text("{}")
    with pytest.raises(SystemExit):
        gpu.run(parsed("--show", str(tmp_path / "gpu.json")))
    assert "gpu.json is not a proof: its schema is None" in capsys.readouterr().err


def test_this_machine_is_described_without_names_of_hosts() -> None:
    described = gpu.describe()
    assert described.cpus >= described.cpus_available >= 1 and described.python


@pytest.mark.openvino
def test_a_rehearsal_gives_a_verdict_for_each_claim(tmp_path: Path) -> None:
    words = ["gpu", "-o", str(tmp_path), "--stand-in", "openvino", "--minutes", "1"]
    subprocess.run([sys.executable, "-m", "benchmarks", *words, "--pages", "50"], check=True)
    (path,) = tmp_path.glob("gpu-stand-in-*.json")
    proof = load(path)
    assert [each.claim for each in proof.verdicts] == [claim.name for claim in CLAIMS]
    outcomes = {each.claim: each.outcome for each in proof.verdicts}
    assert outcomes["doctor"] == "holds"
    assert outcomes["parity"] != "fails"  # on a slow machine there may be no time left for it
    assert not any("the trial itself crashed" in each.reason for each in proof.verdicts)
