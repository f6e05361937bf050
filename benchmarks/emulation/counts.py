"""The rows that count.c writes, and which stage and which operator the instructions belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import TypeAlias

from .errors import EmulationError

# Numbers of system calls on aarch64.
CLOCK_GETTIME, GETPPID = 113, 173
# ONNX Runtime reads the clock right after count.c did. A row is therefore the start of a node if
# their times agree; emulation takes at least some microseconds for a call, and more on a busy
# machine.
CLOCK_MICROSECONDS = 1000


@dataclass(frozen=True)
class Counts:
    """Numbers of executed instructions.

    Attributes:
        all: All instructions.
        simd: Those on SIMD and floating-point registers.
        memory: Loads and stores.
        dot: Dot products of 8-bit numbers (SDOT and UDOT).
    """

    all: int = 0
    simd: int = 0
    memory: int = 0
    dot: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Add two counts, kind by kind."""
        return Counts(*(a + b for a, b in zip(_kinds(self), _kinds(other), strict=True)))

    def __sub__(self, other: Counts) -> Counts:
        """Subtract an earlier count from a later one, kind by kind."""
        return Counts(*(a - b for a, b in zip(_kinds(self), _kinds(other), strict=True)))


# Counts by the name of a stage, or of a kind of operator.
Named: TypeAlias = Mapping[str, Counts]


@dataclass(frozen=True)
class Row:
    """A row of count.c.

    Attributes:
        call: Number of the system call.
        microseconds: Time of day.
        counts: The instructions of all threads up to here.
    """

    call: int
    microseconds: int
    counts: Counts


@dataclass(frozen=True)
class Node:
    """The run of one node, as ONNX Runtime's profile records it.

    Attributes:
        operator: Type of the operator, such as "Conv".
        start: Microseconds since the profile's start.
        duration: Microseconds.
    """

    operator: str
    start: int
    duration: int


def parse(text: str) -> list[Row]:
    """Read the file that count.c wrote.

    Raises:
        EmulationError: A line isn't a row, because the process was killed while it wrote it.
    """
    try:
        numbers = [[int(field) for field in line.split()] for line in text.splitlines()]
        return [Row(call, time, Counts(*counts)) for call, time, *counts in numbers]
    except (ValueError, TypeError) as error:
        raise EmulationError(f"the file of counts is damaged: {error}") from None


def by_name(rows: Iterable[Row], names: Sequence[str]) -> dict[str, Counts]:
    """Sum up the instructions between marks.

    Args:
        rows: The rows, of which those of getppid are the marks.
        names: For each mark, the name of what ended there.

    Returns:
        The counts by name. The first mark only starts the counting.

    Raises:
        EmulationError: There are more or fewer marks than names.
    """
    marks = [row.counts for row in rows if row.call == GETPPID]
    if len(marks) != len(names):
        raise EmulationError(f"{len(marks)} marks were counted where the job set {len(names)}")
    sums: dict[str, Counts] = defaultdict(Counts)
    for name, before, after in zip(names[1:], marks, marks[1:], strict=False):
        sums[name] += after - before
    return dict(sums)


def by_operator(
    rows: Sequence[Row], names: Sequence[str], runs: Sequence[Sequence[Node]], wanted: set[str]
) -> dict[str, dict[str, Counts]]:
    """Sum up the instructions of the nodes of a network by their operators.

    Args:
        rows: The rows, with those of the clock.
        names: For each mark, the name of what ended there.
        runs: The nodes of each run of a network, in the order of the marks.
        wanted: The names of the marks at which runs ended.

    Returns:
        For each of these names, the counts by operator.

    Raises:
        EmulationError: The rows don't fit the nodes.
    """
    marks = [place for place, row in enumerate(rows) if row.call == GETPPID]
    ends = [number for number, name in enumerate(names) if name in wanted]
    if len(marks) != len(names) or len(ends) != len(runs):
        raise EmulationError("the profile has other runs than the job marked")
    sums: dict[str, dict[str, Counts]] = {name: defaultdict(Counts) for name in wanted}
    for end, nodes in zip(ends, runs, strict=True):
        clock = rows[marks[end - 1] + 1 : marks[end]]
        first = _first_node(clock, nodes)
        for number, node in enumerate(nodes):
            start, stop = clock[first + 2 * number : first + 2 * number + 2]
            sums[names[end]][node.operator] += stop.counts - start.counts
    return {name: dict(counts) for name, counts in sums.items()}


def to_dict(counts: Named) -> dict[str, dict[str, int]]:
    """Return counts as a JSON object."""
    return {name: asdict(each) for name, each in counts.items()}


def _first_node(clock: Sequence[Row], nodes: Sequence[Node]) -> int:
    """Return the place of the row at which the first node started.

    ONNX Runtime reads the clock once at a node's start and once at its end, and a few times more
    before the first and after the last node.
    """

    def difference(first: int) -> float:
        """Return how far the nodes' times are from those in the profile, in microseconds."""
        offset = clock[first].microseconds - nodes[0].start
        starts, durations = [], []
        for number, node in enumerate(nodes):
            start, stop = (row.microseconds for row in clock[first + 2 * number :][:2])
            starts.append(abs(start - node.start - offset))
            durations.append(abs(stop - start - node.duration))
        return median(starts) + median(durations)

    places = range(len(clock) - 2 * len(nodes) + 1)
    found = min(places, key=difference, default=None) if nodes else None
    if found is None or difference(found) > CLOCK_MICROSECONDS:
        raise EmulationError(
            f"the clock was read {len(clock)} times during a run of {len(nodes)} nodes: the "
            "instructions of operators can't be told apart with this version of ONNX Runtime"
        )
    return found


def _kinds(counts: Counts) -> tuple[int, int, int, int]:
    return counts.all, counts.simd, counts.memory, counts.dot
