"""The only thread that talks to GPUs.

CUDA's handles and graphs belong to the thread that made them, ONNX Runtime makes the allocator of
device buffers without a lock, and while a CUDA graph is being recorded no other thread of the
process may allocate or copy. A GPU works on one run at a time anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .forks import PerProcess

Result = TypeVar("Result")

# The executor starts its thread with the first work. The thread of a parent is not in its children.
_executor = PerProcess(lambda: ThreadPoolExecutor(1, thread_name_prefix="edgeocr-device"))


def run_on_device_thread(work: Callable[..., Result], *arguments: object) -> Result:
    """Call a function in the device thread, and wait for it.

    Args:
        work: The function. It waits for everything that the thread was asked to do before.
        *arguments: Arguments of `work`.

    Returns:
        What `work` returns. What it raises is raised here.
    """
    return _executor.get().submit(work, *arguments).result()
