"""What a measurement ran on, without anything that names a person or a host."""

from __future__ import annotations

from edgeocr.device import machine as device
from edgeocr.device.cpus import available_threads


def describe() -> dict[str, str | int]:
    """CPU model, logical CPUs that this process may use and all of them, system and Python."""
    known = device.describe().to_dict()
    return {
        "cpu": known["cpu"],
        "cpus": known["cpus"] or 1,
        "cpus_available": available_threads(),
        "os": ", ".join(filter(None, (known["os"], known["kernel"]))),
        "architecture": known["architecture"],
        "python": known["python"],
    }
