"""edgeocr bench: measuring processes, figures, the result file and the tables."""

from __future__ import annotations

import argparse
import json
import platform
import re
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeocr import Bundle, EdgeOCRError, GraphError, Page, ocr
from edgeocr.bench import measure as bench
from edgeocr.bench import worker as bench_worker
from edgeocr.bench.table import METRICS, number, speedup, stages_of, table, working
from edgeocr.runtime.onnx_runtime import import_onnxruntime
from edgeocr.runtime.providers import PROVIDERS
from tests.support.paths import IMAGES

SAMPLE = IMAGES / "sample.jpg"
ABSENT = [
    name
    for name, provider in PROVIDERS.items()
    if provider.onnxruntime_name not in import_onnxruntime().get_available_providers()
]


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return parser.parse_args(list(words))


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    """The sample read twice on the CPU, and a provider that this ONNX Runtime lacks."""
    return bench.measure(
        ["cpu", *ABSENT[:1]], sources=[str(SAMPLE)], repeat=2, settings={"threads": 2}
    )


def test_what_was_measured(result: dict[str, Any]) -> None:
    figures = result["providers"]["cpu"]
    assert set(figures) == set(bench_worker.Measured.__annotations__)
    start = figures["cold_start_ms"]
    assert list(start) == ["total", "import", "open", "first_page"]
    assert start["total"] > start["import"] + start["open"] + start["first_page"] > 0
    assert [len(times) for times in figures["reads_ms"]] == [2]
    stages = "load resize detection postprocess crops orientation recognition decoding rest"
    assert list(figures["stages_ms"]) == stages.split()
    for spread in (figures["page_ms"], *figures["stages_ms"].values()):
        assert 0 <= spread["min"] <= spread["p50"] <= spread["p90"] <= spread["p99"]
    assert figures["page_ms"]["min"] == min(figures["reads_ms"][0])
    assert figures["pages_per_second"] == pytest.approx(2000 / sum(figures["reads_ms"][0]), 0.01)
    assert figures["stream_pages_per_second"] > 0
    assert figures["gpu_bytes"] is None
    assert figures["failed"] == [] and figures["same_each_time"]
    assert set(figures["providers"].values()) == {"cpu"}
    if sys.platform != "win32":
        assert 30 << 20 < figures["peak_rss_bytes"] < 4 << 30


def test_the_texts_are_those_that_ocr_reads(result: dict[str, Any], ocr: Any) -> None:
    from hashlib import sha256

    page = ocr.read(SAMPLE)
    figures = result["providers"]["cpu"]
    assert figures["lines"] == len(page.lines)
    assert figures["texts_sha256"] == sha256(page.text.encode()).hexdigest()


def test_what_it_was_measured_with(result: dict[str, Any], bundle: Bundle) -> None:
    assert result["schema"] == 1
    assert result["threads"] == result["repeat"] == 2
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", result["when"])
    (image,) = result["images"]
    assert (image["name"], image["width"], image["height"]) == ("sample.jpg", 960, 720)
    assert image["bytes"] == SAMPLE.stat().st_size
    assert result["bundle"]["sha256"] == bundle.digest
    files = bundle.manifest.files
    for stage, digest in result["bundle"]["graphs"].items():
        assert digest == files[getattr(bundle.manifest.stages, stage).graph].sha256
    assert set(result["bundle"]["models"]) == set(result["bundle"]["graphs"])
    assert {"numpy"} < set(result["packages"])


@pytest.mark.skipif(not ABSENT, reason="this ONNX Runtime has every provider")
def test_a_provider_that_is_not_there_has_a_reason(result: dict[str, Any]) -> None:
    figures = result["providers"][ABSENT[0]]
    assert list(figures) == ["error"]
    assert "is not in the installed ONNX Runtime" in figures["error"]
    assert list(working(result)) == ["cpu"]
    assert f"{ABSENT[0]} doesn't work here: " in table(result)
    assert bench.run(options("--providers", ABSENT[0], "--images", str(SAMPLE))) == 1


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    picture = tmp_path / "in" / "a picture.jpg"
    picture.write_bytes(SAMPLE.read_bytes())
    made, html = tmp_path / "result.json", tmp_path / "result.html"
    words = ["--providers", "cpu", "--images", str(picture.parent), "--repeat", "2"]
    assert bench.run(options(*words, "--json", str(made), "--html", str(html))) == 0
    text = made.read_text(encoding="utf-8")
    result = json.loads(text)
    assert [image["name"] for image in result["images"]] == ["a picture.jpg"]
    captured = capsys.readouterr()
    assert captured.out == table(result) + "\n" and captured.err == ""
    for known in (str(tmp_path), str(Path.home()), str(bench.SAMPLES.parent), sys.prefix):
        assert known not in text and known not in html.read_text(encoding="utf-8")
    assert not re.search(r'"/|[ (]/\w+/', text)
    assert len(platform.node()) < 4 or platform.node() not in text


def test_a_picture_that_fails_is_listed_and_the_rest_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, made = tmp_path / "bad one.jpg", tmp_path / "result.json"
    bad.write_bytes(b"no picture")
    words = ["--images", str(bad), str(SAMPLE), "missing.png", "--repeat", "1"]
    assert bench.run(options("--providers", "cpu", *words, "--json", str(made))) == 1
    text = made.read_text(encoding="utf-8")
    result = json.loads(text)
    assert [each["name"] for each in result["failed"]] == ["bad one.jpg", "missing.png"]
    assert result["failed"][0]["error"].startswith("bad one.jpg: ")
    assert str(tmp_path) not in text
    assert "missing.png failed: " in capsys.readouterr().out
    assert len(result["providers"]["cpu"]["reads_ms"]) == len(result["images"]) == 1


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EdgeOCRError, match="no pictures in this folder"):
        bench.measure(["cpu"], sources=[str(tmp_path)])
    with pytest.raises(EdgeOCRError, match="standard input"):
        bench.measure(["cpu"], sources=["-"])
    with pytest.raises(EdgeOCRError, match="no such folder"):
        bench.run(options("--json", str(tmp_path / "nowhere" / "result.json")))


def test_a_worker_that_crashes_is_reported_and_the_others_are_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crashing = (
        "import sys, os; sys.path[:] = sys.argv[1:]\n"
        "from edgeocr import bench_worker\n"
        "measure = bench_worker.measure\n"
        "def crash(request, say):\n"
        "    if request['provider'] == 'cpu':\n"
        "        return measure(request, say)\n"
        "    if request['provider'] == 'cuda':\n"
        "        print('printed by a library', flush=True)\n"
        "        raise ValueError('in /opt/somewhere/lib/libcuda.so.1')\n"
        "    os.kill(os.getpid(), 9)\n"
        "bench_worker.measure = crash\n"
        "sys.exit(bench_worker.main())"
    )
    monkeypatch.setattr(bench, "WORKER", crashing)
    result = bench.measure(["tensorrt", "cuda", "cpu"], sources=[str(SAMPLE)], repeat=1)
    assert list(working(result)) == ["cpu"]
    reasons = {name: figures.get("error") for name, figures in result["providers"].items()}
    assert reasons["cuda"].startswith("the measuring process ended with exit code 1")
    assert reasons["cuda"].endswith("\nValueError: in libcuda.so.1")
    assert '"/' not in reasons["cuda"]
    if sys.platform != "win32":
        assert reasons["tensorrt"] == "the measuring process was killed by signal 9 SIGKILL"


def test_a_crash_after_the_result_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import os\n"
        "print('printed by a library')\n"
        """print('{"measured": {"cold_start_ms": {"open": 1.0}}}', flush=True)\n"""
        "os._exit(3)"
    )
    monkeypatch.setattr(bench, "WORKER", code)
    figures = bench._work({"provider": "cpu"}, bench._Progress(None))
    assert figures == {"cold_start_ms": {"total": 0.0, "open": 1.0}}
    monkeypatch.setattr(bench, "WORKER", "print(1); raise SystemExit(3)")
    figures = bench._work({"provider": "cpu"}, bench._Progress(None))
    assert figures == {"error": "the measuring process ended with exit code 3"}


class FakePage(Page):
    """A page whose text is its source."""

    @property
    def text(self) -> str:
        return self.source


class FakeOCR:
    """Reads names; "bad" never, "late" only at first, "moody" never alike."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.providers = {"recognition": "cpu"}
        self.times = 0

    def warm_up(self) -> None:
        return None

    def read(self, source: str) -> Page:
        self.times += 1
        if source == "bad" or (source == "late" and self.times > 7):
            raise GraphError(f"{source}: no")
        stages = {"load": 1.0} if source == "plain" else {"load": 1.0, "decoding": 1e5}
        text = f"{source} {self.times}" if source == "moody" else source
        return FakePage(text, 1, 1, (), stages)

    def read_many(self, sources: list[str]) -> list[Page]:
        return [self.read(source) for source in sources]


def measured(monkeypatch: pytest.MonkeyPatch, images: list[str], repeat: int) -> Any:
    monkeypatch.setattr(ocr, "OCR", FakeOCR)
    said: list[Any] = []
    request: bench_worker.Request = {
        **{"provider": "cpu", "bundle": None, "settings": {}},
        **{"images": images, "repeat": repeat, "first": "first"},
    }
    figures = bench_worker.measure(request, said.append)
    return SimpleNamespace(figures=figures, said=said)


def test_a_stage_that_a_page_did_not_need_counts_as_nothing(monkeypatch) -> None:
    figures = measured(monkeypatch, ["plain", "other", "plain"], 1).figures
    assert figures["stages_ms"]["load"] == {"min": 1.0, "p50": 1.0, "p90": 1.0, "p99": 1.0}
    assert figures["stages_ms"]["decoding"]["p50"] == 0.0
    assert figures["stages_ms"]["decoding"]["p90"] == pytest.approx(8e4)
    assert list(figures["stages_ms"]) == ["load", "decoding", "rest"]


def test_pictures_that_fail_are_left_out(monkeypatch) -> None:
    done = measured(monkeypatch, ["good", "bad", "late"], 3)
    # The first page was read before them, so the late one fails in its third turn.
    assert [len(times) for times in done.figures["reads_ms"]] == [3, 0, 2]
    assert done.figures["failed"] == [
        {"image": 1, "error": "bad: no"},
        {"image": 2, "error": "late: no"},
    ]
    assert done.said[0] == {"first_page": True}
    assert done.said[-1] == {"read": 7, "of": 9}
    with pytest.raises(EdgeOCRError, match="bad: no"):
        measured(monkeypatch, ["bad"], 2)


def test_texts_that_change_are_noticed(monkeypatch) -> None:
    assert measured(monkeypatch, ["good"], 2).figures["same_each_time"]
    assert not measured(monkeypatch, ["moody"], 1).figures["same_each_time"]


def test_quantiles_are_numpys() -> None:
    random = np.random.default_rng(5)
    for size in (1, 2, 3, 10, 57, 200):
        values = random.lognormal(3, 1, size)
        spread = bench_worker.spread(values.tolist())
        expected = [values.min(), *np.percentile(values, [50, 90, 99])]
        assert list(spread) == ["min", "p50", "p90", "p99"]
        assert list(spread.values()) == pytest.approx(expected, abs=5.1e-4)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for nvidia-smi")
@pytest.mark.parametrize(
    ("answer", "expected"),
    [("17, 100\n42, 512\n42, 8\n", 520 << 20), ("42, [N/A]\n", None), ("17, 100\n", None)],
)
def test_memory_on_the_gpu(monkeypatch, tmp_path: Path, answer: str, expected: int | None) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\nprintf '{answer}'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert bench_worker.gpu_bytes(42) == expected


def test_no_gpu_tool_no_memory(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bench_worker.gpu_bytes() is None


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
def test_folders_are_left_out(text: str, expected: str | None) -> None:
    assert bench.without_folders(text, ["/with a blank/in it.jpg"]) == (expected or text)


def test_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert options().repeat == 20 and options().providers is None
    assert options("--providers", "cuda, cpu,cuda").providers == ["cuda", "cpu"]
    for words in (["--providers", "gpu"], ["--repeat", "0"], ["--threads", "two"]):
        with pytest.raises(SystemExit):
            options(*words)
    assert "unknown provider 'gpu'" in capsys.readouterr().err


def test_the_table(result: dict[str, Any]) -> None:
    summary, stages, *_ = table(result).split("\n\n")
    head, row = summary.splitlines()
    assert len(head) <= 110 and len(row) == len(head)
    assert row.split()[-1] == "1.00" and len(row.split()) == len(METRICS) + 2
    assert [line.split()[0] for line in stages.splitlines()[1:]] == stages_of(
        working(result).values()
    )
    twice = {"pages_per_second": 2 * result["providers"]["cpu"]["pages_per_second"]}
    both = {"providers": {**result["providers"], "cuda": twice}}
    assert speedup(both, "cuda") == 2
    assert speedup({"providers": {"cuda": twice}}, "cuda") is None


def test_three_digits() -> None:
    values = (None, 0, 0.034, 9.996, 12.34, 99.96, 1234.5)
    assert " ".join(number(value) for value in values) == "– 0.00 0.03 10.0 12.3 100 1234"


def test_the_pictures_in_the_package_are_the_tests_pictures() -> None:
    inside = sorted(path.name for path in bench.SAMPLES.glob("*.jpg"))
    assert inside == ["poster.jpg", "receipt.jpg", "sample.jpg"]
    for name in inside:
        assert (bench.SAMPLES / name).read_bytes() == (IMAGES / name).read_bytes()


def test_declaring_the_command_loads_nothing_heavy() -> None:
    code = (
        "import argparse, sys; from edgeocr import bench\n"
        "bench.add_arguments(argparse.ArgumentParser())\n"
        "print(*({'numpy', 'cv2', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
