"""What a measurement ran on, without anything that names a person or a host."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from edgeocr.providers import available_threads


def describe() -> dict[str, str | int]:
    """CPU model, logical CPUs that this process may use and all of them, system and Python."""
    return {
        "cpu": _cpu(),
        "cpus": os.cpu_count() or 1,
        "cpus_available": available_threads(),
        "os": _system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
    }


def _cpu() -> str:
    # Boards such as Jetson and Raspberry Pi have no model name in cpuinfo.
    board = Path("/proc/device-tree/model")
    if board.is_file():
        return board.read_text(errors="replace").rstrip("\0\n")
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for row in information.read_text(errors="replace").splitlines():
            key, _, value = row.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _system() -> str:
    try:
        distribution = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"
    return f"{distribution}, {platform.system()} {platform.release()}"
