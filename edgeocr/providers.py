"""Execution providers: which one a session asks for, and which one it really got.

ONNX Runtime lists providers that it was built with, not those that work here, and falls back to
the CPU with a log line when one fails. So a session is made for one provider at a time and asked
afterwards.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Container, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from . import diagnosis, engines, nvidia
from .captured import captured_words
from .errors import EdgeOCRError, GraphError, ProviderUnavailableError

if TYPE_CHECKING:
    import onnxruntime

Shape = tuple[int, int, int, int]
Chain = list[tuple[str, dict[str, str]]]

NAMES = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "tensorrt-rtx": "NvTensorRTRTXExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "xnnpack": "XnnpackExecutionProvider",
    "qnn": "QNNExecutionProvider",
    "migraphx": "MIGraphXExecutionProvider",
}
# What "auto" tries, the best first. TensorRT builds an engine for minutes, so nobody gets it
# unasked: it counts where its engines have been built.
AUTO = ("tensorrt", "cuda", "cpu")
# They need NVIDIA's driver.
NVIDIA = ("cuda", "tensorrt", "tensorrt-rtx")
# The device that a provider's buffers may lie on.
DEVICES = {"cuda": "cuda", "tensorrt": "cuda"}
# These take any shape as it comes; all others choose, compile or build something for each new one.
ANY_SHAPE = ("cpu", "xnnpack")
# Providers that come as a library of their own: the package that has it.
PLUGINS = {"tensorrt-rtx": "onnxruntime_ep_nv_tensorrt_rtx"}
# TensorRT reserves memory for the largest input of a profile, which is the largest height by the
# largest width. So pictures that are more times longer than wide are scaled down for it.
TENSORRT_PROPORTION = 3

# Options of https://onnxruntime.ai/docs/execution-providers/, and why.
OPTIONS: dict[str, dict[str, str]] = {
    "cuda": {
        # The default, EXHAUSTIVE, measures all of cuDNN's algorithms at every new input shape.
        "cudnn_conv_algo_search": "HEURISTIC",
        # The default doubles the arena whenever it is full.
        "arena_extend_strategy": "kSameAsRequested",
        # TF32 rounds products to 10 bits, which changes texts; see FP16.
        "use_tf32": "0",
    },
    "tensorrt": {"trt_engine_cache_enable": "1", "trt_timing_cache_enable": "1"},
}
# The same with lower precision allowed. CUDA runs a graph in the precision that it is written in;
# with float32 the nearest is TF32, which multiplies with as many bits as float16.
FP16: dict[str, dict[str, str]] = {
    "cuda": {"use_tf32": "1"},
    "tensorrt": {"trt_fp16_enable": "1"},
    "migraphx": {"migraphx_fp16_enable": "1"},
}
# From this version of ONNX Runtime on a session can hold a CUDA graph for each input shape.
CAPTURE_SINCE = (1, 19)
# What ONNX Runtime says to enable_cuda_graph when not all operators run on CUDA.
CAPTURE_REFUSED = "cannot use the graph capture feature"

_registered: set[str] = set()


@dataclass(frozen=True)
class Placement:
    """What a caller wants stages to run on.

    provider: a name of `NAMES`, "auto" for the best that works here, or the name for each stage;
        stages that aren't named are "auto".
    options: provider → option → value, over those that edgeocr sets.
    fp16: lower precision, where the provider can.
    few_shapes: whether inputs are padded to the manifest's sets of shapes; None for doing so on
        providers that choose, compile or build something for each new shape.
    bundle: digest of the bundle, which names its engines.
    cache: folder with TensorRT's engines; None for keeping none.
    """

    provider: str | Mapping[str, str] = "auto"
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fp16: bool = False
    few_shapes: bool | None = None
    bundle: str = ""
    cache: Path | None = None

    def check(self, stages: Container[str]) -> None:
        """Raises `ProviderUnavailableError` for a provider, and `EdgeOCRError` for a stage, that
        there isn't.
        """
        if isinstance(self.provider, str):
            check_name(self.provider)
        else:
            for stage, provider in self.provider.items():
                if stage not in stages:
                    raise EdgeOCRError(f"no stage is called {stage!r}, for {provider!r} to run it")
                check_name(provider)
        for provider in self.options:
            check_name(provider)

    def of(self, stage: str) -> str:
        """The provider of a stage, or "auto"."""
        if isinstance(self.provider, str):
            return self.provider
        return self.provider.get(stage, "auto")

    def wants_few_shapes(self, provider: str) -> bool:
        """Whether inputs of this provider come from a small set."""
        return provider not in ANY_SHAPE if self.few_shapes is None else self.few_shapes


class Job(NamedTuple):
    """A stage's graph, as its session is to be made.

    stage: its name.
    input: name of the graph's input.
    usual: a common shape of the input, which warms up those that take any.
    shapes: the only shapes of the input on providers that want few; may be empty.
    preferred: the bundle's order of providers for "auto".
    """

    stage: str
    input: str
    usual: Shape
    shapes: Sequence[Shape] = ()
    preferred: Sequence[str] | None = None


class Started(NamedTuple):
    """A session, the provider it runs on, why better ones were passed over, and the folder of its
    engines, and whether it can record its runs.
    """

    session: onnxruntime.InferenceSession
    provider: str
    passed_over: tuple[str, ...] = ()
    engines: engines.Engines | None = None
    captures: bool = False


def built_in() -> list[str]:
    """Names of the providers that this ONNX Runtime has, whether or not they work here."""
    available = import_onnxruntime().get_available_providers()
    return [
        name
        for name, long in NAMES.items()
        if long in available or (name in PLUGINS and importlib.util.find_spec(PLUGINS[name]))
    ]


def version() -> tuple[int, int]:
    """Major and minor version of ONNX Runtime."""
    major, minor, *_ = import_onnxruntime().__version__.split(".")
    return int(major), int(minor)


def check_name(provider: str) -> None:
    """Raises `ProviderUnavailableError` for a name that is none."""
    if provider not in ("auto", *NAMES):
        known = ", ".join(("auto", *NAMES))
        raise ProviderUnavailableError(f"unknown provider {provider!r}: choose one of {known}")


def probe(provider: str, graph: bytes) -> str | None:
    """Try a provider on an edge graph: None when a session starts on it, else why not."""
    try:
        ort = import_onnxruntime()
        create_session(graph, Placement(provider), Job("", "", (1, 1, 1, 3)), ort.SessionOptions())
    except (ProviderUnavailableError, GraphError) as error:
        return str(error)
    return None


def create_session(
    graph: bytes, placement: Placement, job: Job, options: onnxruntime.SessionOptions
) -> Started:
    """Open a stage's graph on the provider asked for, and say which one it got.

    Raises `ProviderUnavailableError` when a provider asked for by name is unknown, not in this
    build of ONNX Runtime or doesn't start, and `GraphError` when the graph can't be loaded.
    """
    wanted = placement.of(job.stage)
    check_name(wanted)
    there = built_in()
    if wanted != "auto":
        if wanted not in there:
            here = import_onnxruntime().__version__
            raise ProviderUnavailableError(diagnosis.not_built_in(wanted, here))
        return _start(graph, wanted, placement, job, options)
    reasons: list[str] = []
    for candidate in fallback_order(job.preferred):
        if candidate not in there:
            continue
        if candidate == "tensorrt":
            kept = _engines(placement)
            if kept is None or not kept.is_warm(job.stage):
                continue
        try:
            started = _start(graph, candidate, placement, job, options)
        except ProviderUnavailableError as error:
            reasons.append(str(error))
        else:
            return started._replace(passed_over=tuple(reasons))
    raise ProviderUnavailableError("no provider works here: " + "; ".join(reasons))


def fallback_order(preferred: Sequence[str] | None) -> tuple[str, ...]:
    """What "auto" tries: the bundle's order, or `AUTO`; at the end the CPU, which always starts."""
    order = AUTO if preferred is None else tuple(preferred)
    return order if "cpu" in order else (*order, "cpu")


def shapes_for(provider: str, shapes: Sequence[Shape]) -> list[Shape]:
    """Those of a stage's shapes [N, H, W, 3] that a provider is given."""
    if provider != "tensorrt" or len({shape[1] for shape in shapes}) < 2:
        return list(shapes)
    return [s for s in shapes if max(s[1:3]) <= TENSORRT_PROPORTION * min(s[1:3])] or list(shapes)


def chain(provider: str, placement: Placement, job: Job, kept: engines.Engines | None) -> Chain:
    """The providers that ONNX Runtime is told of, with their options: the one wanted, and what
    takes the operators that it can't run, before the CPU.
    """
    options = _options(provider, placement)
    if provider == "tensorrt":
        if kept is not None:
            folder = str(kept.folder)
            paths = {"trt_engine_cache_path": folder, "trt_timing_cache_path": folder}
            options = {**paths, "trt_engine_cache_prefix": job.stage, **options}
        return [
            (NAMES[provider], {**_profile(provider, job), **options}),
            (NAMES["cuda"], _options("cuda", placement)),
        ]
    few = bool(job.shapes) and placement.wants_few_shapes(provider)
    if provider == "cuda" and few and version() >= CAPTURE_SINCE:
        options = {"enable_cuda_graph": "1", **options}
    return [(NAMES[provider], options)]


def _options(provider: str, placement: Placement) -> dict[str, str]:
    lower = FP16.get(provider, {}) if placement.fp16 else {}
    given = {key: str(value) for key, value in placement.options.get(provider, {}).items()}
    return {**OPTIONS.get(provider, {}), **lower, **given}


def _profile(provider: str, job: Job) -> dict[str, str]:
    """One engine for all shapes, from the least to the most of each side."""
    shapes = shapes_for(provider, job.shapes)
    if not shapes:
        return {}
    # Engines are tuned for the shape in the middle.
    middle = sorted(shapes, key=lambda shape: shape[0] * shape[1] * shape[2])[len(shapes) // 2]
    least, most = (
        tuple(which(sides) for sides in zip(*shapes, strict=True)) for which in (min, max)
    )
    return {
        f"trt_profile_{name}_shapes": f"{job.input}:" + "x".join(map(str, shape))
        for name, shape in (("min", least), ("opt", middle), ("max", most))
    }


def import_onnxruntime() -> Any:
    """The onnxruntime module; raises `ProviderUnavailableError` when it isn't installed.

    ONNX Runtime's wheels since 1.29 report their use to Microsoft, on Linux too, unless they are
    told not to before they are imported.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime

        onnxruntime.InferenceSession  # noqa: B018 - a half-removed package imports, empty
    except (ImportError, AttributeError) as error:
        raise ProviderUnavailableError(
            f"ONNX Runtime can't be imported ({error}): install it with "
            'pip install "edgeocr[cpu]", or "edgeocr[gpu]" for NVIDIA, never both; after a '
            "mix-up uninstall onnxruntime and onnxruntime-gpu first"
        ) from error
    return onnxruntime


def _engines(placement: Placement) -> engines.Engines | None:
    """The folder of TensorRT's engines for the GPU that is used here."""
    given = placement.options.get("tensorrt", {})
    number = str(given.get("device_id", "0"))
    gpus = nvidia.gpus()
    if placement.cache is None or not number.isdecimal() or int(number) >= len(gpus):
        return None
    ort = import_onnxruntime()
    versions = {"onnxruntime": ort.__version__, **nvidia.versions()}
    key = engines.key(
        placement.bundle, gpus[int(number)][:2], versions, _options("tensorrt", placement)
    )
    return engines.Engines(placement.cache, key)


def _start(
    graph: bytes,
    provider: str,
    placement: Placement,
    job: Job,
    options: onnxruntime.SessionOptions,
) -> Started:
    if provider in NVIDIA and nvidia.driver() is None:
        # ONNX Runtime would load gigabytes of libraries first.
        raise ProviderUnavailableError(diagnosis.did_not_start(provider, "", built_for=None))
    kept = _engines(placement) if provider == "tensorrt" else None
    if kept is not None:
        kept.prepare()
    asked = chain(provider, placement, job, kept)
    if provider in PLUGINS:
        session = _open_plugin(graph, provider, asked[0][1], options)
    else:
        try:
            session = _open(graph, provider, asked, options)
        except ProviderUnavailableError as error:
            if CAPTURE_REFUSED not in str(error):
                raise
            # Some operator of this graph runs on the CPU.
            asked[0][1]["enable_cuda_graph"] = "0"
            session = _open(graph, provider, asked, options)
    session.disable_fallback()  # or a failing run would go on silently on the CPU
    captures = asked[0][1].get("enable_cuda_graph") == "1"
    return Started(session, provider, engines=kept, captures=captures)


def _open(
    graph: bytes, provider: str, asked: Chain, options: onnxruntime.SessionOptions
) -> onnxruntime.InferenceSession:
    ort = import_onnxruntime()
    # The CPU always starts, so its words needn't be kept.
    with nullcontext(str) if provider == "cpu" else captured_words() as said:
        if provider in DEVICES and hasattr(ort, "preload_dlls"):  # since 1.21
            ort.preload_dlls()  # of NVIDIA's Python packages, where they are installed
        try:
            session = ort.InferenceSession(
                graph,
                options,
                providers=[name for name, _ in asked],
                provider_options=[each for _, each in asked],
                enable_fallback=0,
            )
        except Exception as error:  # ONNX Runtime's errors have no common class of their own
            if provider == "cpu":
                raise GraphError(f"ONNX Runtime can't load the graph: {error}") from error
            raise ProviderUnavailableError(_did_not_start(provider, f"{said()} {error}")) from error
        if session.get_providers()[0] != NAMES[provider]:
            raise ProviderUnavailableError(_did_not_start(provider, said()))
    return session


def _open_plugin(
    graph: bytes, provider: str, given: dict[str, str], options: onnxruntime.SessionOptions
) -> onnxruntime.InferenceSession:
    ort = import_onnxruntime()
    with captured_words() as said:
        try:
            plugin = importlib.import_module(PLUGINS[provider])
            if provider not in _registered:
                ort.register_execution_provider_library(provider, plugin.get_library_path())
                _registered.add(provider)
            devices = [each for each in ort.get_ep_devices() if each.ep_name == NAMES[provider]]
            if not devices:
                raise ProviderUnavailableError(_did_not_start(provider, said()))
            options.add_provider_for_devices(devices[:1], given)
            return ort.InferenceSession(graph, options)
        except ProviderUnavailableError:
            raise
        except Exception as error:  # ImportError, AttributeError of an old version, the library's
            raise ProviderUnavailableError(_did_not_start(provider, f"{said()} {error}")) from error


def _did_not_start(provider: str, words: str) -> str:
    built_for = getattr(import_onnxruntime(), "cuda_version", None) or None
    return diagnosis.did_not_start(provider, words, built_for=built_for)
