"""Execution providers: which one a session asks for, and which one it really got.

ONNX Runtime lists providers that it was built with, not those that work here, and falls back to
the CPU with a log line when one fails. So a session is made for one provider at a time and asked
afterwards.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import math
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from typing import TYPE_CHECKING, Any, NamedTuple

from ..device import nvidia
from ..errors import GraphError, ProviderUnavailableError
from . import diagnosis
from . import tensorrt_cache as engines
from .captured_output import captured_words
from .device_thread import on_device_thread
from .onnx_runtime import import_onnxruntime
from .placement import NAMES, Job, Placement, check_name, fallback_order, shapes_for
from .provider_options import Chain, chain, device_number, options_of

if TYPE_CHECKING:
    import onnxruntime

MakeOptions = Callable[[str], "onnxruntime.SessionOptions"]

# They need NVIDIA's driver.
NVIDIA = ("cuda", "tensorrt", "tensorrt-rtx")
# The device that a provider's buffers may lie on.
DEVICES = {"cuda": "cuda", "tensorrt": "cuda"}
# Providers that come as a library of their own: the package that has it.
PLUGINS = {"tensorrt-rtx": "onnxruntime_ep_nv_tensorrt_rtx"}
# The number of no CUDA graph: such a run is neither recorded nor played back.
PLAIN_RUN = "-1"
# ONNX Runtime's level of what is fatal. What else it would write is in its errors too.
SILENT = 4
# In its errors, of a graph that no provider could load.
BAD_GRAPH = ("INVALID_PROTOBUF", "INVALID_GRAPH")
# An input that each task's networks take, where they fix nothing.
ANY_INPUT = (1, 128, 256, 3)
# What ONNX Runtime says to enable_cuda_graph when not all operators run on CUDA.
CAPTURE_REFUSED = "cannot use the graph capture feature"

_registered: set[str] = set()


class Started(NamedTuple):
    """A session, the provider it runs on, why better ones were passed over, where its engines are
    kept, whether it records its runs, and the number of its device.
    """

    session: onnxruntime.InferenceSession
    provider: str
    passed_over: tuple[str, ...] = ()
    engines: engines.Engines | None = None
    captures: bool = False
    device_number: int = 0


def built_in() -> list[str]:
    """Names of the providers that this ONNX Runtime has, whether or not they work here."""
    available = import_onnxruntime().get_available_providers()
    return [
        name
        for name, long in NAMES.items()
        if long in available or (name in PLUGINS and importlib.util.find_spec(PLUGINS[name]))
    ]


def probe(provider: str, graph: bytes) -> str | None:
    """Try a provider on an edge graph: None when a session starts on it, else why not."""
    try:
        create_session(graph, Placement(provider), Job("", "", None), _quiet_options)
    except (ProviderUnavailableError, GraphError) as error:
        return str(error)
    return None


def create_session(
    graph: bytes, placement: Placement, job: Job, make_options: MakeOptions
) -> Started:
    """Open a stage's graph on the provider asked for, and say which one it got.

    make_options: makes the session's options for a provider.

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
        return _start(graph, wanted, placement, job, make_options)
    reasons: list[str] = []
    for candidate in fallback_order(job.preferred):
        if candidate not in there or (candidate == "tensorrt" and not _is_warm(placement, job)):
            continue
        try:
            started = _start(graph, candidate, placement, job, make_options)
        except ProviderUnavailableError as error:
            reasons.append(str(error))
        else:
            return started._replace(passed_over=tuple(reasons))
    raise ProviderUnavailableError("no provider works here: " + "; ".join(reasons))


def _is_warm(placement: Placement, job: Job) -> bool:
    """Whether the stage's engines for the GPU that is here have been built."""
    # Most have none, and asking for versions loads libraries.
    if placement.cache is None or not engines.any_of(placement.cache, placement.bundle):
        return False
    kept = _engines(placement)
    return kept is not None and kept.is_warm(job.stage)


def _engines(placement: Placement) -> engines.Engines | None:
    """The folder of TensorRT's engines for the GPU that is used here."""
    number = device_number("tensorrt", placement)
    gpus = nvidia.gpus()
    if placement.cache is None or number >= len(gpus):
        return None
    ort = import_onnxruntime()
    _preload(ort)  # or others than these would be loaded, and asked, and used
    versions = {"onnxruntime": ort.__version__, **nvidia.versions()}
    options = options_of("tensorrt", placement)
    return engines.Engines(
        placement.cache, engines.key(placement.bundle, gpus[number][:2], versions, options)
    )


def _start(
    graph: bytes, provider: str, placement: Placement, job: Job, make_options: MakeOptions
) -> Started:
    if provider in NVIDIA and nvidia.driver() is None:
        # ONNX Runtime would load gigabytes of libraries first.
        raise ProviderUnavailableError(diagnosis.did_not_start(provider, "", built_for=None))
    start = _start_in_this_thread
    if provider in DEVICES:
        return on_device_thread(start, graph, provider, placement, job, make_options)
    return start(graph, provider, placement, job, make_options)


def _start_in_this_thread(
    graph: bytes, provider: str, placement: Placement, job: Job, make_options: MakeOptions
) -> Started:
    kept = _engines(placement) if provider == "tensorrt" else None
    if kept is not None:
        kept.prepare()
    asked = chain(provider, placement, job, kept)
    own = asked[0][1]
    if provider in PLUGINS:
        session = _open_plugin(graph, provider, own, make_options(provider))
    else:
        try:
            session = _open(graph, provider, asked, make_options(provider))
        except ProviderUnavailableError as error:
            if CAPTURE_REFUSED not in str(error):
                raise
            del own["enable_cuda_graph"]  # some operator of this graph runs on the CPU
            session = _open(graph, provider, asked, make_options(provider))
    session.disable_fallback()  # or a failing run would go on silently on the CPU
    if provider in DEVICES:
        _prove(session, provider, job)
    return Started(
        session,
        provider,
        engines=kept,
        captures="enable_cuda_graph" in own,
        device_number=device_number(provider, placement),
    )


def _prove(session: onnxruntime.InferenceSession, provider: str, job: Job) -> None:
    """Run a session once: ONNX Runtime 1.28 and newer look for cuDNN when they first need it."""
    import numpy as np

    taken = session.get_inputs()[0]
    if len(taken.shape) != len(ANY_INPUT) or taken.type != "tensor(uint8)":
        return  # no edge graph, which `Session` says
    shape: tuple[int, ...]
    if job.usual is None:
        known = zip(taken.shape, ANY_INPUT, strict=True)
        shape = tuple(side if isinstance(side, int) else usual for side, usual in known)
    else:
        shape = min(shapes_for(provider, job.shapes), key=math.prod, default=job.usual)
    options = import_onnxruntime().RunOptions()
    options.add_run_config_entry("gpu_graph_id", PLAIN_RUN)
    with captured_words() as said:
        try:
            session.run(None, {taken.name: np.zeros(shape, np.uint8)}, options)
        except Exception as error:  # ONNX Runtime's errors have no common class of their own
            raise ProviderUnavailableError(_did_not_start(provider, f"{said()} {error}")) from error


def _preload(ort: Any) -> None:
    """Load the libraries of NVIDIA's Python packages, where they are installed."""
    if hasattr(ort, "preload_dlls"):  # since 1.21
        with redirect_stdout(io.StringIO()):  # what is missing is told again when it is needed
            ort.preload_dlls()


def _open(
    graph: bytes, provider: str, asked: Chain, options: onnxruntime.SessionOptions
) -> onnxruntime.InferenceSession:
    ort = import_onnxruntime()
    # The CPU always starts, so its words needn't be kept.
    with nullcontext(str) if provider == "cpu" else captured_words() as said:
        if provider in DEVICES:
            _preload(ort)
        try:
            session = ort.InferenceSession(
                graph,
                options,
                providers=[name for name, _ in asked],
                provider_options=[each for _, each in asked],
                enable_fallback=0,
            )
        except Exception as error:  # ONNX Runtime's errors have no common class of their own
            if provider == "cpu" or any(each in str(error) for each in BAD_GRAPH):
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
            options.add_provider_for_devices(devices[:1], given)
            session = ort.InferenceSession(graph, options)
        except Exception as error:  # ImportError, AttributeError of an old version, the library's
            raise ProviderUnavailableError(_did_not_start(provider, f"{said()} {error}")) from error
        if session.get_providers()[0] != NAMES[provider]:
            raise ProviderUnavailableError(_did_not_start(provider, said()))
    return session


def _quiet_options(provider: str) -> onnxruntime.SessionOptions:
    options = import_onnxruntime().SessionOptions()
    options.log_severity_level = SILENT
    return options


def _did_not_start(provider: str, words: str) -> str:
    built_for = getattr(import_onnxruntime(), "cuda_version", None) or None
    return diagnosis.did_not_start(provider, words, built_for=built_for)
