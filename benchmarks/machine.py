"""Describe what a measurement ran on, without anything that names a person or a host."""

from __future__ import annotations

import re
from collections.abc import Mapping

from edgeocr.device import machine
from edgeocr.device.cpus import available_threads


def describe() -> dict[str, str | int]:
    """Return the machine as result files record it.

    "cpus" counts all logical CPUs, "cpus_available" those that this process may keep busy.
    """
    known = machine.describe()
    return {
        "cpu": known.cpu,
        "cpus": known.cpus or 1,
        "cpus_available": available_threads(),
        "os": ", ".join(filter(None, (known.os, known.kernel))),
        "architecture": known.architecture,
        "python": known.python,
    }


def slug(described: Mapping[str, str | int]) -> str:
    """Return a machine's processor and number of CPUs for names of files.

    Args:
        described: What `describe` returned.
    """
    name = re.sub(r"\((r|tm)\)|\b(cpu|processor)\b", "", str(described["cpu"]).lower())
    return re.sub(r"[^a-z0-9]+", "-", f"{name} {described['cpus']}").strip("-")
