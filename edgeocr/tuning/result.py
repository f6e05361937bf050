"""What a tuning has found out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..tuned.record import TunedStage
from .rounds import Ratio


@dataclass(frozen=True)
class SettingTried:
    """A number of threads, or of lines in a run, that was tried with the tuned stages.

    Attributes:
        setting: "threads" or "batch".
        value: The number.
        ratio: The time of a page, compared with that of the usual number; None if not measured.
        problem: Why it was not measured, in words.
    """

    setting: str
    value: int
    ratio: Ratio | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Tuning:
    """What `edgeocr.tune` has found out on this device.

    Attributes:
        stages: What was found out about each stage, and the choice.
        settings: The numbers of threads and of lines in a run that were tried.
        threads: The number of CPU threads that is taken; None for the usual number.
        batch: The most lines in a run; None for the bundle's number.
        kept: Whether the tuned choices are used from now on; if not, the default is the best.
        reason: Why, in words.
        ratio: The time of a page with it, compared with the default's; None if not measured.
        default_ms: The milliseconds of a page by default; None if not measured.
        tuned_ms: The milliseconds of a page with what was tuned; None if not measured.
        images: The number of pictures that were read.
        lines: The number of their lines.
        failed: Why other pictures could not be read, by their paths.
        seconds: The seconds that the tuning took.
        path: The file that keeps the result; None if it can't be kept.
        problem: Why it can't be kept, and what to do; None if it is kept.
    """

    stages: Mapping[str, TunedStage]
    settings: list[SettingTried]
    threads: int | None
    batch: int | None
    kept: bool
    reason: str
    ratio: Ratio | None
    default_ms: float | None
    tuned_ms: float | None
    images: int
    lines: int
    failed: Mapping[str, str]
    seconds: float
    path: Path | None = None
    problem: str | None = None
