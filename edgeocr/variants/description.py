"""Describe what was measured with a bundle on this device."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from ..bundle.description import COLUMNS
from ..errors import printable
from .choice import Measurement

INDENT = "  "


def describe(stages: Mapping[str, Measurement]) -> str:
    """Describe what was measured, in lines of up to `COLUMNS` characters; empty if nothing was."""
    if not stages:
        return ""
    lines = ["measured on this device, for a run on one thread"]
    for name, stage in stages.items():
        said = [f"{variant} {time:.1f} ms" for variant, time in stage.milliseconds.items()]
        said += [f"{variant} failed: {reason}" for variant, reason in stage.failures.items()]
        text = printable(f"{name}: {'; '.join(said)}")
        lines += textwrap.wrap(text, COLUMNS, initial_indent=INDENT, subsequent_indent=2 * INDENT)
    return "\n".join(lines)
