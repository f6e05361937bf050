"""The peak of this process's resident memory, from a moment on; Linux only."""

from __future__ import annotations

from pathlib import Path

PROCESS = Path("/proc/self")


def reset() -> bool:
    """Let the peak begin again at the present memory, and tell whether that is possible."""
    try:
        (PROCESS / "clear_refs").write_text("5")  # Linux: "5" resets the high-water mark
    except OSError:
        return False
    return True


def mib() -> float:
    """Return the peak since the last `reset` in MiB."""
    rows = (PROCESS / "status").read_text().splitlines()
    return next(int(row.split()[1]) / 1024 for row in rows if row.startswith("VmHWM:"))
