"""What `measure` tells about its progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Progress:
    """What is being measured at the moment.

    Attributes:
        cell: The cell's name.
        phase: "starting", "warming up", "reading once", "reading", "reading a stream", "comparing"
            or "reading under load"; "reading with fp32 on the CPU" for a process that only makes
            the reading with which the cells of a bundle are compared.
        done: The number of the round or of the turn, or of the pages read under load; 0 if the
            phase has none.
        total: The number of rounds or turns; 0 if it has none.
    """

    cell: str
    phase: str
    done: int = 0
    total: int = 0


OnProgress: TypeAlias = Callable[[Progress], None]


def ignore(progress: Progress) -> None:
    """Do nothing, where the caller of `measure` wants no reports of its progress."""
