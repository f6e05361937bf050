"""Which execution provider one gets, and what is said when there is none."""

from __future__ import annotations

import os

import onnxruntime
import pytest

from edgeocr import OCR, Bundle, EdgeOCRError, ProviderUnavailableError
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
