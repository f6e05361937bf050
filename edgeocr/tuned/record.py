"""The types of a tuned file: what was tried on a device, and what was chosen.

The names of the fields are the keys of the file. docs/tuning.md describes it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ..accuracy.agreement import Agreement
from ..bundle.fields import Positive
from ..runtime.providers import PROVIDERS

SCHEMA = 1

# "right": it reads what the CPU reads in float32. "refused": it reads too many lines differently.
# "failed": it does not start, or ended with an error. "unmeasured": nothing is known of it.
Verdict: TypeAlias = Literal["right", "refused", "failed", "unmeasured"]
# What keeps "auto" from taking a candidate. One that nothing is known of may well be right.
UNFIT: tuple[Verdict, ...] = ("refused", "failed")


@dataclass(frozen=True)
class Candidate:
    """A way to run a stage.

    Attributes:
        provider: The execution provider.
        variant: The precision of the graph.
        options: Options of the provider that differ from those that edgeocr sets by itself.
    """

    provider: str
    variant: str
    options: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Name the candidate, for example "cuda fp32 (TF32)" or "cuda fp32 (device_id=1)"."""
        known = PROVIDERS[self.provider].alternatives if self.provider in PROVIDERS else {}
        options = next(
            (name for name, each in known.items() if each == self.options),
            ", ".join(f"{name}={value}" for name, value in self.options.items()),
        )
        return f"{self.provider} {self.variant}" + (f" ({options})" if options else "")


@dataclass(frozen=True)
class Tried:
    """What was found out about a candidate of a stage.

    Attributes:
        candidate: The candidate.
        verdict: Whether it may be taken.
        milliseconds: The time of the stage for a page; None where it was not measured.
        agreement: How well it agrees with the CPU in float32; None where it was not compared.
        problem: Why it is not right, in words; None if it is.
    """

    candidate: Candidate
    verdict: Verdict
    milliseconds: float | None = None
    agreement: Agreement | None = None
    problem: str | None = None

    @property
    def unfit(self) -> bool:
        """Whether "auto" must not take it."""
        return self.verdict in UNFIT


@dataclass(frozen=True)
class TunedStage:
    """What was found out about a stage.

    Attributes:
        choice: The candidate that "auto" takes; None leaves that to its usual order, without the
            candidates that are unfit.
        reason: Why, in words.
        tried: All candidates.
    """

    choice: Candidate | None = None
    reason: str = ""
    tried: list[Tried] = field(default_factory=list)

    def problem(self, provider: str, variant: str) -> str | None:
        """Return why a provider and a graph, with usual options, must not be taken; else None."""
        for each in self.tried:
            if each.unfit and each.candidate == Candidate(provider, variant):
                return each.problem or each.verdict
        return None


@dataclass(frozen=True)
class Key:
    """Everything that an entry depends on.

    Attributes:
        bundle: The bundle's digest.
        device: The name of the CPU or board.
        features: The CPU's features for int8 and float16, since Arm's CPUs may have no name.
        cpus: The number of CPUs that the process may keep busy.
        gpus: The names of NVIDIA's GPUs.
        providers: The execution providers of the installed ONNX Runtime.
        versions: The versions of "edgeocr" and "onnxruntime", and with a GPU of its libraries.
        options: The caller's options that change what a stage computes or how long it takes, as
            far as they differ from their defaults.
    """

    bundle: str
    device: str
    features: list[str]
    cpus: int
    gpus: list[str]
    providers: list[str]
    versions: dict[str, str]
    options: dict[str, Any]

    def same_device(self, other: Key) -> bool:
        """Return whether another key is of this bundle on this device, with the same options."""
        names = ("bundle", "device", "features", "cpus", "gpus", "options")
        return all(getattr(self, name) == getattr(other, name) for name in names)


@dataclass(frozen=True)
class Entry:
    """What was found out about a bundle on a device.

    Attributes:
        key: What the rest depends on.
        when: The time of the measurement, in UTC and ISO 8601.
        stages: What was found out about each stage.
        threads: The number of CPU threads that is the fastest; None for the usual number.
        batch: The most lines in a run on providers that take several; None for the bundle's.
        default_ms: The time of a page without tuning, in milliseconds; None if not measured.
        tuned_ms: The time of a page with it, in milliseconds; None if not measured.
        images: The number of pictures that were read.
        lines: The number of lines that the CPU reads in them in float32.
    """

    key: Key
    when: str
    stages: dict[str, TunedStage]
    threads: Positive | None = None
    batch: Positive | None = None
    default_ms: float | None = None
    tuned_ms: float | None = None
    images: int = 0
    lines: int = 0

    @property
    def numbers(self) -> list[float]:
        """All measured times, in milliseconds."""
        times = [self.default_ms, self.tuned_ms]
        times += [each.milliseconds for stage in self.stages.values() for each in stage.tried]
        return [time for time in times if time is not None]

    @property
    def is_sound(self) -> bool:
        """Whether all times are possible: parsing does not check that."""
        return all(math.isfinite(time) and time > 0 for time in self.numbers)


@dataclass(frozen=True)
class TunedFile:
    """The content of a tuned file.

    Attributes:
        schema: The version of the file's format.
        entries: One for each device and set of options.
    """

    schema: int
    entries: list[Entry]
