"""Arguments of `OCR`: which values are refused, and what the others change."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edgeocr import OCR, Bundle, RuntimeOptions
from edgeocr.bundle.manifest import Stages
from edgeocr.resize import limited_stages
from edgeocr.runtime.placement import Placement
from edgeocr.stages.opening import OpenStages, open_stages


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"shape": "circle"}, "shape must be 'quad' or 'polygon', not 'circle'"),
        ({"threads": 0}, "threads must be at least 1, not 0"),
        ({"threads": -1}, "threads must be at least 1, not -1"),
        ({"max_pixels": 1023}, "max_pixels must be at least 1024, not 1023"),
        ({"max_pixels": -1}, "max_pixels must be at least 1024, not -1"),
        ({"provider": "abacus"}, "abacus"),
        ({"provider": {"spotting": "cpu"}}, "the bundle has no stage 'spotting'"),
        ({"runtime": RuntimeOptions(cpus=(10_000,))}, "CPU"),
    ],
    ids=str,
)
def test_impossible_arguments_are_value_errors(
    bundle: Bundle, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        OCR(bundle, **arguments)


def test_runtime_options_without_cpus_are_refused() -> None:
    with pytest.raises(ValueError, match="cpus must name at least one CPU"):
        RuntimeOptions(cpus=())


def test_max_pixels_limits_the_input_of_detection(bundle: Bundle, pictures: Path) -> None:
    ocr = OCR(bundle, provider="cpu", threads=2, max_pixels=100_000)
    seen: list[tuple[int, ...]] = []
    session = ocr.stages["detection"].session
    session.observer = lambda batch: seen.append(batch.shape)
    assert ocr.detect(pictures / "sample.jpg")
    assert seen[0][1] * seen[0][2] <= 100_000
    assert all(shape[1] * shape[2] <= 100_000 for shape in session.shapes)


def test_max_pixels_changes_nothing_without_a_stage_that_sees_pictures() -> None:
    assert limited_stages(Stages(), 5) == Stages()


def test_fixed_shapes_reach_every_stage(bundle: Bundle, pictures: Path) -> None:
    natural, padded = (
        OCR(bundle, provider="cpu", threads=2, runtime=RuntimeOptions(fixed_shapes=fixed))
        for fixed in (None, True)
    )
    assert not any(stage.session.fixed_shapes for stage in natural.stages.values())
    assert all(stage.session.fixed_shapes for stage in padded.stages.values())
    seen: dict[str, set[tuple[int, ...]]] = {name: set() for name in padded.stages}
    for name, stage in padded.stages.items():
        stage.session.observer = lambda batch, name=name: seen[name].add(batch.shape)
    page = padded.read(pictures / "badge.jpg")
    assert page.texts == natural.read(pictures / "badge.jpg").texts
    for name, shapes in seen.items():
        assert shapes and shapes <= set(padded.stages[name].session.shapes)


def test_runtime_options_reach_the_stages(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    placements: list[Placement] = []

    def spy(*args: Any, placement: Placement, **options: Any) -> OpenStages:
        placements.append(placement)
        return open_stages(*args, placement=placement, **options)

    monkeypatch.setattr("edgeocr.memory.opening.open_stages", spy)
    runtime = RuntimeOptions(
        provider_options={"cuda": {"device_id": 1}}, fp16=True, engine_cache=tmp_path
    )
    OCR(bundle, provider="cpu", threads=1, runtime=runtime).close()
    (placement,) = placements
    assert placement.options is runtime and placement.graphs_digest == bundle.graphs_digest
    assert placement.engine_root == tmp_path
    OCR(bundle, provider="cpu", threads=1).close()
    assert placements[1].options == RuntimeOptions()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no CPU affinity here")
def test_all_threads_stay_on_the_chosen_cpus(pictures: Path) -> None:
    """The process is a new one, so that all its threads but the first are edgeocr's."""
    code = """
import os, sys, threading
from edgeocr import OCR, RuntimeOptions
allowed = os.sched_getaffinity(0)
chosen = {max(allowed)}
before = set(os.listdir("/proc/self/task"))
ocr = OCR(provider="cpu", threads=3, runtime=RuntimeOptions(cpus=chosen))
ocr.read(sys.argv[1])
made = set(os.listdir("/proc/self/task")) - before
print(len(made), {frozenset(os.sched_getaffinity(int(each))) == frozenset(chosen) for each in made})
assert os.sched_getaffinity(0) == allowed
assert OCR(provider="cpu", runtime=RuntimeOptions(cpus=chosen)).threads == 1
"""
    done = subprocess.run(
        [sys.executable, "-c", code, pictures / "sample.jpg"],
        capture_output=True,
        text=True,
        check=True,
    )
    number, _, same = done.stdout.partition(" ")
    assert int(number) >= 3 and same.strip() == "{True}"
