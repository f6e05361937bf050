"""What `edgeocr doctor` says about the TensorRT engines in a bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgeocr import Bundle
from edgeocr.bundle.adding_engines import add_engines
from edgeocr.doctor import attempts, collect, findings
from edgeocr.doctor.collect import Imports
from edgeocr.doctor.examination import conclude
from edgeocr.doctor.report import report
from tests.support.gpu import FakeMachine
from tests.support.machines import healthy_facts
from tests.support.packing import Files, packed


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeMachine:
    return FakeMachine(monkeypatch, tmp_path / "cache")


@pytest.fixture
def fleet(files: Files, machine: FakeMachine, tmp_path: Path) -> Path:
    """A bundle with the engines of the machine."""
    plain = Bundle.open(packed(files, tmp_path / "reader.edgeocr"))
    built = machine.build(tmp_path / "built", plain)
    return packed(add_engines(plain, built).files, tmp_path / "fleet.edgeocr")


def attempted(fleet: Path) -> list[str]:
    """Return the answer of the attempt that the doctor makes in another process."""
    space: dict[str, Any] = {}
    exec(attempts.ENGINES, space)
    answer: list[str] = space["attempt"](str(fleet))
    return answer


def test_engines_for_this_device_are_listed_without_a_hint(
    machine: FakeMachine, fleet: Path
) -> None:
    assert attempted(fleet) == []
    checked = collect._check_bundle(str(fleet))
    assert checked.engines == [str(key) for key in Bundle.open(fleet).manifest.engines]
    text = report(conclude(replace(healthy_facts(), bundle=checked)))
    assert "engines  NVIDIA L4 (compute capability 8.9" in text


def test_engines_for_other_devices_only_are_a_hint(machine: FakeMachine, fleet: Path) -> None:
    machine.versions["tensorrt"] = "10.10.0"
    (reason,) = attempted(fleet)
    assert "TensorRT 10.9.0 instead of 10.10.0: run edgeocr warm" in reason
    checked = replace(collect._check_bundle(str(fleet)), engine_misfits=[reason])
    assert reason in findings.hints(replace(healthy_facts(), bundle=checked))
    # Not where the user has built some.
    machine.build(fleet.parent / "fleet.engines", Bundle.open(fleet))
    assert attempted(fleet) == []


@pytest.mark.parametrize("available", ["TensorrtExecutionProvider", "CPUExecutionProvider"])
def test_engines_are_examined_where_tensorrt_is_built_in(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, available: str
) -> None:
    packages = healthy_facts().packages
    imports = Imports(packages, available=(available,))
    monkeypatch.setattr(collect, "_imports", lambda: imports)
    monkeypatch.setattr(collect, "_started", lambda bundle: {"cpu": None})
    monkeypatch.setattr(collect, "begin", lambda *given, timeout: lambda: (None, "it crashed"))
    expected = ["the bundle's TensorRT engines can't be examined: it crashed"]
    found = collect.collect(str(fleet)).bundle.engine_misfits
    assert found == (expected if available.startswith("Tensorrt") else [])
