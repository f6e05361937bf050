"""Opening sessions: which provider a stage gets, and the errors if it gets none."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import warnings
from dataclasses import replace
from pathlib import Path
from threading import current_thread
from types import SimpleNamespace
from typing import Any

import onnxruntime
import pytest

from edgeocr import OCR, Bundle, EdgeOCRError, GraphError, ProviderUnavailableError
from edgeocr.device import nvidia
from edgeocr.runtime import start
from edgeocr.runtime.job import Job
from edgeocr.runtime.options import RuntimeOptions
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.provider_options import Chain
from edgeocr.runtime.providers import PROVIDERS, Provider, provider_named
from edgeocr.runtime.start import built_in, create_session, probe
from edgeocr.variants import taking
from edgeocr.variants.choice import Choice
from tests.support.jobs import DETECTION
from tests.support.paths import FIXTURES

BUILT_IN = onnxruntime.get_available_providers()
STAGES = ("detection", "orientation", "recognition")


def without(provider: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        PROVIDERS[provider].onnxruntime_name in BUILT_IN, reason=f"this ONNX Runtime has {provider}"
    )


@pytest.fixture
def graph(bundle: Bundle) -> bytes:
    stage = bundle.manifest.stages.orientation
    assert stage is not None
    return bundle.read(stage.graph)


def quiet(provider: Provider) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return options


@pytest.mark.parametrize(
    "provider", [pytest.param(name, marks=without(name)) for name in PROVIDERS if name != "cpu"]
)
def test_a_provider_that_is_not_built_in_is_an_error(bundle: Bundle, provider: str) -> None:
    with pytest.raises(ProviderUnavailableError) as caught:
        OCR(bundle, provider=provider)
    message = str(caught.value)
    assert repr(provider) in message and onnxruntime.__version__ in message
    assert "install" in message or "build" in message
    assert isinstance(caught.value, EdgeOCRError)


@pytest.mark.parametrize("provider", ["gpu", {"detection": "gpu"}])
def test_an_unknown_provider_is_a_value_error(
    bundle: Bundle, provider: str | dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="unknown provider 'gpu'"):
        OCR(bundle, provider=provider)


def test_a_provider_for_an_unknown_stage_is_a_value_error(bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="no stage 'reading'"):
        OCR(bundle, provider={"reading": "cpu"})


@without("cuda")
def test_auto_is_the_cpu_where_there_is_nothing_else(bundle: Bundle) -> None:
    ocr = OCR(bundle)
    assert ocr.providers == dict.fromkeys(STAGES, "cpu")


class FakeSession:
    """Stands in for a session of ONNX Runtime, and notes its runs."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.runs: list[tuple[tuple[int, ...], str]] = []
        self.fault: str | None = None

    def disable_fallback(self) -> None: ...

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="image", shape=["N", "H", "W", 3], type="tensor(uint8)")]

    def run(self, outputs: None, given: dict[str, Any], options: Any) -> None:
        graph = options.get_run_config_entry("gpu_graph_id")
        self.runs.append((given["image"].shape, graph))
        if self.fault:
            raise RuntimeError(self.fault)


@pytest.fixture
def starting(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The providers that start, of CPU, CUDA and TensorRT, which are all built in.

    At first only the CPU starts; a test may add others to the set.
    """
    names: set[str] = {"cpu"}

    def open_(graph: bytes, provider: Provider, asked: Chain, options: Any) -> FakeSession:
        if provider.name not in names:
            raise ProviderUnavailableError(f"no {provider.name}")
        return FakeSession(asked)

    monkeypatch.setattr(start, "_open", open_)
    for module in (start, taking):
        monkeypatch.setattr(module, "built_in", lambda: ["cpu", "cuda", "tensorrt"])
    monkeypatch.setattr(nvidia, "driver", lambda: (13, 0))
    monkeypatch.setattr(nvidia, "gpus", lambda: [nvidia.GPU("Orin", "8.7", 1 << 33)])
    monkeypatch.setattr(
        nvidia, "libraries", lambda: {"cuda": "13.0", "cudnn": None, "tensorrt": "10.9"}
    )
    return names


def started(placement: Placement, job: Job = DETECTION) -> start.StartedSession:
    return taken(placement, job)[0]


def taken(placement: Placement, job: Job = DETECTION) -> tuple[start.StartedSession, Choice]:
    """Start a session as an `OCR` does it, which chooses the provider for "auto"."""
    stage = Bundle.default().manifest.stages.detection
    assert stage is not None
    stage = replace(
        stage,
        providers=None if job.preferred_providers is None else list(job.preferred_providers),
    )

    def open_graph(_: object, placed: Placement) -> start.StartedSession:
        return create_session(b"", placed, job, quiet)

    return taking.take(job.stage, stage, placement, None, None, open_graph)


def test_auto_takes_what_starts_and_tells_why_a_better_provider_was_skipped(
    starting: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert started(Placement()).provider.name == "cpu"
    with caplog.at_level(logging.INFO, "edgeocr"):
        assert taken(Placement())[1].skipped_providers == ("no cuda",)
    assert "detection can't take fp32 on cuda: no cuda" in caplog.text
    starting.add("cuda")
    assert started(Placement()).provider.name == "cuda"
    assert taken(Placement())[1].skipped_providers == ()


def test_the_bundle_may_order_the_providers_of_a_stage(starting: set[str]) -> None:
    starting.add("cuda")
    assert (
        started(Placement(), replace(DETECTION, preferred_providers=["cpu"])).provider.name == "cpu"
    )
    # The caller's choice overrides the bundle's order.
    assert (
        started(Placement("cuda"), replace(DETECTION, preferred_providers=["cpu"])).provider.name
        == "cuda"
    )
    # A provider that isn't built in is skipped, and the CPU is always there.
    assert (
        started(Placement(), replace(DETECTION, preferred_providers=["coreml"])).provider.name
        == "cpu"
    )


def test_stages_may_run_on_different_providers(starting: set[str]) -> None:
    starting.add("cuda")
    placement = Placement({"recognition": "cpu"})
    assert started(placement).provider.name == "cuda"
    assert started(placement, replace(DETECTION, stage="recognition")).provider.name == "cpu"


def test_versions_are_asked_for_only_if_the_bundle_has_engines(
    starting: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking for versions loads libraries."""
    starting |= {"cuda", "tensorrt"}
    monkeypatch.setattr(nvidia, "libraries", None)
    assert started(Placement(graphs_digest="0" * 64, engine_root=tmp_path)).provider.name == "cuda"


def test_sessions_on_a_gpu_start_in_the_device_thread(
    starting: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    starting.add("cuda")
    threads = []
    open_ = start._open

    def noted(*given: Any) -> Any:
        threads.append(current_thread().name)
        return open_(*given)

    monkeypatch.setattr(start, "_open", noted)
    assert started(Placement("cuda", RuntimeOptions({"cuda": {"device_id": 2}}))).device_number == 2
    assert started(Placement("cpu")).device_number == 0
    assert threads[0].startswith("edgeocr-device") and threads[1] == current_thread().name


def test_auto_takes_tensorrt_once_its_engines_are_built(starting: set[str], tmp_path: Path) -> None:
    starting |= {"cuda", "tensorrt"}
    placement = Placement(graphs_digest="0" * 64, engine_root=tmp_path)
    assert started(placement).provider.name == "cuda"
    asked = started(Placement("tensorrt", graphs_digest="0" * 64, engine_root=tmp_path))
    assert asked.engines is not None
    asked.engines.mark_warm("detection")
    assert started(placement).provider.name == "tensorrt"
    # Not for another stage, bundle or precision.
    assert started(placement, replace(DETECTION, stage="recognition")).provider.name == "cuda"
    assert started(Placement(graphs_digest="1" * 64, engine_root=tmp_path)).provider.name == "cuda"
    assert started(replace(placement, options=RuntimeOptions(fp16=True))).provider.name == "cuda"
    assert started(Placement(graphs_digest="0" * 64)).provider.name == "cuda"


def test_a_session_on_a_gpu_is_run_once_before_it_is_used(
    starting: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a library that is only looked for by a run would fail the first page."""
    starting.add("cuda")
    session: Any = started(Placement("cuda")).session
    assert session.runs == [((1, 544, 544, 3), "-1")]
    session = started(Placement("cuda"), replace(DETECTION, shapes=())).session
    assert session.runs == [((1, 544, 736, 3), "-1")]
    assert probe("cuda", b"") is None
    cpu: Any = started(Placement("cpu")).session
    assert cpu.runs == []

    def open_(graph: bytes, provider: Provider, asked: Chain, options: Any) -> FakeSession:
        session = FakeSession(asked)
        session.fault = "cuDNN is not available. Install cuDNN"
        return session

    monkeypatch.setattr(start, "_open", open_)
    with pytest.raises(ProviderUnavailableError, match="cuDNN is missing"):
        started(Placement("cuda"))
    assert started(Placement()).provider.name == "cpu"


def test_a_graph_that_can_not_be_recorded_runs_without(
    starting: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    starting.add("cuda")
    assert started(Placement("cuda")).records_runs
    assert not started(Placement("cpu")).records_runs
    off = Placement("cuda", RuntimeOptions({"cuda": {"enable_cuda_graph": 0}}))
    assert not started(off).records_runs
    tried = []

    def open_(graph: bytes, provider: Provider, asked: Chain, options: Any) -> FakeSession:
        tried.append(asked[0][1].get("enable_cuda_graph"))
        if tried[-1] == "1":
            raise ProviderUnavailableError(
                "ONNX Runtime said: This session cannot use the graph capture feature as requested "
                "by the user as all compute graph nodes have not been partitioned to the CUDA EP"
            )
        return FakeSession(asked)

    monkeypatch.setattr(start, "_open", open_)
    assert not started(Placement("cuda")).records_runs
    assert tried == ["1", None]


def test_the_cpu_is_built_in() -> None:
    assert "cpu" in built_in()
    providers = [PROVIDERS[name] for name in built_in()]
    assert {each.onnxruntime_name for each in providers if not each.plugin} <= set(BUILT_IN)


def test_a_probe_tells_why_a_provider_does_not_start(graph: bytes) -> None:
    assert probe("cpu", graph) is None
    reason = probe("cpu", b"no graph")
    assert reason is not None and "can't load" in reason
    if "coreml" not in built_in():
        reason = probe("coreml", graph)
        assert reason is not None and "'coreml' is not in the installed" in reason


def test_a_session_that_fell_back_to_the_cpu_is_an_error(
    graph: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ONNX Runtime falls back to the CPU if CUDA doesn't start, and only logs it."""
    made = onnxruntime.InferenceSession(
        graph, quiet(provider_named("cpu")), providers=["CPUExecutionProvider"]
    )
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *given, **named: made)
    monkeypatch.setattr(nvidia, "driver", lambda: (13, 0))
    with pytest.raises(ProviderUnavailableError, match="'cuda' did not start here"):
        start._start(graph, provider_named("cuda"), Placement("cuda"), DETECTION, quiet)


def test_without_a_driver_no_library_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia, "driver", lambda: None)
    monkeypatch.setattr(start, "_open", None)
    for provider in ("cuda", "tensorrt"):
        with pytest.raises(ProviderUnavailableError, match=r"NVIDIA driver is missing \(libcuda"):
            start._start(b"", provider_named(provider), Placement(provider), DETECTION, quiet)


def test_a_plugin_that_can_not_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia, "driver", lambda: (13, 0))
    provider = replace(provider_named("tensorrt-rtx"), plugin="edgeocr_no_such_module")
    with pytest.raises(ProviderUnavailableError, match="edgeocr_no_such_module"):
        start._start(b"", provider, Placement("tensorrt-rtx"), DETECTION, quiet)


def test_bytes_that_are_no_graph_are_a_graph_error() -> None:
    with pytest.raises(GraphError):
        create_session(b"no graph", Placement("cpu"), DETECTION, quiet)


def test_stderr_survives_sessions_that_fail_side_by_side() -> None:
    """Native output is captured by redirecting the process's stderr, which must be restored."""
    code = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from edgeocr.runtime import start
from edgeocr.runtime.providers import provider_named
import onnxruntime
graph = open(sys.argv[1], "rb").read()
def attempt(i):
    try:
        asked = [("CUDAExecutionProvider", {})]
        start._open(graph, provider_named("cuda"), asked, onnxruntime.SessionOptions())
    except Exception as error:
        return type(error).__name__
with ThreadPoolExecutor(6) as pool:
    print(*sorted(set(pool.map(attempt, range(24)))))
os.write(2, b"still here")
"""
    graph = FIXTURES / "ctc.npz"  # no graph: every session fails
    done = subprocess.run([sys.executable, "-c", code, graph], capture_output=True, text=True)
    assert done.stdout.split() in (["ProviderUnavailableError"], ["GraphError"])
    assert done.stderr.endswith("still here")


def test_the_cpu_session_leaves_stderr_alone(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "captured_output", None)
    OCR(bundle, provider="cpu")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_waits_while_a_session_is_being_opened(
    graph: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading, loaded = threading.Event(), threading.Event()
    load = onnxruntime.InferenceSession

    def slowly(*args: Any, **options: Any) -> onnxruntime.InferenceSession:
        loading.set()
        loaded.wait(10)
        return load(*args, **options)

    monkeypatch.setattr(onnxruntime, "InferenceSession", slowly)
    opening = threading.Thread(
        target=create_session, args=(graph, Placement("cpu"), Job("", "", None), quiet)
    )
    opening.start()
    assert loading.wait(10)
    threading.Timer(0.2, loaded.set).start()
    with warnings.catch_warnings():  # Python 3.12 warns of every fork with threads
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os._exit(0 if loaded.is_set() else 1)
    assert os.waitpid(child, 0)[1] == 0
    opening.join()
