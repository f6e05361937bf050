"""One arena of ONNX Runtime for all sessions of this process that run on the CPU."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from .onnx_runtime import import_onnxruntime

if TYPE_CHECKING:
    import onnxruntime

# Address space that the first picture takes at once; only what is written to becomes memory. In one
# region all free pieces join again, in the many small ones of ONNX Runtime's default they don't:
# PP-OCRv4 mobile needs a seventh less memory for the same pictures.
ARENA_BYTES = 256 << 20
# A free piece that is larger than needed by this much is parted.
ARENA_SPLIT_BYTES = 1 << 20

_arena_lock = threading.Lock()
_arena_is_there = False
_arena_bytes: int | None = None


def bound() -> int | None:
    """The most bytes that the arena may take; None without a bound or an arena."""
    return _arena_bytes


def use_shared_arena(options: onnxruntime.SessionOptions, most: int | None = None) -> None:
    """Let CPU sessions take their memory from one arena, so that the next stage uses what the last
    one needed; each session would otherwise keep the most that it ever needed for itself.

    most: bytes that it may take, which are one region of address space; a run that needs more
        fails. None for no such bound.

    The first session's `most` is the arena's for as long as the process lives. A later session
    without a bound doesn't use an arena that has one, and has its own.
    """
    global _arena_is_there, _arena_bytes
    ort = import_onnxruntime()
    with _arena_lock:
        if not _arena_is_there:
            where = ort.OrtMemoryInfo(
                "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
            )
            # Without a bound regions of growing powers of two: regions of exactly what is asked
            # for leave holes that the next picture doesn't fit.
            arena = ort.OrtArenaCfg(most or 0, 0, most or ARENA_BYTES, ARENA_SPLIT_BYTES)
            with suppress(RuntimeError):  # somebody else in this process has made one
                ort.create_and_register_allocator(where, arena)
            _arena_is_there, _arena_bytes = True, most
    if _arena_bytes is not None and most is None:
        return
    options.add_session_config_entry("session.use_env_allocators", "1")
