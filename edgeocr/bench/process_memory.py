"""The memory that a process holds on the CPU and on NVIDIA's GPUs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def peak_rss_bytes() -> int | None:
    """Return the largest resident set that this process has had, in bytes; None if unknown."""
    # On Linux a child's ru_maxrss starts at its parent's size; VmHWM does not.
    status = Path("/proc/self/status")
    if status.is_file():
        for row in status.read_text().splitlines():
            if row.startswith("VmHWM:"):
                return int(row.split()[1]) << 10
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10


def gpu_bytes(pid: int | None = None) -> int | None:
    """Return the memory that a process holds on all NVIDIA GPUs.

    Args:
        pid: The process; by default this one.

    Returns:
        Bytes. None without nvidia-smi, and where it cannot tell: on a Jetson, whose GPU shares the
        CPU's memory, and in a container that numbers its processes itself.
    """
    query = ["nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    held = None
    for row in done.stdout.splitlines():
        cells = [cell.strip() for cell in row.split(",")]
        # A driver that does not know the size writes "[N/A]".
        if len(cells) == 2 and cells[0] == str(pid or os.getpid()) and cells[1].isdecimal():
            held = (held or 0) + (int(cells[1]) << 20)
    return held
