"""The result of a tuning as text."""

from __future__ import annotations

from ..errors import printable
from ..tuned.record import Tried, TunedStage
from .result import SettingTried, Tuning


def table(tuning: Tuning) -> str:
    """Return the tables of all stages, what was tried with all of them, and the outcome."""
    parts = [_stage(name, stage) for name, stage in tuning.stages.items()]
    if tuning.settings:
        parts.append("\n".join(_setting(each) for each in tuning.settings))
    parts.append(outcome(tuning))
    return "\n\n".join(parts)


def outcome(tuning: Tuning) -> str:
    """Say what "auto" takes from now on, and how much faster it is than the default."""
    rows = []
    if tuning.kept:
        for name, stage in tuning.stages.items():
            taken = "as usual" if stage.choice is None else str(stage.choice)
            rows.append(f"{name}: {taken}")
        if tuning.threads is not None:
            rows.append(f"threads: {tuning.threads}")
        if tuning.batch is not None:
            rows.append(f"lines in a run: {tuning.batch} at most")
        rows.append(f"{tuning.reason}: {tuning.default_ms:.1f} ms → {tuning.tuned_ms:.1f} ms")
    else:
        rows.append(f"the default is the best: {tuning.reason}")
    rows += [
        f"not used from now on: {name} on {each.candidate}"
        for name, stage in tuning.stages.items()
        for each in stage.tried
        if each.unfit
    ]
    pictures = "1 picture" if tuning.images == 1 else f"{tuning.images} pictures"
    rows.append(f"{tuning.lines} lines in {pictures}, {tuning.seconds:.0f} s")
    rows += [f"left out: {path}: {error}" for path, error in tuning.failed.items()]
    return printable_rows(rows)


def printable_rows(rows: list[str]) -> str:
    """Join rows, without characters that could control a terminal."""
    return "\n".join(map(printable, rows))


def _stage(name: str, stage: TunedStage) -> str:
    head = [name, "ms a page", "lines that agree", "verdict"]
    rows = [_row(each) for each in stage.tried]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(3)]
    lines = [
        f"{row[0]:{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}"
        for row in [head, *rows]
    ]
    return printable_rows([*lines, f"→ {_choice(stage)}"])


def _row(tried: Tried) -> list[str]:
    found = tried.agreement
    return [
        str(tried.candidate),
        "–" if tried.milliseconds is None else f"{tried.milliseconds:.1f}",
        "–" if found is None else f"{found.same} of {max(found.lines, found.found)}",
        tried.verdict if tried.problem is None else f"{tried.verdict}: {tried.problem}",
    ]


def _choice(stage: TunedStage) -> str:
    chosen = "as usual" if stage.choice is None else str(stage.choice)
    return f"{chosen}: {stage.reason}"


def _setting(tried: SettingTried) -> str:
    name = "lines in a run" if tried.setting == "batch" else tried.setting
    found = f"{tried.ratio} of the usual number's time" if tried.ratio else tried.problem
    return f"{name}: {tried.value}: {found}"
