"""What a bundle's manifest says for people: where a stage came from, what was done to it, and what
was measured. The runtime ignores it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from .fields import Range

Precision: TypeAlias = Literal["fp32", "fp16", "int8"]
Count: TypeAlias = Annotated[int, Range(0)]
Share: TypeAlias = Annotated[float, Range(0, 1)]


@dataclass(frozen=True)
class SourceFile:
    """A published file that a stage was made of."""

    name: str
    source: str
    sha256: str


@dataclass(frozen=True)
class Check:
    """Whether a graph computes what its original computes, or the reason why nobody looked.

    max_abs_difference_at_most: a bound that holds on every processor; None where what rounding does
        was allowed for, as with weights that nobody has published.
    """

    status: Literal["passed", "not run"]
    reason: str | None = None
    reference: str | None = None
    inputs: list[list[int]] | None = None
    max_abs_difference_at_most: float | None = None
    tolerance: float | None = None

    def __str__(self) -> str:
        if self.status == "not run":
            return f"not run, {self.reason}"
        if self.max_abs_difference_at_most is None:
            return f"passed, as near to {self.reference} as rounding lets it"
        return f"passed, at most {self.max_abs_difference_at_most:g} from {self.reference}"


@dataclass(frozen=True)
class Quantization:
    """How a graph's numbers became int8.

    images: sha256 over the pictures that the ranges of values were taken from; pictures: how many.
    nodes: how many nodes compute in int8. left_out: those that stayed in float32 by measurement.
    """

    images: str
    pictures: Count
    nodes: Count
    left_out: list[str]


@dataclass(frozen=True)
class Accuracy:
    """What the bundle read of labelled pictures when it was frozen, see `benchmarks accuracy`.

    data: name of the folder. sha256: over its pictures and labels.
    """

    data: str
    sha256: str
    pictures: Count
    lines: Count
    detection_hmean: Share
    hmean: Share
    cer: Annotated[float, Range(0)]


@dataclass(frozen=True)
class Origin:
    """Where a stage's weights came from and what was done to them.

    parity: of the graph before its charset was pruned and its precision lowered.
    repairs: faults of the translator that were mended. rewrites: what was done to make the graph
        faster; both as `python -m converters convert` reports them.
    quantization: how a stage in int8 was made.
    full_classes: how many classes the network had before its charset was pruned.
    """

    stage: Literal["detection", "orientation", "recognition", "spotting"]
    model: str
    title: str
    authors: str
    licence: str
    format: str
    files: list[SourceFile]
    translator: str
    parity: dict[str, Check]
    repairs: list[str] = field(default_factory=list)
    rewrites: list[str] = field(default_factory=list)
    quantization: Quantization | None = None
    full_classes: Count | None = None
