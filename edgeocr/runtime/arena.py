"""The memory arena that all sessions on the CPU share in this process."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from .forks import ProcessLock
from .onnx_runtime import import_onnxruntime

if TYPE_CHECKING:
    import onnxruntime

logger = logging.getLogger(__name__)

# Bytes of address space that the arena reserves as one region for the first picture; only pages
# that are written to take memory. Free pieces of one region are merged again, but those of the many
# small regions that are ONNX Runtime's default are not. PP-OCRv4 mobile needs a seventh less memory
# with one region.
ARENA_BYTES = 256 << 20
# A free piece is split if it is more than this many bytes larger than needed.
ARENA_SPLIT_BYTES = 1 << 20

_lock = ProcessLock()
# The process that has made the arena; None if there is no arena.
_arena_maker: int | None = None
_arena_limit: int | None = None


def arena_limit() -> int | None:
    """Return the most bytes that the arena of this process may take; None if there is no limit."""
    return _arena_limit if _arena_maker == os.getpid() else None


def use_shared_arena(options: onnxruntime.SessionOptions, limit: int | None = None) -> None:
    """Let a session on the CPU take its memory from the arena that all of them share.

    So each stage reuses the memory of the stage before it. With an arena of its own, each session
    would keep the most memory that it ever needed.

    Args:
        options: The session's options, which are changed.
        limit: The most bytes that the arena may take, as one region of address space; a run that
            needs more fails. None sets no limit. The limit of the process's first session applies
            for as long as the process lives. If that arena has a limit, a later session without
            one gets an arena of its own. In a forked child, every session gets an arena of its own,
            because a thread of the parent may have held the lock of the shared one when the process
            was forked. The size of such an arena can't be limited, so with a limit there is none.
    """
    global _arena_maker, _arena_limit
    ort = import_onnxruntime()
    with _lock:
        if _arena_maker not in (None, os.getpid()):
            options.enable_cpu_mem_arena = limit is None
            return
        if _arena_maker is None:
            where = ort.OrtMemoryInfo(
                "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
            )
            # Strategy 0, without a limit: regions of growing powers of two. Regions of exactly the
            # size that is needed leave holes that the next picture doesn't fit into.
            arena = ort.OrtArenaCfg(limit or 0, 0, limit or ARENA_BYTES, ARENA_SPLIT_BYTES)
            try:
                ort.create_and_register_allocator(where, arena)
            except RuntimeError as error:  # other code in this process has made one before
                logger.info("using the arena that this process has registered already: %s", error)
            _arena_maker, _arena_limit = os.getpid(), limit
    if _arena_limit is not None and limit is None:
        return
    options.add_session_config_entry("session.use_env_allocators", "1")
