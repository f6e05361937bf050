"""Which execution provider one gets, and what is said when there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import onnxruntime
import pytest

from edgeocr import OCR, Bundle, EdgeOCRError, ProviderUnavailableError, providers
from edgeocr.providers import NAMES, available_threads

BUILT_IN = onnxruntime.get_available_providers()


def without(provider: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        NAMES[provider] in BUILT_IN, reason=f"this ONNX Runtime has {provider}"
    )


@pytest.mark.parametrize(
    "provider",
    [pytest.param(name, marks=without(name)) for name in ("cuda", "tensorrt")],
)
def test_a_provider_that_is_not_built_in(bundle: Bundle, provider: str) -> None:
    with pytest.raises(ProviderUnavailableError) as caught:
        OCR(bundle, provider=provider)
    message = str(caught.value)
    assert repr(provider) in message and onnxruntime.__version__ in message
    assert "pip install onnxruntime-gpu" in message
    assert isinstance(caught.value, EdgeOCRError)


@pytest.mark.parametrize("provider", ["", "gpu", "CUDA", "CPUExecutionProvider"])
def test_an_unknown_provider(bundle: Bundle, provider: str) -> None:
    with pytest.raises(ProviderUnavailableError) as caught:
        OCR(bundle, provider=provider)
    message = str(caught.value)
    assert f"unknown provider {provider!r}" in message
    assert all(name in message for name in ("auto", *NAMES))


@without("cuda")
def test_auto_is_the_cpu_where_there_is_nothing_else(bundle: Bundle) -> None:
    ocr = OCR(bundle)
    assert ocr.providers == dict.fromkeys(("detection", "orientation", "recognition"), "cpu")


def test_available_threads() -> None:
    threads = available_threads()
    assert 1 <= threads <= (os.cpu_count() or 1)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no CPU affinity here")
def test_only_the_processors_that_the_process_may_use_count() -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert available_threads() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert available_threads() == len(allowed)


def test_stderr_survives_sessions_that_fail_side_by_side() -> None:
    """Native words are caught by borrowing the process's stderr; it must come back."""
    code = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from edgeocr import providers
import onnxruntime
providers.MISSING["cuda"] = "it is not built in"
graph = open(sys.argv[1], "rb").read()
def start(i):
    try:
        providers._open(graph, "cuda", onnxruntime.SessionOptions())
    except Exception as error:
        return type(error).__name__
with ThreadPoolExecutor(6) as pool:
    print(*sorted(set(pool.map(start, range(24)))))
os.write(2, b"still here")
"""
    graph = Path(__file__).parent / "fixtures" / "ctc.npz"  # no graph: every session fails
    done = subprocess.run([sys.executable, "-c", code, graph], capture_output=True, text=True)
    assert done.stdout.split() == ["ProviderUnavailableError"]
    assert done.stderr.endswith("still here")


def test_the_cpu_session_leaves_stderr_alone(bundle: Bundle, monkeypatch) -> None:
    monkeypatch.setattr(providers, "_captured_words", None)
    OCR(bundle, provider="cpu")
