"""Staying below a limit of memory: what there is room for, and who has to wait for it.

What a process holds is code and weights, which opening measures; what runs of networks take, which
is in one arena that keeps it (`arena`); and the page's picture. What is left below the limit after
opening is parted between the last two, once, so that what is read doesn't depend on what was read
before. Runs wait until there is room for them; what can never have room is an error.
"""

from __future__ import annotations

import gc
import math
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from ..errors import EdgeOCRError, GraphError, MemoryLimitError

Result = TypeVar("Result")

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
# Larger ones are mistakes.
MOST = 1 << 50
# What ONNX Runtime's arena takes, by what the graph says (`activation_bytes`): its convolutions
# copy inputs to another layout, and pieces of the arena don't always join. 1.3 to 1.75 measured.
ARENA_FACTOR = 1.75
# What the first pages take beside all that is counted: stacks, small arrays, caches of allocators.
RESERVE = 15_000_000
# What glibc keeps for itself is not given back: arrays from this size on are mapped by themselves.
MAPPED = 1 << 20
# Of what is left after opening, what goes to networks' runs when both could use it.
SHARE = 0.6
# The smallest picture's decoding that is worth opening for: 2 megapixels.
LEAST_PICTURE = 12_000_000
# What opening takes for each byte of a graph, and beside: at the least, and at the most.
OPENING, OPENING_MOST = (1.5, 5_000_000), (1.65, 14_000_000)
# glibc's numbers of `mallopt`.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
# How ONNX Runtime and OpenCV say that there was no memory.
NO_MEMORY = re.compile(
    "Available memory of|Failed to allocate|bad_alloc|bad allocation|Insufficient memory"
    "|OutOfMemory|out of memory",
    re.IGNORECASE,
)


def parse(limit: int | str | None) -> int | None:
    """A limit as bytes: a number, or a text as in "300MB" (10⁶), "300MiB" (2²⁰) or "1.5GB".

    0 and "none" are 0, for no limit; None stays None, for the bundle's own. Raises `ValueError`.
    """
    if limit is None:
        return None
    if isinstance(limit, str):
        text = limit.strip().upper()
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]?I?B)?", text, re.ASCII)
        if text == "NONE":
            return 0
        if match is None or (match[2] or "") not in UNITS:
            raise ValueError(f"must be as in 300MB, 300MiB, 1.5GB or none, not {limit!r:.40}")
        number = float(match[1]) * UNITS[match[2] or ""]
        value = round(min(number, MOST + 1))  # which so many digits as to be infinite are not
    elif isinstance(limit, int) and not isinstance(limit, bool):
        value = limit
    else:
        raise ValueError(f"must be bytes or a text as in '300MB', not {limit!r:.40}")
    if not 0 <= value <= MOST:
        raise ValueError(f"must be from 0 to {MOST} bytes, not {limit!r:.40}")
    return value


def resident() -> int:
    """Bytes that this process holds in memory now. Raises `EdgeOCRError` where that is unknown."""
    if not sys.platform.startswith("linux"):
        raise EdgeOCRError(
            f"memory_limit works on Linux only, this is {sys.platform}: say memory_limit=0 "
            "(--memory-limit none), and use a smaller max_pixels and fewer threads instead"
        )
    pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def give_back() -> None:
    """Give what Python and glibc hold and don't use back to the system, as far as they can, and let
    glibc keep less from now on.
    """
    gc.collect()
    import ctypes

    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim"):  # only glibc has both
        libc.mallopt(MMAP_THRESHOLD, MAPPED)
        libc.mallopt(TRIM_THRESHOLD, MAPPED)
        libc.malloc_trim(0)


def of_memory(error: BaseException) -> bool:
    """Whether an error says that there was no memory."""
    return isinstance(error, MemoryError) or NO_MEMORY.search(str(error)) is not None


def exceeded(needed: int, limit: int, advice: str) -> MemoryLimitError:
    """The error that says so; sizes are rounded up to whole megabytes of 10⁶ bytes."""
    needed = max(needed, limit + 10**6)
    error = MemoryLimitError(
        f"needs {math.ceil(needed / 1e6)} MB, the limit is {limit / 1e6:.0f} MB: {advice}"
    )
    error.needed, error.limit = needed, limit
    return error


class Room:
    """So many bytes, which threads take parts of and give back."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._free = total
        self._change = threading.Condition()

    @contextmanager
    def taken(self, number: int) -> Iterator[None]:
        """Wait until there is room for so many bytes, at most `total`, and keep them."""
        assert number <= self.total
        with self._change:
            self._change.wait_for(lambda: self._free >= number)
            self._free -= number
        try:
            yield
        finally:
            with self._change:
                self._free += number
                self._change.notify_all()


class Runs:
    """The room for a stage's runs.

    room: what all stages share. per_pixel: bytes that a run takes for each pixel of its input.
    refuse: gives the error for a run that needs so many bytes.
    """

    def __init__(
        self, room: Room, per_pixel: int, refuse: Callable[[int], MemoryLimitError]
    ) -> None:
        self._room, self._per_pixel, self._refuse = room, per_pixel, refuse

    def run(self, pixels: int, beside: int, work: Callable[[], Result]) -> Result:
        """Do the work, a run on so many pixels, with as many bytes beside it, once there is room.

        A run whose arena was in too many pieces is done again when it has all of it. Raises
        `MemoryLimitError`.
        """
        needed = pixels * self._per_pixel + beside
        if needed > self._room.total:
            raise self._refuse(needed)
        try:
            with self._room.taken(needed):
                return work()
        except (GraphError, MemoryError) as error:
            if not of_memory(error):
                raise
        try:
            with self._room.taken(self._room.total):
                return work()
        except (GraphError, MemoryError) as error:
            if of_memory(error):
                raise self._refuse(max(needed, self._room.total * 5 // 4)) from error
            raise
