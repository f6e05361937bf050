"""Try a stranger's bundle in a process of its own, with limits of time and memory."""

from .process import ProbeResult, probe

__all__ = ["ProbeResult", "probe"]
