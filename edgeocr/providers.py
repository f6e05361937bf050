"""Execution providers: which one a session asks for, and which one it really got.

ONNX Runtime lists providers that it was built with, not those that work here, and falls back to
the CPU with a log line when one fails. So a session is made for one provider at a time and asked
afterwards.
"""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout, suppress
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

# How much of what ONNX Runtime said goes into an error; what is missing stands at its end.
WORDS = 600

OPTIONS: dict[str, dict[str, str]] = {
    # ONNX Runtime's default, EXHAUSTIVE, measures all of cuDNN's algorithms again at every new
    # input shape.
    "cuda": {"cudnn_conv_algo_search": "HEURISTIC"},
}

# Address space that the first picture takes at once; only what is written to becomes memory. In one
# region all free pieces join again, in the many small ones of ONNX Runtime's default they don't:
# PP-OCRv4 mobile needs a seventh less memory for the same pictures.
ARENA_BYTES = 256 << 20
# A free piece that is larger than needed by this much is parted.
ARENA_SPLIT_BYTES = 1 << 20

MISSING = {
    "cuda": "it needs an NVIDIA driver, and CUDA and cuDNN of the versions that this "
    "onnxruntime-gpu was built for",
    "tensorrt": "it needs an NVIDIA driver, and CUDA, cuDNN and TensorRT of the versions that "
    "this onnxruntime-gpu was built for",
}


_words_lock = threading.Lock()
_arena_lock = threading.Lock()
_arena_is_there = False


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


def use_shared_arena(options: onnxruntime.SessionOptions) -> None:
    """Let CPU sessions take their memory from one arena, so that the next stage uses what the last
    one needed; each session would otherwise keep the most that it ever needed for itself.
    """
    global _arena_is_there
    ort = import_onnxruntime()
    with _arena_lock:
        if not _arena_is_there:
            where = ort.OrtMemoryInfo(
                "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
            )
            # No limit, and regions of growing powers of two: regions of exactly what is asked for
            # leave holes that the next picture doesn't fit.
            arena = ort.OrtArenaCfg(0, 0, ARENA_BYTES, ARENA_SPLIT_BYTES)
            with suppress(RuntimeError):  # somebody else in this process has made one
                ort.create_and_register_allocator(where, arena)
            _arena_is_there = True
    options.add_session_config_entry("session.use_env_allocators", "1")


def _open(
    graph: bytes, provider: str, options: onnxruntime.SessionOptions
) -> onnxruntime.InferenceSession:
    ort = import_onnxruntime()
    wanted = NAMES[provider]
    # The CPU always starts, so its words needn't be kept.
    with nullcontext(str) if provider == "cpu" else _captured_words() as said:
        try:
            session = ort.InferenceSession(
                graph,
                options,
                providers=[wanted],
                provider_options=[OPTIONS.get(provider, {})],
                enable_fallback=0,
            )
        except Exception as error:  # ONNX Runtime's errors have no common class of their own
            if provider == "cpu":
                raise GraphError(f"ONNX Runtime can't load the graph: {error}") from error
            raise ProviderUnavailableError(_did_not_start(provider, f"{said()} {error}")) from error
        if session.get_providers()[0] != wanted:
            raise ProviderUnavailableError(_did_not_start(provider, said()))
    session.disable_fallback()  # or a failing run would go on silently on the CPU
    return session


def _not_built_in(provider: str, version: str) -> str:
    return (
        f"provider {provider!r} is not in the installed ONNX Runtime {version}: "
        "pip uninstall onnxruntime onnxruntime-gpu, then pip install onnxruntime-gpu "
        "(on a Jetson the wheel for its JetPack)"
    )


def _did_not_start(provider: str, words: str) -> str:
    last = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", words).split()) or "nothing"
    if len(last) > WORDS:
        last = "…" + last[-WORDS:]
    return (
        f"provider {provider!r} did not start here: {MISSING[provider]}. ONNX Runtime said: {last}"
    )


@contextmanager
def _captured_words() -> Iterator[Callable[[], str]]:
    """Keep what is written to file descriptor 2 and to sys.stdout; yields a function that gives it.

    ONNX Runtime tells why a provider failed there and nowhere else. Both belong to the whole
    process, so only one thread at a time may borrow them.
    """
    with _words_lock, tempfile.TemporaryFile() as file, redirect_stdout(io.StringIO()) as printed:
        try:
            saved = os.dup(2)
        except OSError:  # no stderr at all
            yield printed.getvalue
            return
        if sys.stderr is not None:
            sys.stderr.flush()

        def said() -> str:
            file.seek(0)
            return file.read().decode("utf-8", "replace") + printed.getvalue()

        os.dup2(file.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(saved, 2)
            os.close(saved)
