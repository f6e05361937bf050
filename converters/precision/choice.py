"""Lower the precision of a bundle's stages where that gains, and report what it costs.

For int8, nodes are selected by measurement (`selection`). For fp16, which is for GPUs, every node
is converted. Weights in fp16 make the file smaller and are float32 again once it is loaded.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from edgeocr import OCR, Bundle
from edgeocr.accuracy import label_file
from edgeocr.bundle.provenance import Accuracy, Loss, Precision

from ..accuracy import measure as accuracies
from ..catalog.entries import CATALOG
from ..errors import PrecisionError
from . import calibration, half_weights
from .float16 import to_float16
from .judging import Judge, Redraft, Reduced
from .lock import Choice, PrecisionLock
from .selection import Selector

logger = logging.getLogger(__name__)

# The points of Hmean (hundredths) that may be lost by default.
MAX_LOSS = 0.5
# Rounds of timing whole pages; the fastest counts.
PAGE_ROUNDS = 4
# The labelled pictures that are read by default.
LABELLED = calibration.ROOT / "tests" / "images"
LOCK = CATALOG.with_name("precision.lock")
# The width of a loss with its interval in the table.
WIDE = 21


@dataclass(frozen=True)
class Row:
    """A row of the table that compares precisions.

    Attributes:
        stage: The stage, or "all".
        size: Bytes of its graphs.
        full_size: Bytes of its graphs in float32.
        time: Its share of float32's time, None where it was not measured.
        accuracy: What the bundle reads with this stage in the wanted precision.
        loss: What it loses on pictures that the graph was not made with, None if it stays as it is.
        note: A remark at the end of the row.
    """

    stage: str
    size: int
    full_size: int
    time: float | None
    accuracy: Accuracy
    loss: Loss | None = None
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
    judge = Judge(draft, redraft, accuracy or LABELLED)
    if wanted == "int8":
        reduced, rows, loss = _in_int8(draft, judge, calibrate, max_loss)
    else:
        reduced, rows, loss = _in_fp16(draft, judge)
    if not reduced or loss is None:
        notes = "; ".join(f"{row.stage}: {row.note}" for row in rows)
        raise PrecisionError(f"no stage gains by {wanted}, so freeze without it: {notes}")
    whole = redraft(reduced)
    graphs = [stage.graph for stage in draft.manifest.stages.present.values()]
    all_of_it = Row(
        "all",
        sum(len(whole.read(graph)) for graph in graphs),
        sum(len(draft.read(graph)) for graph in graphs),
        _page_time(draft, whole, judge.folder) if wanted == "int8" else None,
        judge.accuracy(reduced),
        loss,
    )
    for line in _table(wanted, judge.accuracy({}), [*rows, all_of_it]):
        logger.info("%s", line)
    if loss.hmean.points > max_loss:
        worst = max(rows, key=lambda row: row.loss.hmean.points if row.loss else -math.inf)
        locked = wanted == "int8" and LOCK.is_file()
        raise PrecisionError(
            f"{wanted} loses {loss.hmean} points of Hmean on {judge.folder}; {max_loss:g} are "
            f"allowed (--max-loss); stage {worst.stage} alone loses "
            f"{worst.loss.hmean if worst.loss else 0}"
            + (f"; or remove the entry from {LOCK.name} to choose anew" if locked else "")
        )
    if loss.hmean.high > max_loss:
        logger.info(
            "%d pictures can't rule out that more than %g points are lost: label more to be surer",
            loss.pictures,
            max_loss,
        )
    return reduced


def halve_weights(
    draft: Bundle, redraft: Redraft, *, accuracy: Path | None = None, max_loss: float = MAX_LOSS
) -> dict[str, Reduced]:
    """Return all stages with their weights stored in fp16.

    Args:
        draft: The bundle, with all of its stages.
        redraft: Makes the bundle with other graphs for some of its stages.
        accuracy: A folder with pictures and Label.txt; None for the repository's pictures.
        max_loss: The points of Hmean (hundredths) that may be lost.

    Raises:
        PrecisionError: More is lost.
    """
    judge = Judge(draft, redraft, accuracy or LABELLED)
    made = {
        name: Reduced(half_weights.stored(draft.read(stage.graph)))
        for name, stage in draft.manifest.stages.present.items()
    }
    loss = judge.loss(made)
    logger.info("weights in fp16 lose: %s", _in_words(loss))
    if loss.hmean.points > max_loss:
        raise PrecisionError(
            f"weights in fp16 lose {loss.hmean} points of Hmean on {judge.folder}; {max_loss:g} "
            "are allowed (--max-loss)"
        )
    return {name: replace(each, loss=judge.loss({name: each})) for name, each in made.items()}


def _page_time(full: Bundle, other: Bundle, labelled: Path) -> float:
    """Time reading the labelled pictures with all threads; return the share of float32's."""
    pictures = label_file.read(labelled / label_file.LABELS)
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
    draft: Bundle, judge: Judge, calibrate: Path | None, max_loss: float
) -> tuple[dict[str, Reduced], list[Row], Loss | None]:
    """Return the stages that gain, a row for each stage, and what the stages lose together."""
    selector = Selector(draft, judge, calibrate, max_loss)
    given = selector.calibrated
    lock = PrecisionLock(LOCK)
    graphs = {
        name: draft.read(getattr(draft.manifest.stages, name).graph) for name in given.batches
    }
    pictures = f"{given.digest} {judge.sha256}"
    recorded = lock.get(list(graphs.values()), pictures)
    if recorded is not None:
        logger.info("using the nodes that %s records", LOCK.name)
    else:
        result = selector.select()
        left_out = {
            name: found.left_out
            for name, made in result.graphs.items()
            if (found := made.quantization) is not None
        }
        recorded = Choice(left_out, result.losses)
        if all(loss.hmean.points <= max_loss for loss in result.losses.values()):
            # Another process may have recorded its choice first.
            recorded = lock.remember(list(graphs.values()), pictures, draft.manifest.name, recorded)
    reduced, rows = {}, []
    for name, graph in graphs.items():
        kinds = selector.search(name).kinds
        if name not in recorded.left_out:
            note = "stays in fp32: no faster, or too much lost"
            rows.append(Row(name, len(graph), len(graph), 1.0, judge.accuracy({}), note=note))
            continue
        nodes = [node for node in kinds if node not in recorded.left_out[name]]
        loss = recorded.losses[name]
        reduced[name] = replace(selector.reduced(name, nodes), loss=loss)
        alone = judge.accuracy({name: reduced[name]})
        time = selector.search(name).time(nodes)
        note = f"{len(nodes)} nodes, {len(kinds) - len(nodes)} left out"
        rows.append(Row(name, len(reduced[name].graph), len(graph), time, alone, loss, note))
    return reduced, rows, recorded.losses.get("all")


def _in_fp16(draft: Bundle, judge: Judge) -> tuple[dict[str, Reduced], list[Row], Loss]:
    reduced, rows = {}, []
    for name, stage in draft.manifest.stages.present.items():
        graph = draft.read(stage.graph)
        made = Reduced(to_float16(graph))
        loss = judge.loss({name: made})
        reduced[name] = replace(made, loss=loss)
        accuracy = judge.accuracy({name: made})
        rows.append(Row(name, len(made.graph), len(graph), None, accuracy, loss))
    return reduced, rows, judge.loss(reduced)


def _in_words(loss: Loss) -> str:
    """Say in a line what is lost, in points with 95 % confidence intervals."""
    return (
        f"Hmean {loss.hmean}, CER {loss.cer}, word F1 {loss.word_f1} points, on {loss.pictures} "
        f"pictures with {loss.lines} lines"
    )


def _table(wanted: str, full: Accuracy, rows: list[Row]) -> list[str]:
    """Return the table that compares a precision with float32, line by line."""
    lines = [
        f"{wanted} beside fp32, {full.pictures} pictures of {full.data} with {full.lines} lines; "
        "losses in points, with their 95 % confidence intervals:",
        f"{'':12} {'MB':>7} {'of fp32':>8} {'time':>6} {'Hmean':>7} {'CER':>7} "
        f"{'Hmean lost':>{WIDE}} {'CER gained':>{WIDE}} {'word F1 lost':>{WIDE}}",
        f"{'fp32':12} {rows[-1].full_size / 1e6:7.2f} {1:8.2f} {1:6.2f} "
        f"{full.hmean:7.4f} {full.cer:7.4f}",
    ]
    for row in rows:
        time = "" if row.time is None else f"{row.time:.2f}"
        lost = (row.loss.hmean, row.loss.cer, row.loss.word_f1) if row.loss else ()
        lines.append(
            f"{row.stage:12} {row.size / 1e6:7.2f} {row.size / row.full_size:8.2f} {time:>6} "
            f"{row.accuracy.hmean:7.4f} {row.accuracy.cer:7.4f}"
            + "".join(f" {each!s:>{WIDE}}" for each in lost)
            + (f"  {row.note}" if row.note else "")
        )
    if (loss := rows[-1].loss) is not None:
        lines.append(f"Losses are measured {_on_what(loss)}.")
    return lines


def _on_what(loss: Loss) -> str:
    if not loss.folds:
        return "on the pictures above, with which nothing was chosen"
    return (
        f"by cross-validation: the choice was made {loss.folds} times, each time without a part of "
        "the pictures, and judged on this part"
    )
