"""Which CPUs this process may use: affinity, the limits of its control groups, and chosen lists."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from ..errors import EdgeOCRError

CGROUPS = Path("/sys/fs/cgroup")
# Linux numbers no more.
MOST = 8192
OWN_CGROUPS = Path("/proc/self/cgroup")
CPUINFO = Path("/proc/cpuinfo")


def available_threads() -> int:
    """Logical CPUs that this process can keep busy: those it may run on, and no more than the quota
    of its control group, as a container has one; a part of a CPU counts as one.
    """
    allowed = len(_allowed()) or os.cpu_count() or 1
    quota = _quota()
    return allowed if quota is None else max(1, min(allowed, math.ceil(quota)))


@cache
def has_vnni() -> bool:
    """Whether an x86 processor says that it has AVX-VNNI or AVX-512 VNNI; elsewhere, and on systems
    that don't tell, False.
    """
    try:
        text = CPUINFO.read_text()
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "").split()
    return "avx512_vnni" in flags or "avx_vnni" in flags


def parse(text: str) -> tuple[int, ...]:
    """A list of CPUs as Linux writes it: "4-7" or "0,2-3" → numbers in ascending order.

    Raises `EdgeOCRError` for anything else, and as `checked` does.
    """
    found: set[int] = set()
    for part in text.split(","):
        first, separator, last = part.strip().partition("-")
        if not first.isdecimal() or (separator and not last.isdecimal()):
            raise EdgeOCRError(f"a list of CPUs is written as in 0,2-3, not {text!r}")
        if max(int(first), int(last or first)) >= MOST:
            raise EdgeOCRError(f"a list of CPUs with numbers below {MOST}, not {text!r}")
        numbers = range(int(first), int(last or first) + 1)
        if not numbers:
            raise EdgeOCRError(f"a list of CPUs is written as in 0,2-3, not {text!r}")
        found.update(numbers)
    return checked(found)


def checked(cpus: Iterable[int]) -> tuple[int, ...]:
    """The CPUs in ascending order. Raises `EdgeOCRError` for none, for one that this process may
    not use, and on systems that can't confine a thread.
    """
    if not hasattr(os, "sched_setaffinity"):
        raise EdgeOCRError("this system can't confine threads to CPUs")
    if not (chosen := set(cpus)):
        raise EdgeOCRError("a list of CPUs has one at least")
    if strangers := chosen - _allowed():
        raise EdgeOCRError(
            f"CPU {min(strangers)} is none that this process may use: it may use "
            + ", ".join(map(str, sorted(_allowed())))
        )
    return tuple(sorted(chosen))


@contextmanager
def confined(cpus: tuple[int, ...] | None) -> Iterator[None]:
    """Let this thread, and the threads that it starts meanwhile, run on these CPUs only."""
    if cpus is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _allowed() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def _quota() -> float | None:
    """CPUs' worth of time that the control groups allow, the least of the group's own and those
    above it; None without a limit.
    """
    try:
        rows = OWN_CGROUPS.read_text().splitlines()
    except OSError:
        return None
    limits = []
    for row in rows:  # "0::/path" of version 2, "4:cpu,cpuacct:/path" of version 1
        number, _, rest = row.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0":
            top, read = CGROUPS, _limit_v2
        elif "cpu" in controllers.split(","):
            top, read = CGROUPS / controllers, _limit_v1
            top = top if top.is_dir() else CGROUPS / "cpu"
        else:
            continue
        # In a container the path may be the host's, which isn't there: its own group is the top.
        parts = [] if ".." in Path(path).parts else Path(path.strip("/")).parts
        limits += [read(top.joinpath(*parts[:depth])) for depth in range(len(parts) + 1)]
    return min((limit for limit in limits if limit is not None), default=None)


def _limit_v2(group: Path) -> float | None:
    """`cpu.max`: "max 100000", or microseconds of each period."""
    try:
        quota, period = (group / "cpu.max").read_text().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else int(quota) / int(period)


def _limit_v1(group: Path) -> float | None:
    """`cpu.cfs_quota_us`: -1, or microseconds of each `cpu.cfs_period_us`."""
    try:
        quota = int((group / "cpu.cfs_quota_us").read_text())
        period = int((group / "cpu.cfs_period_us").read_text())
    except (OSError, ValueError):
        return None
    return quota / period if quota > 0 and period > 0 else None
