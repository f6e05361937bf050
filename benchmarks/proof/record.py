"""The proof as its JSON file has it (schema 1): dataclasses whose fields are the file's keys."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from edgeocr.bundle import strict_json
from edgeocr.bundle.fields import FieldError, parse
from edgeocr.errors import EdgeOCRError

SCHEMA = 1

Outcome: TypeAlias = Literal["holds", "fails", "not tried"]
# A cell of a table: a number, a text, or None where nothing is known.
Cell: TypeAlias = "str | int | float | bool | None"


class ProofFileError(EdgeOCRError):
    """A file is no proof, or one that this version can't read."""


@dataclass(frozen=True)
class Table:
    """Figures of a claim.

    Attributes:
        title: What the table shows.
        columns: The names of the columns, with units.
        rows: The rows, each with as many cells as there are columns.
    """

    title: str
    columns: list[str]
    rows: list[list[Any]]

    def __post_init__(self) -> None:
        """Check the shape of the table, and what it consists of.

        Raises:
            FieldError: A row has another number of cells, or a cell is no plain value.
        """
        for row in self.rows:
            if len(row) != len(self.columns):
                raise FieldError(
                    f"a row of the table {self.title!r} has {len(row)} cells, and there are "
                    f"{len(self.columns)} columns"
                )
            for cell in row:
                if cell is not None and not isinstance(cell, (str, int, float)):
                    raise FieldError(f"a cell of the table {self.title!r} is {cell!r:.80}")


@dataclass(frozen=True)
class Verdict:
    """What became of a claim.

    Attributes:
        claim: The claim's short name, such as "parity".
        says: The claim as a sentence.
        outcome: Whether it holds, fails, or could not be tried.
        reason: Why, as a sentence or the end of one.
        seconds: How long the trial took.
        tables: The figures.
    """

    claim: str
    says: str
    outcome: Outcome
    reason: str
    seconds: float
    tables: list[Table] = field(default_factory=list)


@dataclass(frozen=True)
class RecordedGPU:
    """A GPU of the machine.

    Attributes:
        name: Its name.
        compute: Its compute capability; None if unknown.
        memory: Its memory in bytes; None if unknown.
    """

    name: str
    compute: str | None
    memory: int | None


@dataclass(frozen=True)
class RecordedMachine:
    """What the proof ran on, without anything that names a person or a host.

    Attributes:
        cpu: The processor, or the board's name.
        cpus: The number of logical CPUs.
        cpus_available: The CPUs that the process may keep busy.
        os: The system and its kernel.
        architecture: The processor's architecture.
        python: The version of Python.
        board: The board's name; None for a PC or a server.
        jetpack: The version of JetPack; None elsewhere.
        power_mode: The power mode of a Jetson; None elsewhere.
        gpus: NVIDIA's GPUs.
        driver: The version of NVIDIA's driver; None without one.
        libraries: Versions of CUDA's runtime, cuDNN and TensorRT, where they are installed.
    """

    cpu: str
    cpus: int
    cpus_available: int
    os: str
    architecture: str
    python: str
    board: str | None = None
    jetpack: str | None = None
    power_mode: str | None = None
    gpus: list[RecordedGPU] = field(default_factory=list)
    driver: str | None = None
    libraries: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The processor and the GPUs in words."""
        return " + ".join([self.cpu, *(gpu.name for gpu in self.gpus)])


@dataclass(frozen=True)
class RecordedBundle:
    """The bundle that was read with.

    Attributes:
        name: Its name.
        sha256: Its digest.
        variants: The precisions of its graphs, where stages have several.
    """

    name: str
    sha256: str
    variants: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Proof:
    """Everything that one run of the proof found.

    Attributes:
        schema: The version of the file's format.
        edgeocr: The version of edgeocr.
        commit: The checkout's commit, with a plus if files differ from it; None without git.
        when: The time of the start, in UTC and ISO 8601.
        minutes: The time budget.
        seconds: How long the run took.
        interrupted: Whether it was ended by Ctrl-C.
        stand_in: The provider in the GPU's place; None on a GPU.
        machine: The machine.
        packages: Versions of the packages that affect results.
        bundle: The bundle.
        pictures: Names of the pictures that were read.
        verdicts: A verdict for each claim, in the order in which they were tried.
    """

    schema: int
    edgeocr: str
    commit: str | None
    when: str
    minutes: float
    seconds: float
    interrupted: bool
    stand_in: str | None
    machine: RecordedMachine
    packages: dict[str, str]
    bundle: RecordedBundle
    pictures: list[str]
    verdicts: list[Verdict]

    def to_json(self) -> str:
        """Return the content of the file."""
        record = _finite(asdict(self))
        return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, content: bytes, name: str) -> Proof:
        """Read the content of a file.

        Args:
            content: The bytes of the file.
            name: The file's name, for errors.

        Raises:
            ProofFileError: The file is not JSON, or a field is missing, unknown or invalid.
        """
        try:
            decoded = strict_json.decode(content, name)
            schema = decoded.get("schema") if isinstance(decoded, dict) else None
            if schema != SCHEMA:
                raise FieldError(f"its schema is {schema!r}, and this version reads {SCHEMA}")
            return parse(cls, decoded)
        except FieldError as error:
            raise ProofFileError(f"{name} is not a proof: {error}") from None
        except EdgeOCRError as error:
            raise ProofFileError(str(error)) from None


def _finite(value: Any) -> Any:
    """Return a value in which numbers that JSON can't hold, such as infinity, are words."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def load(path: Path) -> Proof:
    """Read a proof from its file.

    Raises:
        ProofFileError: The file can't be read, or is no proof.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ProofFileError(f"{path}: {error.strerror}") from None
    return Proof.from_json(content, path.name)
