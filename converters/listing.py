"""List models.toml as text: the models by task, language, size and format, with their state here.

Bundles and profiles come last.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from .bundle import profiles
from .catalog import conversions
from .catalog.entries import Catalog, Entry, Size, Task
from .catalog.fetch import fetched

# A line names at most this many languages and counts the rest.
NAMED = 4


def lines(
    catalog: Catalog,
    *,
    task: str | None = None,
    language: str | None = None,
    size: str | None = None,
    format: str | None = None,
) -> list[str]:
    """Return a block of lines for each task, then the bundles and the profiles.

    Bundles and profiles are left out when an argument restricts the models.

    Args:
        catalog: What models.toml says.
        task: Lists only models for this task.
        language: Lists only models for this language; `zh` finds zh-Hans and zh-Hant.
        size: Lists only models of this size.
        format: Lists only models of this format.
    """
    wanted = [
        entry
        for entry in catalog.models.values()
        if task in (None, entry.task)
        and size in (None, entry.size)
        and format in (None, entry.format)
        and (language is None or any(_is(code, language) for code in entry.languages))
    ]
    result: list[str] = []
    for kind in get_args(Task):
        of_task = sorted((entry for entry in wanted if entry.task == kind), key=_order)
        if of_task:
            result += [*([""] if result else []), kind, *_table(of_task)]
    if (task, language, size, format) == (None, None, None, None):
        result += ["", "bundles"]
        for bundle in catalog.bundles.values():
            result.append(f"  {bundle.name:8}  {bundle.description}")
            result.append(f"  {'':8}  {', '.join(bundle.models.values())}")
        result += ["", "profiles"] if catalog.profiles else []
        for profile in catalog.profiles.values():
            result.append(f"  {profile.name:12}  {profile.description}")
            result.append(f"  {'':12}  {profiles.in_words(profile)}")
    return result or ["no model matches"]


def _table(entries: list[Entry]) -> Iterator[str]:
    rows = [
        (_languages(each), each.size, each.format, each.algorithm, each.name, _state(each))
        for each in entries
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        cells = [f"{cell:{width}}" for cell, width in zip(row[:5], widths, strict=True)]
        yield f"  {'  '.join([*cells, row[5]])}".rstrip()


def _order(entry: Entry) -> tuple[list[str], int, str, str]:
    return entry.languages[:NAMED], get_args(Size).index(entry.size), entry.format, entry.name


def _languages(entry: Entry) -> str:
    more = len(entry.languages) - NAMED
    named = " ".join(entry.languages[:NAMED])
    return f"{named} +{more}" if more > 0 else named


def _state(entry: Entry) -> str:
    states = ["checkpoint only"] if entry.contents == "checkpoint" else []
    if fetched(entry):
        states.append("fetched")
    if folder := conversions.where(entry.name):
        states.append(f"converted: {folder}")
    return ", ".join(states)


def _is(code: str, language: str) -> bool:
    return code.lower() == language.lower() or code.lower().startswith(f"{language.lower()}-")
