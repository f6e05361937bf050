"""The one thread that talks to GPUs.

CUDA's handles and graphs belong to the thread that made them, ONNX Runtime makes the allocator of
device buffers without a lock, and while a CUDA graph is recorded no other thread of the process may
allocate or copy. A GPU works on one run at a time anyway.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None


def on_device_thread(work: Callable[..., Result], *arguments: object) -> Result:
    """Do `work` on that thread, after what others want of it; returns or raises what it does."""
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(1, thread_name_prefix="edgeocr-device")
    return _pool.submit(work, *arguments).result()
