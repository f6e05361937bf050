"""What `edgeocr doctor` says of NVIDIA's GPUs, drivers and libraries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from edgeocr.device import machine, nvidia
from edgeocr.doctor import collect, findings
from edgeocr.doctor.examination import conclude
from edgeocr.doctor.facts import Facts
from edgeocr.doctor.report import report
from tests.support.machines import JETSON_ORIN_NANO, healthy_facts, tree

MISSING_CUDA = "provider 'cuda' did not start here: libcudnn.so.9 is missing"


@pytest.fixture
def facts() -> Facts:
    """Return the facts of a machine with nothing wrong."""
    return healthy_facts()


def found(facts: Facts) -> tuple[list[str], list[str]]:
    return findings.problems(facts), findings.hints(facts)


def starting(facts: Facts, started: Mapping[str, str | None]) -> Facts:
    """Return facts in which these providers start, or do not for a reason."""
    return replace(facts, onnxruntime=replace(facts.onnxruntime, started=dict(started)))


def add_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    orin = nvidia.GPU("Orin", "8.7", 8 << 30)
    libraries = {"cuda": "12.6", "cudnn": None, "tensorrt": "10.3.0"}
    monkeypatch.setattr(nvidia, "driver", lambda: (12, 6))
    monkeypatch.setattr(nvidia, "gpus", lambda: [orin])
    monkeypatch.setattr(nvidia, "libraries", lambda: libraries)


def test_gpu_on_which_cuda_does_not_start_is_a_problem(
    facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_gpu(monkeypatch)
    facts = replace(facts, nvidia=collect._nvidia())
    started = {"tensorrt": "no libnvinfer", "cuda": MISSING_CUDA, "cpu": None}
    examination = conclude(starting(facts, started))
    (problem,) = examination.problems
    assert MISSING_CUDA in problem
    assert "driver for CUDA up to 12.6, cuda 12.6, cudnn none" in problem
    assert any(each.startswith("tensorrt is in this ONNX Runtime") for each in examination.hints)
    assert examination.recommended.provider.value == "cpu"
    text = report(examination)
    assert "Orin, compute 8.7, 8.0 GiB" in text and f"doesn't start: {MISSING_CUDA}" in text
    gpu = {"name": "Orin", "compute": "8.7", "memory_bytes": 8 << 30}
    assert examination.to_dict()["nvidia"]["gpus"] == [gpu]


def test_gpu_that_is_used_is_recommended(facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    add_gpu(monkeypatch)
    facts = replace(facts, nvidia=collect._nvidia())
    facts = starting(facts, {"tensorrt": None, "cuda": None, "cpu": None})
    assert found(facts) == ([], [])
    provider = findings.recommend(facts).provider
    assert provider.value == "cuda" and "edgeocr warm" in provider.reason


def test_gpu_with_the_package_for_cpus_is_a_hint(
    facts: Facts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add_gpu(monkeypatch)
    facts = replace(facts, nvidia=collect._nvidia())
    problems, (hint,) = found(facts)
    assert problems == []
    assert hint.endswith("pip uninstall -y onnxruntime, then pip install onnxruntime-gpu")
    l4t = machine.describe(tree(tmp_path, JETSON_ORIN_NANO)).l4t
    facts = replace(facts, device=replace(facts.device, l4t=l4t, jetpack="6"))
    assert "JetPack" in found(facts)[1][0]
    assert "L4T 36.4.3, JetPack 6\n" in report(conclude(facts))


def test_cuda_that_does_not_start_without_a_gpu_is_a_hint(facts: Facts) -> None:
    facts = starting(facts, {"cuda": MISSING_CUDA, "cpu": None})
    problems, (hint,) = found(facts)
    assert problems == [] and MISSING_CUDA in hint
    assert findings.recommend(facts).provider.value == "cpu"
