"""What a claim has at hand while it is tried: cells, pictures, time, and processes of cells."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeocr.results.lines import Line

from .budget import Share
from .cell_process import PATIENCE_S, CellFailedError, CellProcess, CellUnavailableError
from .cells import Cell, Cells
from .judgement import CellVerdict, Ratio, overall
from .record import Outcome, Table


@dataclass(frozen=True)
class Finding:
    """What a claim's trial found.

    Attributes:
        outcome: Whether the claim holds.
        reason: Why.
        tables: The figures.
    """

    outcome: Outcome
    reason: str
    tables: list[Table] = field(default_factory=list)

    @classmethod
    def of(cls, cells: Sequence[CellVerdict], *tables: Table) -> Finding:
        """Make a finding of the verdicts of cells."""
        return cls(*overall(cells), list(tables))


@dataclass
class Trial:
    """Everything that claims share.

    Attributes:
        cells: The cells.
        bundle: Path of the bundle; None for the package's own.
        pictures: Paths of the pictures.
        folder: A folder for engines, inputs and outputs, which is removed at the end.
        onnxruntime: The version of ONNX Runtime.
        time: The time of the claim that is being tried.
        patience_s: Seconds that a process may take for a picture.
        pages: How many pages the claims about spikes and memory read.
        unready: Why the engines of a cell weren't built, by the cell's name.
        speeds: The ratio to the CPU of each cell whose speed was measured, by the cell's name.
        read_by_cpu: The lines of each picture that the CPU reads in float32, without padding and
            with it; None before a claim has asked for them.
    """

    cells: Cells
    bundle: str | None
    pictures: list[str]
    folder: Path
    onnxruntime: str
    time: Share
    patience_s: float = PATIENCE_S
    pages: int = 500
    unready: dict[str, str] = field(default_factory=dict)
    speeds: dict[str, Ratio] = field(default_factory=dict)
    read_by_cpu: tuple[list[list[Line]], list[list[Line]]] | None = None

    def engines(self, cell: Cell) -> Path:
        """Return the folder in which a cell's engines are kept, which need not exist."""
        return self.folder / "engines" / (cell.setup.cache or "none")

    @contextmanager
    def opened(self, cell: Cell) -> Iterator[CellProcess]:
        """Start a cell's process and open its `OCR`.

        Raises:
            CellUnavailableError: The cell can't be tried on this machine, or its engines weren't
                built.
            CellFailedError: The process crashed, hung, or reported an error.
            OutOfTimeError: There is no time left.
        """
        if cell.name in self.unready:
            raise CellUnavailableError(self.unready[cell.name])
        with self.opening(cell, self.time.left) as (process, _):
            yield process

    @contextmanager
    def opening(self, cell: Cell, left_s: float) -> Iterator[tuple[CellProcess, dict[str, Any]]]:
        """Start a cell's process and open its `OCR`, also if its engines haven't been built.

        Args:
            cell: The cell.
            left_s: Seconds for building engines while it is opened.

        Yields:
            The process, and what it says about the `OCR`.

        Raises:
            Exception: As for `opened`.
        """
        if cell.missing is not None:
            raise CellUnavailableError(cell.missing)
        with CellProcess(cell.name) as process:
            yield process, self._open(process, cell, left_s)

    def _open(self, process: CellProcess, cell: Cell, left_s: float) -> dict[str, Any]:
        """Open a cell's `OCR` in a process, and return what the process says about it."""
        setup, options = cell.setup, {k: dict(v) for k, v in cell.setup.options.items()}
        engines = None if setup.cache is None else self.engines(cell)
        if engines is not None:
            engines.mkdir(parents=True, exist_ok=True)
            if setup.provider == "openvino":
                options.setdefault("openvino", {})["cache_dir"] = str(engines)
        # Opening may build engines, which takes as long as it takes.
        ask = process.ask_within if cell.builds else process.ask
        opened: dict[str, Any] = ask(
            "open",
            max(self.patience_s, left_s) if cell.builds else self.patience_s,
            bundle=self.bundle,
            provider=setup.provider,
            options=options,
            fp16=setup.fp16,
            variant=setup.variant,
            fixed_shapes=setup.fixed_shapes,
            engines=None if engines is None else str(engines),
            threads=None,
        )
        process.providers = opened["providers"]
        return opened

    def engine_files(self, cell: Cell) -> dict[str, str]:
        """Return a digest of each file in the folder of a cell's engines, by its path there."""
        folder = self.engines(cell)
        return {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }


def not_holding(cell: Cell, error: Exception) -> CellVerdict:
    """Return the verdict of a cell whose trial ended with an error."""
    failed = isinstance(error, CellFailedError)
    return CellVerdict(cell.name, "fails" if failed else "not tried", str(error))
