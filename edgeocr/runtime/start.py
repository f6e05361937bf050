"""Open sessions, and check that they run on the provider that was asked for.

ONNX Runtime lists the providers that it was built with, whether or not they work here, and when one
fails it falls back to the CPU with nothing but a log line. So a session is opened for one provider
at a time and then checked.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import math
from collections.abc import Callable, Collection
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..device import nvidia
from ..errors import GraphError, ProviderUnavailableError, excerpt
from . import diagnosis, engines_here
from .captured_output import captured_output
from .device_thread import run_on_device_thread
from .forks import forks_wait
from .job import Job
from .onnx_runtime import (
    FATAL_ONLY,
    NO_GRAPH,
    graph_run_options,
    import_onnxruntime,
    preload_nvidia_libraries,
)
from .placement import Placement
from .provider_options import Chain, device_number, provider_chain
from .providers import AUTO, PROVIDERS, Provider
from .tensorrt_cache import EngineFolder

if TYPE_CHECKING:
    import onnxruntime

MakeOptions: TypeAlias = 'Callable[[Provider], "onnxruntime.SessionOptions"]'

logger = logging.getLogger(__name__)

# Parts of ONNX Runtime's errors for a graph that no provider could load.
BAD_GRAPH = ("INVALID_PROTOBUF", "INVALID_GRAPH")
# Part of ONNX Runtime's error for `enable_cuda_graph` when some operators don't run on CUDA.
RECORDING_REFUSED = "cannot use the graph capture feature"
# An input [N, H, W, 3] that the networks of every task take; it stands in for sides that vary.
ANY_INPUT = (1, 128, 256, 3)

# Names of the plugin providers whose library has been registered with ONNX Runtime.
_registered: set[str] = set()


@dataclass(frozen=True)
class StartedSession:
    """An ONNX Runtime session that has started, and what it runs on.

    Attributes:
        session: The session.
        provider: The provider that it runs on.
        engines: Where its TensorRT engines are kept; None if there are none.
        records_runs: Whether its runs can be recorded as CUDA graphs.
        device_number: Number of its device.
    """

    session: onnxruntime.InferenceSession
    provider: Provider
    engines: EngineFolder | None = None
    records_runs: bool = False
    device_number: int = 0


def built_in() -> list[str]:
    """List the names of the providers that are installed, whether or not they work here.

    Raises:
        ProviderUnavailableError: ONNX Runtime can't be imported.
    """
    available = import_onnxruntime().get_available_providers()
    return [
        name
        for name, provider in PROVIDERS.items()
        if provider.onnxruntime_name in available
        or (provider.plugin is not None and importlib.util.find_spec(provider.plugin))
    ]


def all_on_cpu(placement: Placement, stages: Collection[str]) -> bool:
    """Return whether no other provider than the CPU can be tried for any of the stages."""
    wanted = {placement.provider_of(stage) for stage in stages}
    return wanted <= {"cpu"} or (wanted <= {"cpu", AUTO} and built_in() == ["cpu"])


def probe(provider: str, graph: bytes) -> str | None:
    """Try to start a provider on an edge graph.

    Args:
        provider: The provider's name.
        graph: The ONNX file's bytes.

    Returns:
        None if a session starts on it, otherwise the reason why not.
    """
    try:
        create_session(graph, Placement(provider), Job("", "", None), _quiet_options)
    except (ProviderUnavailableError, GraphError) as error:
        return str(error)
    return None


def create_session(
    graph: bytes, placement: Placement, job: Job, make_options: MakeOptions
) -> StartedSession:
    """Open a stage's graph on the provider that its placement names.

    Args:
        graph: The ONNX file's bytes.
        placement: The caller's choice. `variants.taking` has replaced "auto" by a provider.
        job: What the graph is for.
        make_options: Makes the session's options for a provider.

    Raises:
        ProviderUnavailableError: The provider isn't a part of the installed ONNX Runtime, or
            doesn't start.
        GraphError: The graph can't be loaded.
        ValueError: The placement leaves the choice of the provider open.
    """
    name = placement.provider_of(job.stage)
    if name == AUTO:
        raise ValueError(f"the stage {job.stage!r} needs a provider that is named")
    provider = PROVIDERS[name]
    if name not in built_in():
        version = import_onnxruntime().__version__
        raise ProviderUnavailableError(diagnosis.not_built_in(provider, version))
    return _start(graph, provider, placement, job, make_options)


def is_ready(provider: Provider, placement: Placement, job: Job) -> bool:
    """Return whether "auto" may try a provider: its engines have been built if it needs some."""
    return not provider.builds_engines or engines_here.are_warm(provider, placement, job)


def _start(
    graph: bytes, provider: Provider, placement: Placement, job: Job, make_options: MakeOptions
) -> StartedSession:
    if provider.needs_nvidia_driver and nvidia.driver() is None:
        # ONNX Runtime would load gigabytes of libraries before it found out.
        raise ProviderUnavailableError(diagnosis.did_not_start(provider, "", built_for=None))
    if provider.device is not None:
        return run_on_device_thread(
            _start_in_this_thread, graph, provider, placement, job, make_options
        )
    return _start_in_this_thread(graph, provider, placement, job, make_options)


def _start_in_this_thread(
    graph: bytes, provider: Provider, placement: Placement, job: Job, make_options: MakeOptions
) -> StartedSession:
    engines = engines_here.folder(provider, placement, job)
    if engines is not None:
        engines.prepare()
    chain = provider_chain(provider, placement, job, engines)
    options = chain[0][1]
    # ONNX Runtime holds a lock while it loads a graph. In a child that is forked at that moment,
    # the lock would stay locked, and opening a session would wait for it for ever.
    with forks_wait():
        if provider.plugin is not None:
            session = _open_plugin(graph, provider, options, make_options(provider))
        else:
            try:
                session = _open(graph, provider, chain, make_options(provider))
            except ProviderUnavailableError as error:
                if RECORDING_REFUSED not in str(error) or provider.recording_option is None:
                    raise
                logger.info("%s runs in part on the CPU, so its runs aren't recorded", job.stage)
                del options[provider.recording_option]
                session = _open(graph, provider, chain, make_options(provider))
    session.disable_fallback()  # otherwise a failing run would silently continue on the CPU
    # For that fallback, ONNX Runtime keeps the file's bytes beside the weights made of them.
    session._model_bytes = None
    if provider.device is not None:
        _run_once(session, provider, job)
    return StartedSession(
        session,
        provider,
        engines=engines,
        records_runs=provider.recording_option in options,
        device_number=device_number(provider, placement),
    )


def _run_once(session: onnxruntime.InferenceSession, provider: Provider, job: Job) -> None:
    """Run a session once, because ONNX Runtime 1.28 and newer look for cuDNN only then."""
    import numpy as np

    node = session.get_inputs()[0]
    if len(node.shape) != len(ANY_INPUT) or node.type != "tensor(uint8)":
        return  # not an edge graph: `Session` raises an error that says so
    shape: tuple[int, ...]
    if job.usual_shape is None:
        sides = zip(node.shape, ANY_INPUT, strict=True)
        shape = tuple(side if isinstance(side, int) else usual for side, usual in sides)
    else:
        shape = min(provider.shapes_for(job.shapes), key=math.prod, default=job.usual_shape)
    with captured_output() as captured:
        try:
            batch = np.zeros(shape, np.uint8)
            session.run(None, {node.name: batch}, graph_run_options(NO_GRAPH))
        except Exception as error:  # ONNX Runtime's errors have no common base class of their own
            raise _did_not_start(provider, f"{captured()} {error}") from error


def _open(
    graph: bytes, provider: Provider, chain: Chain, options: onnxruntime.SessionOptions
) -> onnxruntime.InferenceSession:
    ort = import_onnxruntime()
    # There is nothing to diagnose for a provider that always starts.
    with nullcontext(str) if provider.always_starts else captured_output() as captured:
        if provider.device is not None:
            preload_nvidia_libraries()
        try:
            session = ort.InferenceSession(
                graph,
                options,
                providers=[name for name, _ in chain],
                provider_options=[each for _, each in chain],
                enable_fallback=0,
            )
        except Exception as error:  # ONNX Runtime's errors have no common base class of their own
            if provider.always_starts or any(each in str(error) for each in BAD_GRAPH):
                found = excerpt(str(error))
                raise GraphError(f"ONNX Runtime can't load the graph: {found}") from error
            raise _did_not_start(provider, f"{captured()} {error}") from error
        if session.get_providers()[0] != provider.onnxruntime_name:
            raise _did_not_start(provider, captured())
    return session


def _open_plugin(
    graph: bytes,
    provider: Provider,
    provider_options: dict[str, str],
    options: onnxruntime.SessionOptions,
) -> onnxruntime.InferenceSession:
    ort = import_onnxruntime()
    with captured_output() as captured:
        try:
            plugin = importlib.import_module(provider.plugin or "")
            if provider.name not in _registered:
                ort.register_execution_provider_library(provider.name, plugin.get_library_path())
                _registered.add(provider.name)
            devices = [
                each for each in ort.get_ep_devices() if each.ep_name == provider.onnxruntime_name
            ]
            options.add_provider_for_devices(devices[:1], provider_options)
            session = ort.InferenceSession(graph, options)
        except Exception as error:  # of the import, of an old ONNX Runtime, or of the library
            raise _did_not_start(provider, f"{captured()} {error}") from error
        if session.get_providers()[0] != provider.onnxruntime_name:
            raise _did_not_start(provider, captured())
    return session


def _quiet_options(provider: Provider) -> onnxruntime.SessionOptions:
    options = import_onnxruntime().SessionOptions()
    options.log_severity_level = FATAL_ONLY
    return options


def _did_not_start(provider: Provider, output: str) -> ProviderUnavailableError:
    built_for = getattr(import_onnxruntime(), "cuda_version", None) or None
    return ProviderUnavailableError(diagnosis.did_not_start(provider, output, built_for=built_for))
