"""The parent's side of a reading process, and what it answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Protocol, TypeAlias

from ..bench.cell_process import PAGE_PATIENCE, CellProcess
from ..results.lines import Line
from ..tuned.record import Candidate
from .way import Request, Way

# The code hands this process's sys.path to the reading process, as `edgeocr bench` does.
WORKER = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    "from edgeocr.tuning.worker import main; sys.exit(main())"
)


@dataclass(frozen=True)
class ReadPage:
    """A picture that a process has read.

    Attributes:
        lines: Its lines.
        stages: The milliseconds of each stage.
        ms: The milliseconds of the whole page.
    """

    lines: list[Line]
    stages: Mapping[str, float]
    ms: float


# Seconds that the process may take to open a bundle with which others are compared.
REFERENCE_PATIENCE = 600.0

# A picture that was read, or the reason why it can't be.
Outcome: TypeAlias = "ReadPage | str"


class Reader(Protocol):
    """What reads pictures in one way."""

    @property
    def providers(self) -> Mapping[str, str]:
        """The execution provider of each stage."""

    @property
    def variants(self) -> Mapping[str, str]:
        """The graph of each stage that has several."""

    @property
    def threads(self) -> int:
        """The number of CPU threads."""

    def read(self, indices: Sequence[int], patience: float) -> list[Outcome]:
        """Read pictures once each.

        Args:
            indices: The numbers of the pictures.
            patience: Seconds for a single picture after which it counts as hung.

        Raises:
            CellError: It failed; the message is the reason.
        """

    def close(self) -> None:
        """End it."""


class ReadingProcess(CellProcess):
    """A process that reads pictures in one way; a `Reader`."""

    def __init__(self, request: Request, patience: float) -> None:
        """Start the process, and wait until it has opened the bundle.

        Args:
            request: What it opens.
            patience: Seconds after which it counts as hung.

        Raises:
            CellError: It fails.
        """
        super().__init__(request, patience)
        self.providers: dict[str, str] = self.answer["providers"]
        self.variants: dict[str, str] = self.answer["variants"]
        self.threads: int = self.answer["threads"]

    def read(self, indices: Sequence[int], patience: float = PAGE_PATIENCE) -> list[Outcome]:
        """Read pictures once each; see `Reader.read`."""
        answer = self.ask("read", patience, indices=list(indices))
        return [_outcome(page) for page in answer["pages"]]

    def _code(self) -> str:
        return WORKER


class Readers:
    """Starts processes that read, as a context manager that ends them."""

    def __init__(self, request: Request) -> None:
        """Prepare to start processes.

        Args:
            request: What all of them open.
        """
        self._request = request
        self._started: list[ReadingProcess] = []

    def __enter__(self) -> Readers:
        """Return the object itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all processes that are left."""
        for process in self._started:
            process.kill()

    def open(self, way: Way, patience: float) -> Reader:
        """Start a process that reads in a way; see `gate.OpenReader`."""
        return self._start(self._request.on(way), patience)

    def open_reference(
        self,
        references: Mapping[str, Candidate],
        threads: int | None,
        fixed: Collection[str] = (),
    ) -> Reader:
        """Start the process with which others are compared.

        Args:
            references: How its stages run.
            threads: The number of CPU threads; None for the usual number.
            fixed: Stages whose inputs are padded to fixed shapes; see `Way.fixed`.
        """
        way = replace(Way.of(references, threads), fixed=sorted(fixed))
        return self._start(self._request.exactly(way), REFERENCE_PATIENCE)

    def _start(self, request: Request, patience: float) -> Reader:
        process = ReadingProcess(request, patience)
        self._started.append(process)
        return process


def _outcome(page: Mapping[str, Any]) -> Outcome:
    if "error" in page:
        return str(page["error"])
    return ReadPage([Line.from_dict(line) for line in page["lines"]], page["stages"], page["ms"])
