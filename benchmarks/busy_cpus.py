"""Tell how long the CPUs of this process have been busy, whoever kept them so."""

from __future__ import annotations

import os
from pathlib import Path


def busy_seconds() -> float | None:
    """Return the CPU time of all processes, and of the host, on this process's CPUs since boot.

    Returns:
        Seconds; None on systems other than Linux.
    """
    statistics = Path("/proc/stat")
    if not statistics.is_file() or not hasattr(os, "sched_getaffinity"):
        return None
    mine = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    ticks = 0
    for row in statistics.read_text().splitlines():
        name, *fields = row.split()
        if name in mine:
            user, nice, system, _, _, irq, softirq, steal = map(int, fields[:8])
            ticks += user + nice + system + irq + softirq + steal
    return ticks / os.sysconf("SC_CLK_TCK")
