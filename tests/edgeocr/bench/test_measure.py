"""`edgeocr bench`: cells that take turns, and the result."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from edgeocr import OCR, Bundle, EdgeOCRError
from edgeocr.bench import cell_process, pictures
from edgeocr.bench.cell import Measured, Taken
from edgeocr.bench.measure import measure
from edgeocr.bench.progress import Progress
from edgeocr.bench.redact import without_folders
from edgeocr.bench.result import BenchResult
from edgeocr.bench.settings import Settings
from edgeocr.runtime.onnx_runtime import import_onnxruntime
from edgeocr.runtime.providers import PROVIDERS
from tests.support.paths import IMAGES

SAMPLE = IMAGES / "sample.jpg"
ABSENT = [
    name
    for name, provider in PROVIDERS.items()
    if provider.onnxruntime_name not in import_onnxruntime().get_available_providers()
]
# A measuring process that misbehaves as its number of threads says; with one thread it is good.
FAILING = """
import sys, os, signal, time; sys.path[:] = sys.argv[1:]
from edgeocr.bench import worker
class Failing(worker.Worker):
    def _round(self):
        if self._request.threads == 2:
            print('printed by a library', flush=True)
            raise ValueError('in /opt/somewhere/lib/libcuda.so.1')
        if self._request.threads == 3:
            os.kill(os.getpid(), 9)
        if self._request.threads == 4:
            print('waiting for the device', flush=True)
            time.sleep(60)
        return super()._round()
worker.Worker = Failing
sys.exit(worker.main())
"""


@pytest.fixture(scope="module")
def result() -> BenchResult:
    """The sample read twice on the CPU, and combinations that do not work here."""
    return measure(
        providers=["cpu", *ABSENT[:1]],
        precisions=["auto", "int8"],
        threads=[2],
        sources=[SAMPLE],
        repeat=2,
        minutes=0.01,
        settings=Settings(max_pixels=600_000),
    )


def figures(result: BenchResult) -> Measured:
    """Return the figures of the only cell that works."""
    (measured,) = result.working.values()
    return measured


def test_times_of_a_cell_are_consistent(result: BenchResult) -> None:
    measured = figures(result)
    start = measured.cold_start_ms
    assert start.total > start.importing + start.opening + start.first_page > 0
    assert [len(times) for times in measured.reads_ms] == [2]
    stages = "load resize detection postprocess crops orientation recognition decoding layout rest"
    assert list(measured.stages_ms) == stages.split()
    for spread in (measured.page_ms, *measured.stages_ms.values()):
        assert 0 <= spread.min <= spread.p50 <= spread.p90 <= spread.p99
    assert measured.page_ms.min == min(measured.times_ms[0])
    assert measured.pages_per_second == pytest.approx(2000 / sum(measured.times_ms[0]), 0.01)
    assert [turn.pages for turn in measured.stream] == [1, 1]
    assert measured.warm_up_ms > 0


def test_what_really_ran_is_recorded(result: BenchResult) -> None:
    measured = figures(result)
    stages = ("detection", "orientation", "recognition")
    assert measured.taken == dict.fromkeys(stages, Taken("cpu", "fp32"))
    assert measured.threads == 2
    assert measured.gpu_bytes is None
    assert measured.failed == [] and measured.same_each_time
    if sys.platform != "win32":
        assert measured.peak_rss_bytes is not None
        assert 30 << 20 < measured.peak_rss_bytes < 4 << 30


def test_reading_is_that_of_ocr_and_its_own_reference(result: BenchResult) -> None:
    with OCR(provider="cpu", max_pixels=600_000) as ocr:
        page = ocr.read(SAMPLE)
    measured = figures(result)
    assert measured.lines == len(page)
    assert measured.texts_sha256 == sha256(page.text.encode()).hexdigest()
    agreement = measured.agreement
    assert agreement is not None
    assert (agreement.lines, agreement.same, agreement.score_difference) == (
        len(page),
        len(page),
        0,
    )
    assert result.bundles["tiny"].reference.lines == len(page)


def test_label_file_beside_the_pictures_is_found(result: BenchResult) -> None:
    assert result.labels is not None
    assert (result.labels.name, result.labels.pictures) == ("Label.txt", 1)
    accuracy = figures(result).accuracy
    assert accuracy is not None and accuracy == result.bundles["tiny"].reference.accuracy
    assert (accuracy.pictures, accuracy.lines) == (1, result.labels.lines)
    assert accuracy.detection_hmean >= accuracy.hmean > 0.8 and accuracy.cer < 0.1


def test_sustained_load_is_measured_in_the_best_cell(result: BenchResult) -> None:
    sustained = figures(result).sustained
    assert sustained is not None and sustained.minutes == result.minutes == 0.01
    assert sustained.samples[-1].seconds >= 0.6
    assert sum(sample.pages for sample in sustained.samples) >= len(sustained.samples)


def test_result_records_pictures_bundle_and_settings(result: BenchResult, bundle: Bundle) -> None:
    assert result.schema == result.repeat == 2
    assert result.settings.changed() == {"max_pixels": 600_000}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", result.when)
    (picture,) = result.images
    assert (picture.name, picture.width, picture.height) == ("sample.jpg", 960, 720)
    assert picture.bytes == SAMPLE.stat().st_size
    measured = result.bundles["tiny"]
    assert measured.sha256 == bundle.digest
    assert measured.bytes == bundle.path.stat().st_size
    files = bundle.manifest.files
    for stage, graphs in measured.graphs.items():
        own = getattr(bundle.manifest.stages, stage)
        assert graphs == {own.precision: files[own.graph].sha256}
    stages = {"detection", "orientation", "recognition"}
    assert set(measured.models) == set(measured.graphs) == stages
    assert {"numpy"} < set(result.packages)


def test_result_survives_json(result: BenchResult) -> None:
    record = json.loads(json.dumps(result.to_dict()))
    assert BenchResult.from_dict(record) == result


@pytest.mark.skipif(not ABSENT, reason="this ONNX Runtime has every provider")
def test_combinations_that_do_not_work_have_reasons(result: BenchResult) -> None:
    reasons = {
        (cell.provider, cell.precision): cell.not_measured
        for cell in result.cells
        if cell.not_measured is not None
    }
    failed = reasons[ABSENT[0], "auto"]
    assert failed.why == "failed" and "is not in the installed ONNX Runtime" in failed.reason
    pointless = reasons["cpu", "int8"]
    assert pointless.why == "no meaning" and "no stage of the bundle" in pointless.reason


def test_measuring_without_a_picture_is_an_error(tmp_path: Path) -> None:
    bad = tmp_path / "bad one.jpg"
    bad.write_bytes(b"no picture")
    with pytest.raises(EdgeOCRError, match=r"bad one\.jpg"):
        measure(providers=["cpu"], sources=[bad])
    with pytest.raises(EdgeOCRError, match="no pictures to read"):
        measure(providers=["cpu"], sources=[])
    with pytest.raises(ValueError, match="name at least one bundle"):
        measure(providers=[], sources=[SAMPLE])


@pytest.mark.stress
def test_failing_processes_are_reported_and_the_others_are_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cell_process, "WORKER", FAILING)
    monkeypatch.setattr(cell_process, "PAGE_PATIENCE", 5.0)
    steps: list[Progress] = []
    result = measure(
        providers=["cpu"],
        threads=[3, 2, 1, 4],
        sources=[SAMPLE],
        repeat=1,
        on_progress=steps.append,
    )
    assert list(result.working) == ["cpu 1 thread"]
    killed, raised, _, hung = (
        "" if cell.not_measured is None else cell.not_measured.reason for cell in result.cells
    )
    assert raised.startswith("the measuring process ended with exit code 1")
    assert raised.endswith("\nValueError: in libcuda.so.1") and '"/' not in raised
    assert hung.startswith("the measuring process has hung: it sent nothing for 5 seconds (round)")
    assert hung.endswith("; the end of its log: waiting for the device")
    if sys.platform != "win32":
        assert killed.startswith("the measuring process was killed by signal 9 SIGKILL")
    assert steps[0] == Progress("cpu 3 threads", "starting")
    assert steps[-1] == Progress("cpu 1 thread", "comparing")


@pytest.mark.slow
def test_cells_take_turns_and_another_one_begins_each_round() -> None:
    steps: list[Progress] = []
    measure(providers=["cpu"], threads=[1, 2], sources=[SAMPLE], repeat=2, on_progress=steps.append)
    turns = [(step.cell, step.done) for step in steps if step.phase == "reading" and step.total]
    one, two = "cpu 1 thread", "cpu 2 threads"
    assert turns == [(one, 1), (two, 1), (two, 2), (one, 2)]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(sys.platform == "win32", reason="signal 0 would end a process of Windows")
@pytest.mark.parametrize("phase", ["warming up", "reading a stream"])
def test_interruption_ends_all_processes(monkeypatch: pytest.MonkeyPatch, phase: str) -> None:
    pids: list[int] = []

    class Noted(subprocess.Popen[str]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            pids.append(self.pid)

    def interrupt(step: Progress) -> None:
        if step.phase == phase:
            raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", Noted)
    with pytest.raises(KeyboardInterrupt):
        measure(providers=["cpu"], sources=[SAMPLE], repeat=1, on_progress=interrupt)
    assert pids and not any(map(alive, pids))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_measuring_process_leaves_ctrl_c_to_its_parent() -> None:
    steps: list[str] = []

    def interrupt(step: Progress) -> None:
        steps.append(step.phase)
        if step.phase == "warming up":
            for child in Path("/proc/self/task").glob("*/children"):
                for pid in child.read_text().split():
                    os.kill(int(pid), signal.SIGINT)

    result = measure(providers=["cpu"], sources=[SAMPLE], repeat=1, on_progress=interrupt)
    assert list(result.working) == ["cpu"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/usr/lib/x86_64-linux-gnu/libcudnn.so.9: no", "libcudnn.so.9: no"),
        ('File "/home/ann/my.venv/ort.py", line 3', 'File "ort.py", line 3'),
        ("see https://onnxruntime.ai/docs/x.html and/or a/b/c", None),
        ("1/2 of CUDA / cuDNN at /dev", None),
        ("error:/opt/lib/a.so", "error:a.so"),
        (r"C:\Users\ann\x.dll is gone", "x.dll is gone"),
        ("/with a blank/in it.jpg: damaged", "in it.jpg: damaged"),
    ],
)
def test_messages_keep_file_names_and_lose_folders(text: str, expected: str | None) -> None:
    assert without_folders(text, ["/with a blank/in it.jpg"]) == (expected or text)


def test_pictures_in_the_package_equal_those_of_the_tests() -> None:
    assert [path.name for path in pictures.samples()] == [
        "poster.jpg",
        "receipt.jpg",
        "sample.jpg",
    ]
    for path in pictures.samples():
        assert path.read_bytes() == (IMAGES / path.name).read_bytes()
