"""The work whose instructions are counted: reading one small picture with one engine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..engines import arm_worker
from ..engines.arm_worker import NETWORKS, READ, Done, Job
from ..engines.regress_worker import SIDE, prepare_bundle, prepare_picture
from .boards import Processor
from .counts import Counts, Named, Node, by_name, by_operator
from .errors import EmulationError
from .machine import Machine

# Name of the job. Raise its number with every change of the work, so that old counts are not used.
JOB = "two lines of sample.jpg on one thread, 1"
WORKER = Path(arm_worker.__file__)
# Every library has one thread, Python always has the same hashes, and ONNX Runtime sends nothing.
VARIABLES = {
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
    "ORT_DISABLE_TELEMETRY": "1",
}
# Folders in /opt of the machine.
CHECKOUT, SITE, RAPIDOCR = "checkout", "site", "rapidocr"


@dataclass(frozen=True)
class Subject:
    """An engine with weights.

    Attributes:
        engine: "edgeocr" or "rapidocr".
        name: Name of the bundle.
        files: edgeocr's bundle, or RapidOCR's detection network, recognition network and file of
            characters.
    """

    engine: str
    name: str
    files: Sequence[Path]


@dataclass(frozen=True)
class Counted:
    """The instructions of one job.

    Attributes:
        texts: The lines that were read.
        parts: The counts by part, as the worker names them.
        operators: The counts of each network by operator; empty unless they were asked for.
    """

    texts: list[str]
    parts: Named
    operators: Mapping[str, Named] = field(default_factory=dict)

    @property
    def read(self) -> Counts:
        """The instructions of the second read."""
        return sum((each for name, each in self.parts.items() if name in READ), Counts())


class Counter:
    """Counts jobs in an emulated machine."""

    def __init__(self, machine: Machine) -> None:
        """Create a counter.

        Args:
            machine: The machine, with the wheels in its folder `SITE`.
        """
        self._machine = machine
        self._work = machine.root / "job"
        self._warm: set[tuple[str, str]] = set()

    def use(self, checkout: Path) -> None:
        """Put the edgeocr of a checkout into the machine, always at the same place.

        Args:
            checkout: Root of the checkout.

        Raises:
            EmulationError: It has no edgeocr, or it can't be copied.
        """
        target = self._machine.root / "opt" / CHECKOUT
        shutil.rmtree(target, ignore_errors=True)
        try:
            shutil.copytree(
                checkout / "edgeocr",
                target / "edgeocr",
                ignore=shutil.ignore_patterns("__pycache__", "*.edgeocr"),
            )
        except OSError as error:
            raise EmulationError(f"{checkout}/edgeocr can't be copied: {error}") from None
        self._warm.clear()

    def count(self, subject: Subject, processor: Processor, *, operators: bool = False) -> Counted:
        """Count the instructions of reading the picture.

        Args:
            subject: The engine and its weights.
            processor: The processor to emulate.
            operators: Whether to tell the operators of the networks apart, too. The profile that
                this needs adds about 25 000 instructions to each node.

        Raises:
            EmulationError: The engine fails or reads nothing.
        """
        job = self._prepare(subject)
        if (subject.engine, subject.name) not in self._warm:
            # The first process compiles Python's modules, and its counts are of no use.
            self._run(processor, {**job, "reads": 1}, counted=False)
            self._warm.add((subject.engine, subject.name))
        counted = self._run(processor, job)
        if not counted.texts:
            raise EmulationError(f"{subject.engine} reads nothing in the picture")
        if not operators:
            return counted
        split = self._run(processor, {**job, "profile": True}).operators
        return Counted(counted.texts, counted.parts, split)

    def _prepare(self, subject: Subject) -> Job:
        """Write the files of a job into the machine, and return the job."""
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(parents=True)
        shutil.copy(WORKER, self._work / "worker.py")
        bundle, models = "", list[str]()
        try:
            prepare_picture(self._work / "picture.png")
            if subject.engine == "edgeocr":
                (archive,) = subject.files
                prepare_bundle(archive, self._work / "bundle")
                bundle = "/job/bundle"
            else:
                for path in subject.files:
                    shutil.copy(path, self._work / path.name)
                    models.append(f"/job/{path.name}")
        except (OSError, ValueError, KeyError) as error:
            raise EmulationError(f"the job can't be prepared: {error!r}") from None
        return {
            "engine": subject.engine,
            "picture": "/job/picture.png",
            "side": SIDE,
            "bundle": bundle,
            "models": models,
            "reads": 2,
            "profile": False,
        }

    def _run(self, processor: Processor, job: Job, *, counted: bool = True) -> Counted:
        """Run the worker in a new process."""
        (self._work / "job.json").write_text(json.dumps(job), encoding="utf-8")
        path = [CHECKOUT, SITE] if job["engine"] == "edgeocr" else [RAPIDOCR]
        rows = self._machine.run(
            processor,
            ["/usr/bin/python3", "/job/worker.py", "/job/job.json", "/job/done.json"],
            {**VARIABLES, "PYTHONPATH": ":".join(f"/opt/{folder}" for folder in path)},
            counted=counted,
            clock=job["profile"],
        )
        done: Done = json.loads((self._work / "done.json").read_text(encoding="utf-8"))
        if not counted:
            return Counted(done["texts"], {})
        split: Mapping[str, Named] = {}
        if job["profile"]:
            runs = [[Node(*node) for node in run] for run in done["runs"]]
            split = by_operator(rows, done["marks"], runs, set(NETWORKS))
        return Counted(done["texts"], by_name(rows, done["marks"]), split)
