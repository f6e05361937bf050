"""Which execution provider one gets, with which options, and what is said when there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import current_thread
from types import SimpleNamespace
from typing import Any

import onnxruntime
import pytest

from edgeocr import OCR, Bundle, EdgeOCRError, GraphError, ProviderUnavailableError
from edgeocr.runtime import start as providers
from edgeocr.runtime.placement import NAMES, Job, Placement, fallback_order
from edgeocr.runtime.provider_options import Chain
from edgeocr.runtime.start import built_in, create_session, probe
from tests.support.paths import FIXTURES

BUILT_IN = onnxruntime.get_available_providers()
STAGES = ("detection", "orientation", "recognition")
SHAPES = [(1, 544, 544, 3), (1, 544, 1216, 3), (1, 1216, 544, 3), (1, 288, 3104, 3)]
DETECTION = Job("detection", "image", (1, 544, 736, 3), SHAPES)


def without(provider: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        NAMES[provider] in BUILT_IN, reason=f"this ONNX Runtime has {provider}"
    )


@pytest.fixture
def graph(bundle: Bundle) -> bytes:
    stage = bundle.manifest.stages.orientation
    assert stage is not None
    return bundle.read(stage.graph)


def quiet(provider: str) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return options


@pytest.mark.parametrize(
    "provider", [pytest.param(name, marks=without(name)) for name in NAMES if name != "cpu"]
)
def test_a_provider_that_is_not_built_in(bundle: Bundle, provider: str) -> None:
    with pytest.raises(ProviderUnavailableError) as caught:
        OCR(bundle, provider=provider)
    message = str(caught.value)
    assert repr(provider) in message and onnxruntime.__version__ in message
    assert "install" in message or "build" in message
    assert isinstance(caught.value, EdgeOCRError)


@pytest.mark.parametrize("provider", ["", "gpu", "CUDA", "CPUExecutionProvider"])
@pytest.mark.parametrize("as_mapping", [False, True])
def test_an_unknown_provider(bundle: Bundle, provider: str, as_mapping: bool) -> None:
    with pytest.raises(ProviderUnavailableError) as caught:
        OCR(bundle, provider={"detection": provider} if as_mapping else provider)
    message = str(caught.value)
    assert f"unknown provider {provider!r}" in message
    assert all(name in message for name in ("auto", *NAMES))


def test_options_of_an_unknown_provider(bundle: Bundle) -> None:
    with pytest.raises(ProviderUnavailableError, match="unknown provider 'gpu'"):
        OCR(bundle, provider="cpu", provider_options={"gpu": {"device_id": 1}})


def test_an_unknown_stage(bundle: Bundle) -> None:
    with pytest.raises(EdgeOCRError, match="no stage 'reading'"):
        OCR(bundle, provider={"reading": "cpu"})


@without("cuda")
def test_auto_is_the_cpu_where_there_is_nothing_else(bundle: Bundle) -> None:
    ocr = OCR(bundle)
    assert ocr.providers == dict.fromkeys(STAGES, "cpu")


class Fake:
    """A session of ONNX Runtime that got the first provider that it was asked for."""

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
    """Providers that start on a machine where CPU, CUDA and TensorRT are built in; put them in."""
    start: set[str] = {"cpu"}

    def open_(graph: bytes, provider: str, asked: Chain, options: Any) -> Fake:
        if provider not in start:
            raise ProviderUnavailableError(f"no {provider}")
        return Fake(asked)

    monkeypatch.setattr(providers, "_open", open_)
    monkeypatch.setattr(providers, "built_in", lambda: ["cpu", "cuda", "tensorrt"])
    monkeypatch.setattr(providers.nvidia, "driver", lambda: (13, 0))
    monkeypatch.setattr(
        providers.nvidia, "gpus", lambda: [providers.nvidia.GPU("Orin", "8.7", 1 << 33)]
    )
    monkeypatch.setattr(
        providers.nvidia, "libraries", lambda: {"cuda": "13.0", "cudnn": None, "tensorrt": "10.9"}
    )
    return start


def started(placement: Placement, job: Job = DETECTION) -> providers.Started:
    return create_session(b"", placement, job, quiet)


def test_auto_takes_what_starts_and_says_why_not_the_better_one(starting: set[str]) -> None:
    assert started(Placement()).provider == "cpu"
    assert started(Placement()).passed_over == ("no cuda",)
    starting.add("cuda")
    assert started(Placement()).provider == "cuda"
    assert started(Placement()).passed_over == ()


def test_the_bundle_may_order_the_providers_of_a_stage(starting: set[str]) -> None:
    starting.add("cuda")
    assert started(Placement(), DETECTION._replace(preferred=["cpu"])).provider == "cpu"
    # The caller's word counts more than the bundle's.
    assert started(Placement("cuda"), DETECTION._replace(preferred=["cpu"])).provider == "cuda"
    # What this build doesn't have is passed over, and the CPU is always there.
    assert started(Placement(), DETECTION._replace(preferred=["coreml"])).provider == "cpu"
    assert fallback_order(["coreml"]) == ("coreml", "cpu")
    assert fallback_order(None) == ("tensorrt", "cuda", "cpu")


def test_a_provider_for_each_stage(starting: set[str]) -> None:
    starting.add("cuda")
    placement = Placement({"recognition": "cpu"})
    assert started(placement).provider == "cuda"
    assert started(placement, DETECTION._replace(stage="recognition")).provider == "cpu"


def test_versions_are_asked_for_only_where_there_are_engines(
    starting: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That loads libraries."""
    starting |= {"cuda", "tensorrt"}
    monkeypatch.setattr(providers.nvidia, "libraries", None)
    assert started(Placement(bundle="0" * 64, cache=tmp_path)).provider == "cuda"


def test_a_gpus_sessions_start_on_its_thread(
    starting: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    starting.add("cuda")
    threads = []
    open_ = providers._open

    def noted(*given: Any) -> Any:
        threads.append(current_thread().name)
        return open_(*given)

    monkeypatch.setattr(providers, "_open", noted)
    assert started(Placement("cuda", options={"cuda": {"device_id": 2}})).device_number == 2
    assert started(Placement("cpu")).device_number == 0
    assert threads[0].startswith("edgeocr-device") and threads[1] == current_thread().name


def test_auto_takes_tensorrt_once_its_engines_are_built(starting: set[str], tmp_path: Path) -> None:
    starting |= {"cuda", "tensorrt"}
    placement = Placement(bundle="0" * 64, cache=tmp_path)
    assert started(placement).provider == "cuda"
    asked = started(Placement("tensorrt", bundle="0" * 64, cache=tmp_path))
    assert asked.engines is not None
    asked.engines.mark_warm("detection")
    assert started(placement).provider == "tensorrt"
    # Not for another stage, bundle or precision.
    assert started(placement, DETECTION._replace(stage="recognition")).provider == "cuda"
    assert started(Placement(bundle="1" * 64, cache=tmp_path)).provider == "cuda"
    assert started(Placement(bundle="0" * 64, cache=tmp_path, fp16=True)).provider == "cuda"
    assert started(Placement(bundle="0" * 64)).provider == "cuda"


def test_a_session_is_run_before_it_counts(
    starting: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library that is only looked for in a run would otherwise fail the first page."""
    starting.add("cuda")
    session: Any = started(Placement("cuda")).session
    assert session.runs == [((1, 544, 544, 3), "-1")]
    session = started(Placement("cuda"), DETECTION._replace(shapes=())).session
    assert session.runs == [((1, 544, 736, 3), "-1")]
    assert probe("cuda", b"") is None
    cpu: Any = started(Placement("cpu")).session
    assert cpu.runs == []

    def open_(graph: bytes, provider: str, asked: Chain, options: Any) -> Fake:
        session = Fake(asked)
        session.fault = "cuDNN is not available. Install cuDNN"
        return session

    monkeypatch.setattr(providers, "_open", open_)
    with pytest.raises(ProviderUnavailableError, match="cuDNN is missing"):
        started(Placement("cuda"))
    assert started(Placement()).provider == "cpu"


def test_a_graph_that_cannot_be_recorded_runs_plainly(
    starting: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    starting.add("cuda")
    assert started(Placement("cuda")).captures
    assert not started(Placement("cpu")).captures
    off = Placement("cuda", options={"cuda": {"enable_cuda_graph": 0}})
    assert not started(off).captures
    tried = []

    def open_(graph: bytes, provider: str, asked: Chain, options: Any) -> Fake:
        tried.append(asked[0][1].get("enable_cuda_graph"))
        if tried[-1] == "1":
            raise ProviderUnavailableError(
                "ONNX Runtime said: This session cannot use the graph capture feature as requested "
                "by the user as all compute graph nodes have not been partitioned to the CUDA EP"
            )
        return Fake(asked)

    monkeypatch.setattr(providers, "_open", open_)
    assert not started(Placement("cuda")).captures
    assert tried == ["1", None]


def test_what_is_built_in() -> None:
    assert "cpu" in built_in()
    assert {NAMES[name] for name in built_in() if name not in providers.PLUGINS} <= set(BUILT_IN)


def test_a_provider_can_be_tried(graph: bytes) -> None:
    assert probe("cpu", graph) is None
    reason = probe("cpu", b"no graph")
    assert reason is not None and "can't load" in reason
    if "coreml" not in built_in():
        reason = probe("coreml", graph)
        assert reason is not None and "'coreml' is not in the installed" in reason


def test_a_session_that_fell_back_is_no_session(
    graph: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ONNX Runtime takes the CPU where CUDA doesn't start, and only logs it."""
    made = onnxruntime.InferenceSession(graph, quiet("cpu"), providers=["CPUExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *given, **named: made)
    monkeypatch.setattr(providers.nvidia, "driver", lambda: (13, 0))
    with pytest.raises(ProviderUnavailableError, match="'cuda' did not start here"):
        providers._start(graph, "cuda", Placement("cuda"), DETECTION, quiet)


def test_without_a_driver_no_library_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers.nvidia, "driver", lambda: None)
    monkeypatch.setattr(providers, "_open", None)
    for provider in ("cuda", "tensorrt"):
        with pytest.raises(ProviderUnavailableError, match=r"NVIDIA driver is missing \(libcuda"):
            providers._start(b"", provider, Placement(provider), DETECTION, quiet)


def test_a_plugin_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers.nvidia, "driver", lambda: (13, 0))
    monkeypatch.setitem(providers.PLUGINS, "tensorrt-rtx", "edgeocr_no_such_module")
    with pytest.raises(ProviderUnavailableError, match="edgeocr_no_such_module"):
        providers._start(b"", "tensorrt-rtx", Placement("tensorrt-rtx"), DETECTION, quiet)


def test_a_graph_that_is_none_is_not_the_providers_fault() -> None:
    with pytest.raises(GraphError):
        create_session(b"no graph", Placement("cpu"), DETECTION, quiet)


def test_stderr_survives_sessions_that_fail_side_by_side() -> None:
    """Native words are caught by borrowing the process's stderr; it must come back."""
    code = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from edgeocr import providers
import onnxruntime
graph = open(sys.argv[1], "rb").read()
def start(i):
    try:
        asked = [("CUDAExecutionProvider", {})]
        providers._open(graph, "cuda", asked, onnxruntime.SessionOptions())
    except Exception as error:
        return type(error).__name__
with ThreadPoolExecutor(6) as pool:
    print(*sorted(set(pool.map(start, range(24)))))
os.write(2, b"still here")
"""
    graph = FIXTURES / "ctc.npz"  # no graph: every session fails
    done = subprocess.run([sys.executable, "-c", code, graph], capture_output=True, text=True)
    assert done.stdout.split() in (["ProviderUnavailableError"], ["GraphError"])
    assert done.stderr.endswith("still here")


def test_the_cpu_session_leaves_stderr_alone(bundle: Bundle, monkeypatch) -> None:
    monkeypatch.setattr(providers, "captured_words", None)
    OCR(bundle, provider="cpu")
