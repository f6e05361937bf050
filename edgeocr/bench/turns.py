"""Take turns: start the cells' processes one after the other, and let them read in rounds."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .cell import Accuracy, Cell, Combination, NotMeasured, Reference, Why, names_of
from .cell_process import CellError
from .description import KnownBundle
from .matrix import Graphs, is_reference, reference_graphs
from .pictures import FIRST
from .progress import OnProgress, Progress
from .readings import LabelledPictures, Reading, compared, scored
from .room import Room
from .running import Running
from .settings import Settings
from .sustained import Sustained
from .worker import Request

if TYPE_CHECKING:
    from types import TracebackType

logger = logging.getLogger(__name__)

# In how many turns each cell reads the pictures as a stream. A turn should be long: at its end some
# threads have no picture left.
STREAM_TURNS = 4


@dataclass(frozen=True)
class Job:
    """What is measured, and how.

    Attributes:
        cells: The cells.
        graphs: The graphs of each cell, or the reason why it isn't measured.
        bundles: The bundles, by name.
        settings: The arguments of `OCR` that are the same in all cells.
        images: Paths of the pictures.
        labelled: The labels of the pictures; None without labels.
    """

    cells: Sequence[Combination]
    graphs: Sequence[Graphs | str]
    bundles: Mapping[str, KnownBundle]
    settings: Settings
    images: list[str]
    labelled: LabelledPictures | None


class Turns:
    """The processes of all cells, as a context manager that ends them.

    A process that fails ends the measurement of its cell only.

    Attributes:
        references: For each bundle, the reading with which its cells are compared.
    """

    def __init__(self, job: Job, on_progress: OnProgress) -> None:
        """Prepare to measure; no process is started yet.

        Args:
            job: What is measured.
            on_progress: Called whenever something new is being measured.
        """
        self.references: dict[str, Reference] = {}
        self._job = job
        self._on_progress = on_progress
        self._names = names_of(job.cells)
        self._running: dict[int, Running] = {}
        self._not_measured: dict[int, NotMeasured] = {}
        self._readings: dict[str, Reading] = {}
        self._room = Room()

    def __enter__(self) -> Turns:
        """Return the object itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all processes: at once if there was an error, or if the user ends the program."""
        for running in self._running.values():
            if kind is None:
                running.process.close()
            else:
                running.process.kill()
        self._running.clear()

    def start(self) -> None:
        """Start the cells' processes one after the other, warm up, and read each picture once.

        A cell whose combination means nothing, or for which there is no memory, is left out.
        """
        for number, cell in enumerate(self._job.cells):
            graphs = self._job.graphs[number]
            if isinstance(graphs, str):
                self._leave_out(number, "no meaning", graphs)
            elif (refusal := self._no_room(cell.bundle, cell.provider)) is not None:
                self._leave_out(number, "no memory", refusal)
            else:
                self._start(number, graphs)

    def read_references(self) -> None:
        """Make the reading of each bundle with which its cells are compared.

        It is that of a cell whose stages all run in fp32 on the CPU. If there is none, one more
        process reads the pictures once.
        """
        for name, bundle in self._job.bundles.items():
            reading = next(
                (
                    running.reading
                    for number, running in self._running.items()
                    if self._job.cells[number].bundle == name
                    and is_reference(running.taken, bundle.stages)
                ),
                None,
            )
            try:
                reading = self._reference_of_its_own(name) if reading is None else reading
            except CellError as error:
                self.references[name] = Reference(None, None, str(error))
                continue
            self._readings[name] = reading
            lines = sum(len(lines) for lines in reading if lines is not None)
            self.references[name] = Reference(lines, self._accuracy(reading), None)

    def read_in_rounds(self, rounds: int) -> None:
        """Let the cells read each picture once in each round.

        The cell that begins changes from round to round, so that none always follows the same one.

        Args:
            rounds: The number of rounds.
        """
        for done in range(rounds):
            for number in self._rotated(done):
                with self._failing(number, "reading", done + 1, rounds) as running:
                    running.round()

    def read_streams(self, times: int) -> None:
        """Let the cells read the pictures as streams, in a few turns.

        Args:
            times: How often each picture is read in all turns together.
        """
        turns = min(STREAM_TURNS, times)
        for turn in range(turns):
            share = times // turns + (turn < times % turns)
            for number in self._rotated(turn):
                with self._failing(number, "reading a stream", turn + 1, turns) as running:
                    running.stream(share)

    def cells(self) -> list[Cell]:
        """Return the cells with what was measured."""
        return [self._cell(number) for number in range(len(self._job.cells))]

    def load(self, number: int, minutes: float) -> Sustained | NotMeasured:
        """Let a cell read without a pause while the others wait.

        Args:
            number: The cell's place in the list.
            minutes: How long it reads.

        Returns:
            What was seen, or how the process failed.
        """
        found: list[Sustained] = []

        def on_page(pages: int) -> None:
            self._tell(number, "reading under load", pages)

        with self._failing(number, "reading under load") as running:
            found.append(running.load(minutes, on_page))
        return found[0] if found else self._not_measured[number]

    def _start(self, number: int, graphs: Graphs) -> None:
        cell = self._job.cells[number]
        self._tell(number, "starting")
        try:
            running = self._open(cell.bundle, cell.provider, graphs, cell.threads)
        except CellError as error:
            self._leave_out(number, "failed", str(error))
            return
        self._running[number] = running
        with self._failing(number, "warming up"):
            running.warm_up()
            self._tell(number, "reading once")
            running.read()
            self._room.note(cell.bundle, cell.provider, running.peak_rss_bytes)
            logger.info("started %s", self._names[number])

    def _open(self, bundle: str, provider: str, graphs: Graphs, threads: int | None) -> Running:
        job, known = self._job, self._job.bundles[bundle]
        request = Request(
            provider, known.path, graphs, threads, job.settings, job.images, str(FIRST)
        )
        return Running(request, known.stages)

    def _reference_of_its_own(self, bundle: str) -> Reading:
        """Read the pictures in a process that is not a cell's.

        Raises:
            CellError: It fails, or does not fit into memory.
        """
        if (refusal := self._no_room(bundle, "cpu")) is not None:
            raise CellError(refusal)
        self._on_progress(Progress(bundle, "reading with fp32 on the CPU"))
        stages = self._job.bundles[bundle].stages
        running = self._open(bundle, "cpu", Graphs(reference_graphs(stages), fp16=False), None)
        try:
            running.read()
        finally:
            running.process.kill()
        return running.reading

    def _no_room(self, bundle: str, provider: str) -> str | None:
        return self._room.refusal(bundle, provider, self._job.bundles[bundle].size)

    def _cell(self, number: int) -> Cell:
        cell = self._job.cells[number]
        asked = (cell.bundle, cell.provider, cell.precision, cell.threads)
        if number not in self._running:
            return Cell(*asked, None, self._not_measured[number])
        with self._failing(number, "comparing") as running:
            reference = self._readings.get(cell.bundle)
            agreement = None if reference is None else compared(reference, running.reading)
            return Cell(*asked, running.measured(agreement, self._accuracy(running.reading)), None)
        return Cell(*asked, None, self._not_measured[number])

    def _accuracy(self, reading: Reading) -> Accuracy | None:
        labelled = self._job.labelled
        return None if labelled is None else scored(labelled, reading)

    def _rotated(self, by: int) -> list[int]:
        """Return the cells that are still measured, beginning with another one each time."""
        numbers = sorted(self._running)
        by %= max(1, len(numbers))
        return numbers[by:] + numbers[:by]

    def _leave_out(self, number: int, why: Why, reason: str) -> None:
        self._not_measured[number] = NotMeasured(why, reason)

    def _tell(self, number: int, phase: str, done: int = 0, total: int = 0) -> None:
        self._on_progress(Progress(self._names[number], phase, done, total))

    @contextmanager
    def _failing(self, number: int, phase: str, done: int = 0, total: int = 0) -> Iterator[Running]:
        """Run a block with a cell's process, and end the cell if the process fails."""
        self._tell(number, phase, done, total)
        try:
            yield self._running[number]
        except CellError as error:
            self._running.pop(number).process.kill()
            self._leave_out(number, "failed", str(error))
