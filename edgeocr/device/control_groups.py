"""What Linux's control groups leave to this process, as in a container: CPU time and memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .readings import ROOT, read_number, read_text


def cpu_quota(root: Path = ROOT) -> float | None:
    """Return how many CPUs' worth of time the process may use; None if nothing limits it."""
    limits = (_cpu_limit(folder, version) for folder, version in _groups("cpu", root))
    return min((limit for limit in limits if limit is not None), default=None)


def memory_limit(root: Path = ROOT) -> int | None:
    """Return how many bytes of memory the process may use; None if nothing limits it.

    Version 1 of control groups says "unlimited" with a number of more bytes than any machine has.
    """
    names = {1: "memory.limit_in_bytes", 2: "memory.max"}
    limits = (read_number(folder / names[version]) for folder, version in _groups("memory", root))
    return min((limit for limit in limits if limit), default=None)


def memory_left(root: Path = ROOT) -> int | None:
    """Return how many bytes of memory the process may still take; None if nothing limits it.

    Files that the kernel keeps in memory and can drop count as free.
    """
    files = {
        1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        2: ("memory.max", "memory.current", "inactive_file"),
    }
    left = []
    for folder, version in _groups("memory", root):
        limit, used = (read_number(folder / name) for name in files[version][:2])
        if limit and used is not None:
            rows = (read_text(folder / "memory.stat") or "").splitlines()
            statistics = dict(row.split()[:2] for row in rows if len(row.split()) > 1)
            droppable = int(statistics.get(files[version][2], "0"))
            left.append(max(0, limit - max(0, used - droppable)))
    return min(left, default=None)


def _groups(controller: str, root: Path) -> Iterator[tuple[Path, int]]:
    """Yield the folder of the process's own group and of each group above it, and the version.

    A group may allow more than a group above it does, so all of them count.
    """
    top = root / "sys/fs/cgroup"
    for row in (read_text(root / "proc/self/cgroup") or "").splitlines():
        # "0::/path" in version 2, "4:cpu,cpuacct:/path" in version 1.
        number, _, rest = row.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0":
            folder, version = top, 2
        elif controller in controllers.split(","):
            folder, version = top / controllers, 1
            if not folder.is_dir():
                folder = top / controller
        else:
            continue
        # In a container the path may be the host's, which doesn't exist there: the container's
        # own group is at the top.
        parts = () if ".." in Path(path).parts else Path(path.strip("/")).parts
        for depth in range(len(parts) + 1):
            yield folder.joinpath(*parts[:depth]), version


def _cpu_limit(group: Path, version: int) -> float | None:
    """Return a single group's limit, in CPUs."""
    if version == 2:  # "max 100000" or "50000 100000": quota and period in microseconds
        try:
            quota, period = (read_text(group / "cpu.max") or "").split()
            return None if quota == "max" else int(quota) / int(period)
        except (ValueError, ZeroDivisionError):
            return None
    # Both are microseconds; a quota of -1 is no limit.
    microseconds = read_number(group / "cpu.cfs_quota_us") or 0
    each = read_number(group / "cpu.cfs_period_us") or 0
    return microseconds / each if microseconds > 0 and each > 0 else None
