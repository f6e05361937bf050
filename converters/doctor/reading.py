"""Use a network on the user's pictures, with the folder's own settings and with others."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from edgeocr.bundle.image_stages import DETECTIONS, Detection
from edgeocr.errors import EdgeOCRError

from ..catalog.entries import Algorithm
from ..errors import ModelFormatError, ParityError
from ..graph.interface import Interface
from ..model.network import Network
from ..model.paddle_model import PaddleModel
from ..model.stages import stage_of
from ..parity.paddle_reference import PaddleMissingError
from . import changes, material, paddle_texts, regions, sources
from .facts import Attempt, Beside, Pictures
from .material import Material
from .search import Search
from .sources import Sources
from .ways import Reader, Way

logger = logging.getLogger(__name__)

NO_SETTINGS = (
    "no picture was tried: without an inference.yml, nothing says how a detector's input is "
    "resized, and how regions are made of its maps"
)
# How many unreadable pictures a sentence names.
EXAMPLES = 3
# How much Hmean must gain before a change to a detector's input counts: with the few pictures that
# are tried, less is chance.
LEAST_HMEAN = 0.05


@dataclass(frozen=True)
class Request:
    """What to examine.

    Attributes:
        folder: The folder with the network.
        pictures: A folder of pictures, with labels if there are any; None for none.
        dictionaries: Dictionaries: the first replaces the folder's own, the others are tried.
        algorithm: The network's algorithm, where no file says it.
        ignore_settings: Whether to leave out the folder's inference.yml.
        paddle_python: A Python that has Paddle; None for this one.
    """

    folder: Path
    pictures: Path | None = None
    dictionaries: Sequence[Path] = ()
    algorithm: Algorithm | None = None
    ignore_settings: bool = False
    paddle_python: Path | None = None


@dataclass(frozen=True)
class Subject:
    """A network that was translated.

    Attributes:
        model: Its files.
        found: What its files and settings say about it.
        network: What it is, with the sizes of its input.
        interface: The plain graph's interface.
        plain: The plain graph.
        edge: The edge graph.
    """

    model: PaddleModel
    found: Sources
    network: Network
    interface: Interface
    plain: bytes
    edge: bytes


@dataclass(frozen=True)
class Result:
    """What the network made of the pictures.

    Attributes:
        pictures: The facts; None if the network's task isn't tried on pictures.
        not_done: What was left out, with the reason.
        faults: What went wrong.
    """

    pictures: Pictures | None = None
    not_done: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read(subject: Subject, request: Request) -> Result:
    """Use the network on the user's pictures.

    Raises:
        EdgeOCRError: No picture can be used, or the network doesn't run.
    """
    assert request.pictures is not None
    task = subject.network.task
    if task == "recognition":
        return _lines(subject, request, request.pictures)
    if task == "detection":
        return _pages(subject, request, request.pictures)
    return Result(not_done=[f"pictures are tried for detection and recognition, not for {task}"])


def _lines(subject: Subject, request: Request, folder: Path) -> Result:
    found = subject.found
    if found.listed is None:  # which the findings say
        return Result()
    given = material.lines(folder)
    lines = given.items
    crops = [line.crop for line in lines]
    labels = None if given.labels is None else [line.label or "" for line in lines]
    own = Way(subject.network.normalize, found.recognition(), found.symbols())
    reader = Reader(subject.plain, subject.network, subject.interface, crops)
    logger.info("reading %d lines", len(lines))
    try:
        readings = reader.texts(own)
    except EdgeOCRError as error:
        if found.classes is not None:
            raise
        # The graph chooses the classes itself, so only reading shows that there are more of them.
        raise ModelFormatError(
            f"{error}; if {found.dictionary} lacks characters, name the dictionary that the "
            "network was trained with (--charset FILE)"
        ) from error
    theirs, not_done, faults = _paddle(subject, request, own, lines)
    others = {path: sources.with_dictionary(found, path) for path in request.dictionaries[1:]}
    dictionaries = {str(path): other.symbols() for path, other in others.items()}
    logger.info("trying common causes of wrong readings")
    outcome = Search(reader, labels).run(own, changes.changes(subject.interface, dictionaries))
    return Result(
        Pictures(
            str(folder),
            given.labels,
            len(lines),
            given.left_out,
            _unknown(found, labels),
            lines=[
                Beside(line.name, line.label, reading.text, float(reading.score), paddle)
                for line, reading, paddle in zip(lines, readings, theirs, strict=True)
            ],
            attempts=outcome.attempts,
            best=outcome.best,
            explained=None if outcome.right is None else sum(outcome.right),
        ),
        [*_left_out(given), *not_done],
        faults,
    )


def _left_out(given: Material[Any]) -> list[str]:
    """Say which pictures can't be read, if there are any."""
    number = len(given.unreadable)
    if not number:
        return []
    pictures = "1 picture" if number == 1 else f"{number} pictures"
    shown = "; ".join(given.unreadable[:EXAMPLES])
    return [f"{pictures} that can't be read {'was' if number == 1 else 'were'} left out: {shown}"]


def _unknown(found: Sources, labels: Sequence[str] | None) -> str:
    """Return the characters of labels that no class stands for, the most frequent first."""
    known = {*"".join(found.listed or []), " "}
    text = "".join(labels or [])
    return "".join(sorted({*text} - known, key=lambda each: (-text.count(each), each)))


def _paddle(
    subject: Subject, request: Request, own: Way, lines: Sequence[material.Line]
) -> tuple[list[str | None], list[str], list[str]]:
    """Return Paddle's text of each line, or None; why lines were left out; and faults."""
    nothing: list[str | None] = [None] * len(lines)
    if subject.model.format == "onnx":
        return nothing, ["Paddle's texts: the network is ONNX, which Paddle can't run"], []
    asked = [line.crop for line in lines[: paddle_texts.MOST]]
    logger.info("reading %d lines with Paddle Inference", len(asked))
    try:
        texts = paddle_texts.texts(
            subject.model, subject.network, subject.interface, own, asked, request.paddle_python
        )
    except PaddleMissingError as error:
        return nothing, [f"Paddle's texts: {error}"], []
    except ParityError as error:
        return nothing, [], [f"{error}: see whether PaddleOCR reads with this folder"]
    left = len(lines) - len(asked)
    not_done = [f"Paddle's texts: only the first {len(asked)} lines were read"] if left else []
    return [*texts, *nothing[len(texts) :]], not_done, []


def _pages(subject: Subject, request: Request, folder: Path) -> Result:
    if "resize" not in subject.found.stage:
        return Result(not_done=[NO_SETTINGS])
    stage = stage_of(
        "detection", subject.network.name, subject.network.algorithm, subject.found.stage
    )
    assert isinstance(stage, DETECTIONS)
    given = material.pages(folder)
    pages = given.items
    logger.info("finding regions in %d pictures", len(pages))
    compared = None if subject.model.format == "onnx" else subject.model
    not_done = _left_out(given)
    find = partial(
        regions.beside,
        network=subject.network,
        interface=subject.interface,
        stage=stage,
        edge=subject.edge,
        pages=pages,
        python=request.paddle_python,
    )
    try:
        found = find(compared)
    except PaddleMissingError as error:
        not_done.append(f"Paddle's regions: {error}")
        found = find(None)
    attempts: list[Attempt] = []
    if given.labels is not None:
        attempts = _ways_of_detection(subject, stage, pages)
    return Result(
        Pictures(
            str(folder),
            given.labels,
            len(pages),
            given.left_out,
            regions=found,
            attempts=attempts,
            best=_best(attempts),
        ),
        not_done,
    )


def _ways_of_detection(
    subject: Subject,
    stage: Detection,
    pages: Sequence[material.Page],
) -> list[Attempt]:
    """Find the labelled regions with other colours and normalizations; scores are Hmean."""
    own = subject.network.normalize
    attempts = []
    for name, advice, normalize in [("", "", own), *changes.of_pictures(own)]:
        network = replace(subject.network, normalize=normalize)
        sums = regions.counted(subject.plain, network, subject.interface, stage, pages)
        attempts.append(Attempt(name, advice, sums.hmean))
    return attempts


def _best(attempts: Sequence[Attempt]) -> list[int]:
    """Return the index of the best attempt, if it finds clearly more than the first."""
    if len(attempts) < 2:
        return []
    place = max(range(len(attempts)), key=lambda i: attempts[i].score)
    return [place] if attempts[place].score >= attempts[0].score + LEAST_HMEAN else []
