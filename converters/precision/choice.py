"""Choose by measurement which nodes of which stage compute in less than float32.

For int8, the kinds of nodes that make a stage slower or its outputs wrong are left out first, then
single nodes, the most harmful first, until labelled pictures are read as well as is wanted. A stage
that is no faster then stays in float32. For fp16, which is for GPUs, every node is converted.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TypeAlias

from edgeocr import OCR, Bundle
from edgeocr.bundle.provenance import Accuracy, Precision, Quantization

from ..accuracy import measure as accuracies
from ..catalog.entries import CATALOG
from ..errors import PrecisionError
from . import calibration
from .float16 import to_float16
from .lock import PrecisionLock
from .search import Search

logger = logging.getLogger(__name__)

# The points of Hmean (hundredths) that may be lost by default.
MAX_LOSS = 0.5
# The stages in the order in which they may use up the loss: recognition takes most time.
ORDER = ("recognition", "spotting", "detection", "orientation")
# The share of float32's time that a stage in int8 may take; saving less is not worth any loss.
WORTH = 0.95
# Rounds of timing whole pages; the fastest counts.
PAGE_ROUNDS = 4
# The labelled pictures that are read by default.
LABELLED = calibration.ROOT / "tests" / "images"
LOCK = CATALOG.with_name("precision.lock")


@dataclass(frozen=True)
class Reduced:
    """A stage's graph in less than float32.

    Attributes:
        graph: The graph.
        quantization: How it became int8, None for a graph in float16.
    """

    graph: bytes
    quantization: Quantization | None = None


Redraft: TypeAlias = Callable[[Mapping[str, Reduced]], Bundle]


@dataclass(frozen=True)
class Row:
    """A row of the table that compares precisions.

    Attributes:
        stage: The stage, or "all".
        size: Bytes of its graphs.
        full_size: Bytes of its graphs in float32.
        time: Its share of float32's time, None where it was not measured.
        accuracy: What the bundle reads with this stage in the wanted precision.
        note: A remark at the end of the row.
    """

    stage: str
    size: int
    full_size: int
    time: float | None
    accuracy: Accuracy
    note: str = ""


def reduce(
    draft: Bundle,
    redraft: Redraft,
    wanted: Precision,
    *,
    calibrate: Path | None = None,
    accuracy: Path | None = None,
    max_loss: float = MAX_LOSS,
) -> dict[str, Reduced]:
    """Return the stages that gain by another precision, with their graphs.

    Args:
        draft: The bundle in float32, with all of its stages.
        redraft: Makes the bundle with other graphs for some of its stages.
        wanted: The precision.
        calibrate: A folder with pictures like those that the bundle will read; None for the
            repository's pictures.
        accuracy: A folder with pictures and Label.txt; None for the repository's pictures.
        max_loss: The points of Hmean (hundredths) that may be lost.

    Raises:
        PrecisionError: More is lost, in which case the error names the worst stage, or no stage
            gains.
    """
    labelled = accuracy or LABELLED
    full = accuracies.measure(draft, labelled)
    reused = wanted == "int8" and LOCK.is_file()
    reduced, rows = (
        _in_int8(draft, redraft, calibrate, labelled, full, max_loss)
        if wanted == "int8"
        else _in_fp16(draft, redraft, labelled)
    )
    if not reduced:
        notes = "; ".join(f"{row.stage}: {row.note}" for row in rows)
        raise PrecisionError(f"no stage gains by {wanted}: {notes}; freeze without --precision")
    whole = redraft(reduced)
    graphs = [stage.graph for stage in vars(draft.manifest.stages).values() if stage is not None]
    all_of_it = Row(
        "all",
        sum(len(whole.read(graph)) for graph in graphs),
        sum(len(draft.read(graph)) for graph in graphs),
        _page_time(draft, whole, labelled) if wanted == "int8" else None,
        accuracies.measure(whole, labelled),
    )
    for line in _table(wanted, full, [*rows, all_of_it]):
        logger.info("%s", line)
    if (lost := loss(full, all_of_it.accuracy)) > max_loss:
        worst = max(rows, key=lambda row: loss(full, row.accuracy))
        raise PrecisionError(
            f"{wanted} loses {lost:.2f} points of Hmean on {labelled}; {max_loss:g} are allowed "
            f"(--max-loss); stage {worst.stage} alone loses {loss(full, worst.accuracy):.2f}"
            + (f"; remove its entry from {LOCK.name} to choose nodes anew" if reused else "")
        )
    return reduced


def loss(full: Accuracy, other: Accuracy) -> float:
    """Return the points of Hmean (hundredths) that another measurement has less."""
    return 100 * (full.hmean - other.hmean)


def _page_time(full: Bundle, other: Bundle, labelled: Path) -> float:
    """Time reading the labelled pictures with all threads; return the share of float32's."""
    pictures = accuracies.read_labels(labelled)
    ocrs = [OCR(bundle, provider="cpu") for bundle in (full, other)]
    least = [math.inf, math.inf]
    for _ in range(PAGE_ROUNDS):
        for i, ocr in enumerate(ocrs):
            start = perf_counter()
            for path, lines in pictures.items():
                accuracies.found(ocr, full, path, lines)
            least[i] = min(least[i], perf_counter() - start)
    return least[1] / least[0]


def _in_int8(
    draft: Bundle,
    redraft: Redraft,
    calibrate: Path | None,
    labelled: Path,
    full: Accuracy,
    max_loss: float,
) -> tuple[dict[str, Reduced], list[Row]]:
    given = calibration.inputs(draft, calibrate)
    lock = PrecisionLock(LOCK)
    reduced: dict[str, Reduced] = {}
    rows = []
    for name in sorted(given.batches, key=ORDER.index):
        stage = getattr(draft.manifest.stages, name)
        graph = draft.read(stage.graph)
        search = Search(name, graph, given.batches[name])

        def made(nodes: Collection[str], search: Search = search) -> Reduced:
            left_out = [node for node in search.kinds if node not in nodes]
            found = Quantization(given.digest, given.pictures, len(nodes), left_out)
            return Reduced(search.graph(nodes), found)

        def accuracy(graphs: dict[str, Reduced]) -> Accuracy:
            return accuracies.measure(redraft(graphs), labelled)

        left_out = lock.get(graph, given.digest)
        if left_out is not None:
            logger.info("%s: using the nodes that %s records", name, LOCK.name)
            nodes = [node for node in search.kinds if node not in left_out]
        else:
            logger.info("%s: looking for the nodes that int8 makes slower or wrong", name)
            nodes = search.fastest()
            while nodes and search.time(nodes) <= WORTH:
                lost = loss(full, accuracy({**reduced, name: made(nodes)}))
                logger.info("%s: %d nodes lose %.2f points of Hmean", name, len(nodes), lost)
                if lost <= max_loss:
                    break
                nodes = search.fewer(nodes)
            else:
                nodes = []
            left_out = [node for node in search.kinds if node not in nodes]
            left_out = lock.remember(graph, given.digest, stage.model, left_out)
            # Another process may have recorded its choice first.
            nodes = [node for node in search.kinds if node not in left_out]
        if nodes:
            reduced[name] = made(nodes)
            note = f"{len(nodes)} nodes, {len(search.kinds) - len(nodes)} left out"
            size, time = len(reduced[name].graph), search.time(nodes)
            rows.append(Row(name, size, len(graph), time, accuracy({name: reduced[name]}), note))
        else:
            note = "stays in fp32: no faster, or too much lost"
            rows.append(Row(name, len(graph), len(graph), 1.0, full, note))
    return reduced, rows


def _in_fp16(
    draft: Bundle, redraft: Redraft, labelled: Path
) -> tuple[dict[str, Reduced], list[Row]]:
    reduced, rows = {}, []
    for name, stage in vars(draft.manifest.stages).items():
        if stage is not None:
            graph = draft.read(stage.graph)
            made = reduced[name] = Reduced(to_float16(graph))
            measured = accuracies.measure(redraft({name: made}), labelled)
            rows.append(Row(name, len(made.graph), len(graph), None, measured))
    return reduced, rows


def _table(wanted: str, full: Accuracy, rows: list[Row]) -> list[str]:
    """Return the table that compares a precision with float32, line by line."""
    lines = [
        f"{wanted} beside fp32, {full.pictures} pictures of {full.data} with {full.lines} lines:",
        f"{'':12} {'MB':>7} {'of fp32':>8} {'time':>6} {'det. Hmean':>11} {'Hmean':>7} {'CER':>7}",
        f"{'fp32':12} {rows[-1].full_size / 1e6:7.2f} {1:8.2f} {1:6.2f} "
        f"{full.detection_hmean:11.4f} {full.hmean:7.4f} {full.cer:7.4f}",
    ]
    for row in rows:
        time = "" if row.time is None else f"{row.time:.2f}"
        figures = row.accuracy
        lines.append(
            f"{row.stage:12} {row.size / 1e6:7.2f} {row.size / row.full_size:8.2f} {time:>6} "
            f"{figures.detection_hmean:11.4f} {figures.hmean:7.4f} {figures.cer:7.4f}"
            f"{'  ' + row.note if row.note else ''}"
        )
    return lines
