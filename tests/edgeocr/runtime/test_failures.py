"""Runs that fail on an execution provider: what the error says, and that no stale text comes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgeocr import OCR, GraphError, ProviderFailedError
from edgeocr.runtime.failures import Failures, kind_of
from edgeocr.runtime.io_binding import BufferedRunner, PlainRunner
from edgeocr.runtime.providers import PROVIDERS
from tests.edgeocr.runtime.test_io_binding import FaultySession
from tests.support import constant_graphs

ARENA = (
    "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Non-zero status code returned while running Conv "
    "node. Name:'Conv_0' Status Message: bfc_arena.cc:376 void* onnxruntime::BFCArena::"
    "AllocateRawInternal(size_t, bool, onnxruntime::Stream*, bool, onnxruntime::"
    "WaitNotificationFn) Failed to allocate memory for requested buffer of size 134217728"
)
CUDA = "[ONNXRuntimeError] : 1 : FAIL : CUDA failure {} ; GPU=0 ; hostname=x ; expr=cudaMemcpyAsync"
BLACK = np.zeros((constant_graphs.SIDE, constant_graphs.SIDE, 3), np.uint8)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (ARENA, "out of memory"),
        (CUDA.format("2: out of memory"), "out of memory"),
        (
            "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0 ; expr=cublasCreate",
            "out of memory",
        ),
        ("CUDNN failure 2: CUDNN_STATUS_ALLOC_FAILED ; GPU=0", "out of memory"),
        ("Cuda Driver failed: CUDA_ERROR_OUT_OF_MEMORY", "out of memory"),
        ("Error Code 2: OutOfMemory (no further information)", "out of memory"),
        ("Could not find any implementation due to insufficient workspace", "out of memory"),
        ("[OpenVINO-EP] Wait Model Failed: [GPU] out of GPU resources", "out of memory"),
        ("8007000E Not enough memory resources are available", "out of memory"),
        (CUDA.format("46: all CUDA-capable devices are busy or unavailable"), "device lost"),
        (CUDA.format("46"), "device lost"),
        (CUDA.format("77: an illegal memory access was encountered"), "device lost"),
        ("NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus.", "device lost"),
        (CUDA.format("201: invalid device context"), "device lost"),
        (CUDA.format("700: an illegal memory access was encountered"), "device lost"),
        (CUDA.format("719: unspecified launch failure"), "device lost"),
        (CUDA.format("999: unknown error"), "device lost"),
        ("cudaErrorDeviceUninitialized", "device lost"),
        ("Error Code 1: Cuda Driver (context is destroyed)", "device lost"),
        ("[GPU] clFlush, error code: -5 CL_OUT_OF_RESOURCES", "device lost"),
        (
            "Exception(3) tid(5a68) 887A0005 The GPU device instance has been suspended",
            "device lost",
        ),
        ("887A0006 The GPU will not respond to more commands", "device lost"),
        ("TensorRT EP execution context enqueue failed.", "other"),
        ("CUDNN failure 4: CUDNN_STATUS_INTERNAL_ERROR ; GPU=0", "other"),
        (CUDA.format("1: invalid argument"), "other"),
        # Numbers that only begin like those of a lost device or of missing memory.
        (CUDA.format("7000: x"), "other"),
        (CUDA.format("21: x"), "other"),
        ("Got invalid dimensions for input: crops", "other"),
    ],
)
def test_messages_of_the_libraries_are_recognized(message: str, kind: str) -> None:
    assert kind_of(message) == kind


class FailingRunner:
    """A runner whose device fails, and which counts how often it is used."""

    warm_runs = 1

    def __init__(self, message: str) -> None:
        self.message = message
        self.runs = 0

    def run(self, batch: np.ndarray) -> list[Any]:
        self.runs += 1
        raise RuntimeError(self.message)


def reader(message: str) -> tuple[OCR, FailingRunner]:
    """Return an OCR whose stages seem to run on CUDA, where detection fails."""
    stages = {name: constant_graphs.sound_outputs(name) for name in ("DB", "CTC")}
    ocr = OCR(constant_graphs.bundle(**stages), provider="cpu", threads=1)
    runner = FailingRunner(message)
    for stage in ocr.stages.values():
        stage.session._started_on = PROVIDERS["cuda"]
    ocr.stages["detection"].session._runner = runner
    return ocr, runner


def test_a_lost_device_is_not_used_again_by_any_stage() -> None:
    ocr, runner = reader(CUDA.format("719: unspecified launch failure"))
    texts = set()
    for _ in range(3):
        with pytest.raises(ProviderFailedError) as caught:
            ocr.read(BLACK)
        error = caught.value
        assert (error.stage, error.provider, error.kind) == ("detection", "cuda", "device lost")
        texts.add(str(error))
    assert runner.runs == 1 and len(texts) == 1
    with pytest.raises(ProviderFailedError, match="detection failed on provider 'cuda'"):
        ocr.recognize([BLACK])  # another stage, on the same device
    with pytest.raises(ProviderFailedError):
        ocr.warm_up()
    assert runner.runs == 1
    # Another OCR doesn't inherit it, and the CPU is no device that can be lost.
    other, _ = reader("")
    assert len(other.recognize([BLACK])) == 1


@pytest.mark.parametrize(
    ("message", "kind", "advice"),
    [(ARENA, "out of memory", "lower max_pixels"), ("enqueue failed", "other", "another provider")],
)
def test_after_other_failures_the_next_run_is_tried(message: str, kind: str, advice: str) -> None:
    ocr, runner = reader(message)
    for _ in range(2):
        with pytest.raises(ProviderFailedError, match=advice) as caught:
            ocr.read(BLACK)
        assert caught.value.kind == kind and isinstance(caught.value, GraphError)
        assert message[-40:] in str(caught.value) and caught.value.detail == message
    assert runner.runs == 2


def test_a_failure_on_the_cpu_is_no_failure_of_a_provider() -> None:
    ocr, _ = reader(ARENA)
    ocr.stages["detection"].session._started_on = PROVIDERS["cpu"]
    with pytest.raises(GraphError, match="ONNX Runtime failed on input") as caught:
        ocr.read(BLACK)
    assert not isinstance(caught.value, ProviderFailedError)


def test_cuda_and_tensorrt_lose_the_same_device() -> None:
    failures = Failures()
    failures.note("detection", PROVIDERS["tensorrt"], "CUDA failure 700: an illegal memory access")
    for name, lost in [("tensorrt", True), ("cuda", True), ("openvino", False), ("cpu", False)]:
        try:
            failures.check(PROVIDERS[name])
        except ProviderFailedError:
            assert lost
        else:
            assert not lost
    failures.check(replace(PROVIDERS["cuda"], device="another"))


def test_a_run_that_failed_leaves_nothing_behind(ocr: OCR) -> None:
    """Neither the failed run nor the next one returns what is in the buffers of an earlier one."""
    plain = ocr.stages["recognition"].session._runner
    assert isinstance(plain, PlainRunner)
    session: Any = FaultySession(plain._session)
    runner = BufferedRunner(
        session, "crops", ["indices", "scores"], device="cpu", number=0, records=True
    )
    rng = np.random.default_rng(0)
    batches = rng.integers(0, 256, (4, 1, 48, 320, 3), np.uint8)
    for batch in batches[:2]:  # the second one is recorded
        runner.run(batch)
    session.fails = {"-1", "1"}
    for batch in batches[2:]:
        with pytest.raises(RuntimeError, match="no such luck"):
            runner.run(batch)
    session.fails = set()
    for batch in (batches[3], batches[2]):
        indices, scores = runner.run(batch)
        expected = plain.run(batch)
        np.testing.assert_array_equal(indices, expected[0])
        np.testing.assert_allclose(scores, expected[1], atol=1e-6)
    # A first run of a shape that fails keeps no buffers for the shape.
    session.fails = {"-1"}
    wide = rng.integers(0, 256, (1, 48, 480, 3), np.uint8)
    with pytest.raises(RuntimeError, match="no such luck"):
        runner.run(wide)
    session.fails = set()
    np.testing.assert_array_equal(runner.run(wide)[0], plain.run(wide)[0])
