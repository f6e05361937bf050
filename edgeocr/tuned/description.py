"""Describe what was found out about a bundle on this device."""

from __future__ import annotations

import textwrap

from ..bundle.description import COLUMNS
from ..errors import printable
from .lookup import Found
from .record import Entry, Tried, TunedStage

INDENT = "  "


def describe(found: Found) -> str:
    """Describe it in lines of up to `COLUMNS` characters; empty if there is no file."""
    if found.path is None:
        return ""
    lines = _wrapped(f"tuned on this device: {found}", "")
    if found.entry is not None:
        lines += [line for each in in_words(found.entry) for line in _wrapped(each, INDENT)]
    return "\n".join(lines)


def in_words(entry: Entry) -> list[str]:
    """Say what was chosen for each stage and why, and what was refused or failed."""
    sentences = []
    for name, stage in entry.stages.items():
        sentences.append(f"{name}: {_choice(stage)}")
        sentences += [f"{name}: not {each.candidate}: {each.problem}" for each in _unfit(stage)]
    if entry.threads is not None:
        sentences.append(f"threads: {entry.threads}")
    if entry.batch is not None:
        sentences.append(f"lines in a run: {entry.batch} at most")
    if entry.default_ms is not None and entry.tuned_ms is not None:
        share = entry.tuned_ms / entry.default_ms
        sentences.append(
            f"a page: {entry.tuned_ms:.1f} ms, {share:.2f} of {entry.default_ms:.1f} ms untuned"
        )
    return sentences


def _choice(stage: TunedStage) -> str:
    if stage.choice is None:
        return "as usual" + (f", {stage.reason}" if stage.reason else "")
    return f"{stage.choice}, {stage.reason}"


def _unfit(stage: TunedStage) -> list[Tried]:
    return [each for each in stage.tried if each.unfit]


def _wrapped(sentence: str, indent: str) -> list[str]:
    return textwrap.wrap(
        printable(sentence),
        COLUMNS,
        initial_indent=indent,
        subsequent_indent=2 * INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
