"""Parse a memory limit, and measure what the process holds."""

from __future__ import annotations

import ctypes
import gc
import math
import os
import re
import sys
from pathlib import Path

from ..errors import EdgeOCRError, MemoryLimitError

UNITS = {
    "": 1,
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KIB": 1 << 10,
    "MIB": 1 << 20,
    "GIB": 1 << 30,
}
# A limit above this, in bytes, is a mistake.
LARGEST = 1 << 50
# glibc returns an array of this many bytes or more to the system as soon as it is freed.
MAPPED_BYTES = 1 << 20
# Parameters of glibc's `mallopt`.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3


def parse(limit: int | str | None) -> int | None:
    """Convert a memory limit to bytes.

    Args:
        limit: Bytes, or text such as "300MB" (10⁶ bytes each), "300MiB" (2²⁰) or "1.5GB". 0 and
            "none" mean no limit, None means that the bundle decides.

    Returns:
        Bytes, 0 for no limit, or None.

    Raises:
        ValueError: The text can't be parsed, or the number is out of range.
        TypeError: The limit is neither an integer nor text.
    """
    if limit is None:
        return None
    if isinstance(limit, str):
        text = limit.strip().upper()
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]?I?B)?", text, re.ASCII)
        if text == "NONE":
            return 0
        if match is None or (match[2] or "") not in UNITS:
            raise ValueError(
                f"memory_limit must be as in 300MB, 300MiB, 1.5GB or none, not {limit!r:.40}"
            )
        number = float(match[1]) * UNITS[match[2] or ""]
        value = round(min(number, LARGEST + 1))  # a text of many digits is infinite as a float
    elif isinstance(limit, int) and not isinstance(limit, bool):
        value = limit
    else:
        raise TypeError(f"memory_limit must be bytes or a text such as '300MB', not {limit!r:.40}")
    if not 0 <= value <= LARGEST:
        raise ValueError(f"memory_limit must be from 0 to {LARGEST} bytes, not {limit!r:.40}")
    return value


def resident_bytes() -> int:
    """Return how much physical memory this process holds.

    Raises:
        EdgeOCRError: The system is not Linux, so the figure is unknown.
    """
    if not sys.platform.startswith("linux"):
        raise EdgeOCRError(
            f"memory_limit works on Linux only, this is {sys.platform}: use memory_limit=0 "
            "(--memory-limit none), a smaller max_pixels and fewer threads"
        )
    pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def release_unused() -> None:
    """Return unused memory of Python and glibc to the system.

    From then on, glibc keeps less of what any part of the process frees.
    """
    gc.collect()
    if (libc := _glibc()) is not None:
        libc.mallopt(MMAP_THRESHOLD, MAPPED_BYTES)
        libc.mallopt(TRIM_THRESHOLD, MAPPED_BYTES)
        libc.malloc_trim(0)


def trim() -> None:
    """Return memory that glibc keeps unused to the system, and change nothing else."""
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """Return glibc, or None where the C library is another one."""
    if sys.platform == "win32":  # where the program itself can't be opened as a library
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None


def exceeded(needed: int, limit: int, advice: str) -> MemoryLimitError:
    """Create the error for a need above the limit.

    Args:
        needed: Bytes that are needed; the message rounds them up to whole megabytes (10⁶ bytes).
        limit: The memory limit in bytes.
        advice: What the user can do.
    """
    needed = max(needed, limit + 10**6)
    return MemoryLimitError(
        f"needs {math.ceil(needed / 1e6)} MB, the limit is {limit / 1e6:.0f} MB: {advice}",
        needed=needed,
        limit=limit,
    )
