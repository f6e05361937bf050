"""Describe what a measurement ran on, without anything that names a person or a host."""

from __future__ import annotations

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
