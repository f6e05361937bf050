"""Execution providers: which one a session asks for, and which one it really got.

ONNX Runtime lists providers that it was built with, not those that work here, and falls back to
the CPU with a log line when one fails. So a session is made for one provider at a time and asked
afterwards.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

from .errors import GraphError, ProviderUnavailableError

if TYPE_CHECKING:
    import onnxruntime

NAMES = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
# TensorRT builds an engine for minutes at each new shape, so nobody gets it unasked.
AUTO = ("cuda", "cpu")

OPTIONS: dict[str, dict[str, str]] = {
    # ONNX Runtime's default, EXHAUSTIVE, measures all of cuDNN's algorithms again at every new
    # input shape.
    "cuda": {"cudnn_conv_algo_search": "HEURISTIC"},
}

MISSING = {
    "cuda": "it needs an NVIDIA driver, and CUDA and cuDNN of the versions that this "
    "onnxruntime-gpu was built for",
    "tensorrt": "it needs an NVIDIA driver, and CUDA, cuDNN and TensorRT of the versions that "
    "this onnxruntime-gpu was built for",
}


_stderr_lock = threading.Lock()


class Started(NamedTuple):
    """A session, the provider it runs on, and why better ones were passed over."""

    session: onnxruntime.InferenceSession
    provider: str
    passed_over: tuple[str, ...] = ()


def available_threads() -> int:
    """Logical CPUs that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def create_session(graph: bytes, provider: str, options: onnxruntime.SessionOptions) -> Started:
    """Open `graph` on the provider asked for, and say which one it got.

    provider: "cpu", "cuda", "tensorrt", or "auto" for the first of `AUTO` that works.

    Raises `ProviderUnavailableError` when a provider asked for by name is unknown, not in this
    build of ONNX Runtime or doesn't start, and `GraphError` when the graph can't be loaded.
    """
    if provider not in ("auto", *NAMES):
        known = ", ".join(("auto", *NAMES))
        raise ProviderUnavailableError(f"unknown provider {provider!r}: choose one of {known}")
    ort = import_onnxruntime()
    built_in = ort.get_available_providers()
    if provider != "auto":
        if NAMES[provider] not in built_in:
            raise ProviderUnavailableError(_not_built_in(provider, ort.__version__))
        return Started(_open(graph, provider, options), provider)
    reasons: list[str] = []
    for candidate in AUTO:
        if NAMES[candidate] in built_in:
            try:
                return Started(_open(graph, candidate, options), candidate, tuple(reasons))
            except ProviderUnavailableError as error:
                reasons.append(str(error))
    raise ProviderUnavailableError("no provider works here: " + "; ".join(reasons))


def import_onnxruntime() -> Any:
    """The onnxruntime module; raises `ProviderUnavailableError` when it isn't installed."""
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


def _open(
    graph: bytes, provider: str, options: onnxruntime.SessionOptions
) -> onnxruntime.InferenceSession:
    ort = import_onnxruntime()
    wanted = NAMES[provider]
    # The CPU always starts, so its words needn't be kept.
    with nullcontext(str) if provider == "cpu" else _captured_stderr() as captured:
        try:
            session = ort.InferenceSession(
                graph,
                options,
                providers=[wanted],
                provider_options=[OPTIONS.get(provider, {})],
            )
        except Exception as error:  # ONNX Runtime's errors have no common class of their own
            if provider == "cpu":
                raise GraphError(f"ONNX Runtime can't load the graph: {error}") from error
            raise ProviderUnavailableError(_did_not_start(provider, str(error))) from error
        got = session.get_providers()
    if got[0] != wanted:
        raise ProviderUnavailableError(_did_not_start(provider, captured()))
    return session


def _not_built_in(provider: str, version: str) -> str:
    return (
        f"provider {provider!r} is not in the installed ONNX Runtime {version}: "
        "pip uninstall onnxruntime onnxruntime-gpu, then pip install onnxruntime-gpu "
        "(on a Jetson the wheel for its JetPack)"
    )


def _did_not_start(provider: str, words: str) -> str:
    last = " ".join(words.split())[-600:] or "nothing"
    return (
        f"provider {provider!r} did not start here: {MISSING[provider]}. ONNX Runtime said: {last}"
    )


@contextmanager
def _captured_stderr() -> Iterator[Callable[[], str]]:
    """Keep what native code writes to file descriptor 2; yields a function that gives it.

    ONNX Runtime tells why a provider failed on stderr and nowhere else. The descriptor belongs to
    the whole process, so only one thread at a time may borrow it.
    """
    with _stderr_lock, tempfile.TemporaryFile() as file:
        try:
            saved = os.dup(2)
        except OSError:  # no stderr at all
            yield str
            return
        if sys.stderr is not None:
            sys.stderr.flush()

        def said() -> str:
            file.seek(0)
            return file.read().decode("utf-8", "replace")

        os.dup2(file.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(saved, 2)
            os.close(saved)
