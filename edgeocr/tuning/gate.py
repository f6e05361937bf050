"""The gate: whether a way of running a bundle reads what the CPU reads in float32."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..accuracy.agreement import Agreement, agreement
from ..bench.cell_process import CellError
from ..errors import EdgeOCRError, excerpt, is_memory_error
from ..runtime.providers import PROVIDERS
from ..tuned.record import Candidate, Tried, Verdict
from .process import Outcome, Reader, ReadPage
from .way import Way

logger = logging.getLogger(__name__)

# Starts a reader that runs the bundle in a given way; the second argument is the seconds that it
# may take. Raises `CellError` if it does not start.
OpenReader: TypeAlias = "Callable[[Way, float], Reader]"

# Seconds that a process may take to open a bundle, and to read a picture of which the reference
# takes one second, before it counts as hung. Providers compile something at new shapes.
OPENING_PATIENCE = 60.0
PAGE_PATIENCE = 30.0
# Part of the error of a process that the system has killed, as it does when memory runs out.
KILLED = "SIGKILL"


@dataclass(frozen=True)
class Reference:
    """What the CPU reads in float32.

    Attributes:
        pages: The pictures that it reads, by their numbers.
        failed: Why it can't read the others, by their numbers.
    """

    pages: Mapping[int, ReadPage]
    failed: Mapping[int, str]

    @classmethod
    def of(cls, reader: Reader, images: int) -> Reference:
        """Read pictures.

        Args:
            reader: Runs all stages on the CPU in float32.
            images: The number of pictures.

        Raises:
            CellError: The reader failed.
            EdgeOCRError: No picture can be read, or none has text.
        """
        outcomes = dict(enumerate(reader.read(range(images), 10 * OPENING_PATIENCE)))
        pages = {i: each for i, each in outcomes.items() if isinstance(each, ReadPage)}
        failed = {i: each for i, each in outcomes.items() if isinstance(each, str)}
        if not pages:
            raise EdgeOCRError(next(iter(failed.values())))
        reference = cls(pages, failed)
        if not reference.lines:
            raise EdgeOCRError(
                "no line of text was found in the pictures, so nothing can be compared: give "
                "pictures with text"
            )
        return reference

    @property
    def lines(self) -> int:
        """The number of lines."""
        return sum(len(page.lines) for page in self.pages.values())

    @property
    def own_agreement(self) -> Agreement:
        """The agreement of the reference with itself."""
        return Agreement(self.lines, self.lines, self.lines)

    @property
    def patience(self) -> float:
        """Seconds for a picture after which a reader counts as hung."""
        slowest = max(page.ms for page in self.pages.values()) / 1000
        return PAGE_PATIENCE * max(1.0, slowest)

    def agreement(self, reader: Reader) -> Agreement:
        """Let a reader read the same pictures, and return how well it agrees.

        Raises:
            CellError: The reader failed, or can't read a picture that the reference reads.
        """
        numbers = list(self.pages)
        total = Agreement()
        for page, outcome in zip(
            self.pages.values(), reader.read(numbers, self.patience), strict=True
        ):
            total += agreement(page.lines, read_page(outcome).lines)
        return Agreement(
            total.lines, total.found, total.same, round(min(total.score_difference, total.same), 6)
        )


class References:
    """What the CPU reads in float32, with inputs of the sizes that other providers get.

    Most providers get inputs that are padded to a fixed set of shapes. They see a picture in
    another size than the CPU does, and read some lines differently for that reason alone. The gate
    asks whether they compute rightly, so they are compared with the CPU on inputs of the same
    shapes.
    """

    def __init__(self, usual: Reference, read: Callable[[frozenset[str]], Reference]) -> None:
        """Prepare to read.

        Args:
            usual: What the CPU reads with inputs of any shape.
            read: Reads the same pictures with fixed shapes in some stages.
        """
        self._known = {frozenset[str](): usual}
        self._read = read

    def beside(self, providers: Mapping[str, str]) -> Reference:
        """Return what to compare with a reading.

        Args:
            providers: The execution provider of each stage in that reading.

        Raises:
            CellError: Reading on the CPU failed.
            EdgeOCRError: No picture can be read, or none has text.
        """
        fixed = frozenset(name for name, each in providers.items() if not PROVIDERS[each].any_shape)
        if fixed not in self._known:
            self._known[fixed] = self._read(fixed)
        return self._known[fixed]


def read_page(outcome: Outcome) -> ReadPage:
    """Return a page that was read.

    Raises:
        CellError: It could not be read.
    """
    if isinstance(outcome, str):
        raise CellError(outcome)
    return outcome


def checked(
    reference: Reference,
    open_reader: OpenReader,
    candidate: Candidate,
    way: Way,
    patience: float = OPENING_PATIENCE,
) -> tuple[Tried, Reader | None]:
    """Let a candidate through the gate, or refuse it.

    Args:
        reference: What the CPU reads in float32.
        open_reader: Starts what reads in a way.
        candidate: The candidate.
        way: The candidate in its stage, and the other stages as in the reference.
        patience: Seconds for opening after which it counts as hung.

    Returns:
        What was found out, and the reader if the candidate is right; the caller closes it.
    """
    reader = None
    try:
        reader = open_reader(way, patience)
        found = reference.agreement(reader)
    except CellError as error:
        if reader is not None:
            reader.close()
        logger.info("%s failed: %s", candidate, error)
        return failed(candidate, error), None
    if (problem := found.refusal()) is not None:
        reader.close()
        return Tried(candidate, "refused", agreement=found, problem=problem), None
    return Tried(candidate, "right", agreement=found), reader


def failed(candidate: Candidate, error: CellError, found: Agreement | None = None) -> Tried:
    """Return what is known of a candidate that failed: nothing, if memory has run out.

    Args:
        candidate: The candidate.
        error: The failure.
        found: How well it agreed before it failed; None if it was not compared.
    """
    verdict: Verdict = "unmeasured" if is_memory_error(error) or KILLED in str(error) else "failed"
    return Tried(candidate, verdict, agreement=found, problem=excerpt(str(error)))


def way_of(
    stage: str, candidate: Candidate, references: Mapping[str, Candidate], threads: int | None
) -> Way:
    """Return the way in which only one stage runs on a candidate."""
    return Way.of({**references, stage: candidate}, threads)


def refusal(stage: str, tried: Tried) -> str:
    """Say which candidate is not right, and why."""
    return f"{stage} on {tried.candidate}: {tried.problem or tried.verdict}"


def numbers_within(pages: Mapping[int, ReadPage], seconds: float) -> Sequence[int]:
    """Return the numbers of as many pictures as are read within some seconds, at least one."""
    chosen: list[int] = []
    total = 0.0
    for number, page in pages.items():
        total += page.ms / 1000
        if chosen and total > seconds:
            break
        chosen.append(number)
    return chosen
