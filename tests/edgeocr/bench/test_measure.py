"""`edgeocr bench`: the measuring processes and the result."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from edgeocr import OCR, Bundle, EdgeOCRError
from edgeocr.bench import measure as bench
from edgeocr.bench import pictures
from edgeocr.bench.measure import Progress, measure
from edgeocr.bench.provider_result import ProviderFailure
from edgeocr.bench.redact import without_folders
from edgeocr.bench.result import BenchResult
from edgeocr.bench.settings import RecordedSettings, Settings
from edgeocr.bench.worker import Request
from edgeocr.runtime.onnx_runtime import import_onnxruntime
from edgeocr.runtime.providers import PROVIDERS
from tests.support.bench_results import provider_result
from tests.support.paths import IMAGES

SAMPLE = IMAGES / "sample.jpg"
ABSENT = [
    name
    for name, provider in PROVIDERS.items()
    if provider.onnxruntime_name not in import_onnxruntime().get_available_providers()
]


@pytest.fixture(scope="module")
def result() -> BenchResult:
    """The sample read twice on the CPU, and a provider that this ONNX Runtime lacks."""
    return measure(
        ["cpu", *ABSENT[:1]],
        sources=[SAMPLE],
        repeat=2,
        settings=Settings(RecordedSettings(max_pixels=600_000), threads=2),
    )


@pytest.mark.slow
def test_times_of_a_provider_are_consistent(result: BenchResult) -> None:
    measured = result.working["cpu"]
    start = measured.cold_start_ms
    assert start.total > start.importing + start.opening + start.first_page > 0
    assert [len(times) for times in measured.reads_ms] == [2]
    stages = "load resize detection postprocess crops orientation recognition decoding layout rest"
    assert list(measured.stages_ms) == stages.split()
    for spread in (measured.page_ms, *measured.stages_ms.values()):
        assert 0 <= spread.min <= spread.p50 <= spread.p90 <= spread.p99
    assert measured.page_ms.min == min(measured.reads_ms[0])
    assert measured.pages_per_second == pytest.approx(2000 / sum(measured.reads_ms[0]), 0.01)
    assert measured.stream_pages_per_second > 0


@pytest.mark.slow
def test_memory_and_failures_of_a_provider_are_recorded(result: BenchResult) -> None:
    measured = result.working["cpu"]
    assert measured.gpu_bytes is None
    assert measured.failed == [] and measured.same_each_time
    assert set(measured.providers.values()) == {"cpu"}
    if sys.platform != "win32":
        assert measured.peak_rss_bytes is not None
        assert 30 << 20 < measured.peak_rss_bytes < 4 << 30


@pytest.mark.slow
def test_digest_of_texts_is_that_of_what_ocr_reads(result: BenchResult) -> None:
    with OCR(provider="cpu", max_pixels=600_000) as ocr:
        page = ocr.read(SAMPLE)
    measured = result.working["cpu"]
    assert measured.lines == len(page)
    assert measured.texts_sha256 == sha256(page.text.encode()).hexdigest()


@pytest.mark.slow
def test_result_records_pictures_bundle_and_settings(result: BenchResult, bundle: Bundle) -> None:
    assert result.schema == 1
    assert result.threads == result.repeat == 2
    assert result.settings.to_dict() == {"max_pixels": 600_000}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", result.when)
    (picture,) = result.images
    assert (picture.name, picture.width, picture.height) == ("sample.jpg", 960, 720)
    assert picture.bytes == SAMPLE.stat().st_size
    assert result.bundle.sha256 == bundle.digest
    files = bundle.manifest.files
    for stage, digest in result.bundle.graphs.items():
        assert digest == files[getattr(bundle.manifest.stages, stage).graph].sha256
    stages = {"detection", "orientation", "recognition"}
    assert set(result.bundle.models) == set(result.bundle.graphs) == stages
    assert {"numpy"} < set(result.packages)


@pytest.mark.slow
def test_result_survives_json(result: BenchResult) -> None:
    record = json.loads(json.dumps(result.to_dict()))
    assert BenchResult.from_dict(record) == result


@pytest.mark.slow
@pytest.mark.skipif(not ABSENT, reason="this ONNX Runtime has every provider")
def test_provider_that_is_not_built_in_has_a_reason(result: BenchResult) -> None:
    failure = result.providers[ABSENT[0]]
    assert isinstance(failure, ProviderFailure)
    assert "is not in the installed ONNX Runtime" in failure.error
    assert list(result.working) == ["cpu"]


def test_measuring_without_a_picture_is_an_error(tmp_path: Path) -> None:
    bad = tmp_path / "bad one.jpg"
    bad.write_bytes(b"no picture")
    with pytest.raises(EdgeOCRError, match=r"bad one\.jpg"):
        measure(["cpu"], sources=[bad])
    with pytest.raises(EdgeOCRError, match="no pictures to read"):
        measure(["cpu"], sources=[])


@pytest.mark.slow
def test_crashing_process_is_reported_and_the_others_are_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crashing = (
        "import sys, os; sys.path[:] = sys.argv[1:]\n"
        "from edgeocr.bench import worker\n"
        "measure = worker.measure\n"
        "def crash(request, send):\n"
        "    if request.provider == 'cpu':\n"
        "        return measure(request, send)\n"
        "    if request.provider == 'cuda':\n"
        "        print('printed by a library', flush=True)\n"
        "        raise ValueError('in /opt/somewhere/lib/libcuda.so.1')\n"
        "    os.kill(os.getpid(), 9)\n"
        "worker.measure = crash\n"
        "sys.exit(worker.main())"
    )
    monkeypatch.setattr(bench, "WORKER", crashing)
    steps: list[Progress] = []
    result = measure(
        ["tensorrt", "cuda", "cpu"], sources=[SAMPLE], repeat=1, on_progress=steps.append
    )
    assert list(result.working) == ["cpu"]
    reasons = {
        name: each.error
        for name, each in result.providers.items()
        if isinstance(each, ProviderFailure)
    }
    assert reasons["cuda"].startswith("the measuring process ended with exit code 1")
    assert reasons["cuda"].endswith("\nValueError: in libcuda.so.1")
    assert '"/' not in reasons["cuda"]
    if sys.platform != "win32":
        assert reasons["tensorrt"] == "the measuring process was killed by signal 9 SIGKILL"
    assert steps[0] == Progress("tensorrt", "starting")
    assert steps[-1] == Progress("cpu", "reading", 1, 1)


def test_crash_after_the_result_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request("cpu", None, Settings(), [], 1, "")
    sent = json.dumps({"measured": provider_result(100).to_dict()})
    code = f"import os\nprint('printed by a library')\nprint({sent!r}, flush=True)\nos._exit(3)"
    monkeypatch.setattr(bench, "WORKER", code)
    measured = bench._measure_in_process(request, bench._ignore)
    expected = provider_result(100)
    start = replace(expected.cold_start_ms, total=0.0)
    assert measured == replace(expected, cold_start_ms=start)
    monkeypatch.setattr(bench, "WORKER", "print(1); raise SystemExit(3)")
    measured = bench._measure_in_process(request, bench._ignore)
    assert measured == ProviderFailure("the measuring process ended with exit code 3")


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
