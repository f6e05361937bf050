"""The record of counts that later versions are compared with, and the comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .. import recorded
from ..recorded import Cost
from .boards import PROCESSORS
from .errors import EmulationError
from .job import JOB
from .machine import WHEELS

# Reads of equal versions differ by at most 0.02 % between processes, so an increase beyond this
# margin is never chance. It leaves room for small changes of Python code.
MARGIN = 0.01
# A part below this share of the read's instructions is compared within the read only, because every
# change of its code would exceed the margin.
SMALLEST_SHARE = 0.02


@dataclass(frozen=True)
class Record:
    """The instructions of reading the job's picture with the embedded bundle.

    Attributes:
        job: `JOB` of the version that wrote the record.
        commit: Full name of the commit that was counted.
        conditions: The versions of QEMU, of Debian's packages and of the wheels.
        texts: The lines that were read.
        counts: For each processor, the instructions by part; "read" is the sum of the parts of the
            second read.
    """

    job: str
    commit: str
    conditions: dict[str, str]
    texts: list[str]
    counts: dict[str, dict[str, int]]

    @classmethod
    def load(cls, path: Path) -> Record:
        """Load a file that `write` wrote.

        Raises:
            EmulationError: It can't be read, or is not a record.
        """
        return recorded.load(
            cls,
            path,
            EmulationError,
            lambda read: {
                "conditions": isinstance(read.conditions, dict)
                and set(WHEELS) <= set(read.conditions),
                "counts": isinstance(read.counts, dict)
                and bool(read.counts)
                and set(read.counts) <= set(PROCESSORS)
                and all(
                    isinstance(parts, dict) and parts.get("read") for parts in read.counts.values()
                ),
            },
        )

    def write(self, path: Path) -> None:
        """Write the record as JSON.

        Raises:
            EmulationError: The file can't be written.
        """
        recorded.write(self, path, EmulationError)

    @property
    def wheels(self) -> dict[str, str]:
        """The versions of the wheels that were counted."""
        return {name: self.conditions[name] for name in WHEELS}

    def changes(self, conditions: Mapping[str, str]) -> list[str]:
        """List in words what else than edgeocr differs from this record.

        Args:
            conditions: The versions here.
        """
        before = {"job": self.job, **self.conditions}
        return recorded.differences(before, {"job": JOB, **conditions})


@dataclass(frozen=True)
class Change(Cost):
    """How many instructions a part takes now and took before.

    Attributes:
        processor: Name of the processor.
        part: Name of the part.
    """

    processor: str
    part: str

    def __str__(self) -> str:
        """Return the figures and the judgement as one line."""
        return (
            f"{self.processor} {self.part}: {self.now:,} instructions, the baseline has "
            f"{self.before:,}, ratio {self.ratio:.4f}: {self.judgement}"
        )


def compared(
    now: Mapping[str, Mapping[str, int]], before: Mapping[str, Mapping[str, int]], margin: float
) -> Iterator[Change]:
    """Compare the counts of two versions, part by part.

    Args:
        now: For each processor, the instructions by part.
        before: The same of the baseline, with the same processors.
        margin: How much more is acceptable, as a share.

    Yields:
        The read first and then its parts, for each processor.
    """
    for processor, parts in before.items():
        for part in sorted(parts, key=lambda name: name != "read"):
            # A part that did not exist before is in the read.
            count = now[processor].get(part, 0)
            if parts[part] >= SMALLEST_SHARE * parts["read"]:
                yield Change(count, parts[part], margin, processor, part)
