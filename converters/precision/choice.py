"""Bundles in less than float32: which nodes of which stage, by measurement.

int8: the kinds of nodes that make a stage slower, or its outputs wrong, are left out, then single
nodes, the most harmful first, until labelled pictures are read as well as is wanted. A stage that
isn't faster then stays as it is.
fp16: all of it, for GPUs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeocr import OCR, Bundle
from edgeocr.bundle.provenance import Accuracy, Precision, Quantization

from ..accuracy import measure as accuracies
from ..bundle.assembly import Assembly
from ..catalog.entries import CATALOG
from ..errors import PrecisionError
from ..graph.runner import onnx_runner
from . import calibration, quantize
from .lock import PrecisionLock

Say = Callable[[str], None]

# Points of Hmean, hundredths, that may be lost where nobody says otherwise.
MAX_LOSS = 0.5
# The stages in the order in which they may spend the loss: most time is in recognition.
ORDER = ("recognition", "spotting", "detection", "orientation")
# A kind of node is left out where the stage is no slower without it, or little slower and its
# outputs much nearer to float32's.
NO_SLOWER, LITTLE_SLOWER, MUCH_NEARER = 1.02, 1.07, 0.7
# A stage that saves less is not worth any loss.
WORTH = 0.95
# Inputs that a variant is timed on, and compared with float32 on; and rounds of timing.
TIMED = {"detection": 3, "spotting": 3, "orientation": 16, "recognition": 24}
COMPARED = {"detection": 6, "spotting": 6, "orientation": 40, "recognition": 60}
ROUNDS, PAGE_ROUNDS = 7, 4
# Labelled pictures where the caller gives none.
LABELLED = calibration.ROOT / "tests" / "images"
LOCK = CATALOG.with_name("precision.lock")


@dataclass(frozen=True)
class Reduced:
    """A stage's graph in less than float32, and how it became so."""

    graph: bytes
    quantization: Quantization | None = None


@dataclass
class Row:
    """A line of the table: a stage, or all of them. time: of float32's; None where not measured."""

    stage: str
    size: int
    full_size: int
    time: float | None
    accuracy: Accuracy
    note: str = ""


def reduce(
    assembly: Assembly,
    wanted: Precision,
    *,
    calibrate: Path | None = None,
    accuracy: Path | None = None,
    max_loss: float = MAX_LOSS,
    say: Say,
) -> dict[str, Reduced]:
    """The stages of a float32 bundle that are better off in another precision, and their graphs.

    assembly: the bundle, with all of its stages.
    calibrate: folder with pictures like those that the bundle will read; None for the package's.
    accuracy: folder with pictures and Label.txt; None for the package's.
    max_loss: points of Hmean, hundredths, that may be lost.

    Raises `PrecisionError`, which names the stage, when more is lost, and when no stage gains.
    """
    labelled, draft = accuracy or LABELLED, assembly.draft()
    full = accuracies.measure(draft, labelled)
    reused = wanted == "int8" and LOCK.is_file()
    reduced, rows = (
        _in_int8(assembly, calibrate, labelled, full, max_loss, say)
        if wanted == "int8"
        else _in_fp16(assembly, labelled)
    )
    if not reduced:
        notes = "; ".join(f"{row.stage}: {row.note}" for row in rows)
        raise PrecisionError(f"no stage gains by {wanted}: {notes}")
    whole = _with_graphs(assembly, reduced, wanted)
    graphs = [stage.graph for stage in vars(draft.manifest.stages).values() if stage is not None]
    all_of_it = Row(
        "all",
        sum(len(whole.read(graph)) for graph in graphs),
        sum(len(draft.read(graph)) for graph in graphs),
        _page_time(draft, whole, labelled) if wanted == "int8" else None,
        accuracies.measure(whole, labelled),
    )
    for line in _table(wanted, full, [*rows, all_of_it]):
        say(line)
    if (lost := loss(full, all_of_it.accuracy)) > max_loss:
        worst = max(rows, key=lambda row: loss(full, row.accuracy))
        raise PrecisionError(
            f"{wanted} loses {lost:.2f} points of Hmean on {labelled}, {max_loss:g} are allowed "
            f"(--max-loss); stage {worst.stage} alone loses {loss(full, worst.accuracy):.2f}"
            + (f"; without its entry in {LOCK.name} nodes are chosen anew" if reused else "")
        )
    return reduced


def loss(full: Accuracy, other: Accuracy) -> float:
    """Points of Hmean, hundredths, that another reading has less; detection's where that is all."""
    return 100 * (full.hmean - other.hmean)


def _with_graphs(full: Assembly, graphs: dict[str, Reduced], precision: Precision) -> Bundle:
    """The bundle with other graphs for some stages."""
    for stage, less in graphs.items():
        full = full.with_graph(stage, less.graph, precision, less.quantization)
    return full.draft()


def _page_time(full: Bundle, other: Bundle, labelled: Path) -> float:
    """Time of reading the labelled pictures with all threads, as a share of float32's."""
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
    assembly: Assembly,
    calibrate: Path | None,
    labelled: Path,
    full: Accuracy,
    max_loss: float,
    say: Say,
) -> tuple[dict[str, Reduced], list[Row]]:
    draft = assembly.draft()
    given = calibration.inputs(draft, calibrate)
    lock = PrecisionLock(LOCK)
    reduced: dict[str, Reduced] = {}
    rows = []
    for name in sorted(given.batches, key=ORDER.index):
        stage = getattr(draft.manifest.stages, name)
        graph = draft.read(stage.graph)
        search = _Search(name, graph, given.batches[name])

        def made(nodes: Collection[str], search: _Search = search) -> Reduced:
            left_out = [node for node in search.kinds if node not in nodes]
            found = Quantization(given.digest, given.pictures, len(nodes), left_out)
            return Reduced(search.graph(nodes), found)

        def accuracy(graphs: dict[str, Reduced]) -> Accuracy:
            return accuracies.measure(_with_graphs(assembly, graphs, "int8"), labelled)

        left_out = lock.get(graph, given.digest)
        if left_out is not None:
            say(f"{name}: the nodes that were chosen before, see {LOCK.name}")
            nodes = [node for node in search.kinds if node not in left_out]
        else:
            say(f"{name}: looking for the nodes that int8 makes slower or wrong")
            nodes = search.fastest()
            while nodes and search.time(nodes) <= WORTH:
                lost = loss(full, accuracy({**reduced, name: made(nodes)}))
                say(f"{name}: {len(nodes)} nodes lose {lost:.2f} points of Hmean")
                if lost <= max_loss:
                    break
                nodes = search.fewer(nodes)
            else:
                nodes = []
            lock.remember(
                graph, given.digest, stage.model, [n for n in search.kinds if n not in nodes]
            )
        if nodes:
            reduced[name] = made(nodes)
            note = f"{len(nodes)} nodes, {len(search.kinds) - len(nodes)} left out"
            size, time = len(reduced[name].graph), search.time(nodes)
            rows.append(Row(name, size, len(graph), time, accuracy({name: reduced[name]}), note))
        else:
            note = "stays fp32: no faster, or too much lost"
            rows.append(Row(name, len(graph), len(graph), 1.0, full, note))
    return reduced, rows


@dataclass
class _Search:
    """One stage's nodes, and what int8 does to it."""

    stage: str
    full: bytes
    batches: list[NDArray[np.uint8]]
    _made: dict[frozenset[str], bytes] = field(default_factory=dict)
    _harm: dict[str, float] = field(default_factory=dict)

    @cached_property
    def prepared(self) -> bytes:
        return quantize.prepared(self.full)

    @cached_property
    def kinds(self) -> dict[str, str]:
        return quantize.candidates(self.prepared)

    @cached_property
    def found(self) -> quantize.Statistics:
        return quantize.statistics(self.prepared, self.batches)

    @cached_property
    def expected(self) -> list[list[NDArray[Any]]]:
        return self._outputs(self.full)

    def graph(self, nodes: Collection[str]) -> bytes:
        """The stage's graph with these nodes in int8."""
        key = frozenset(nodes)
        if key not in self._made:
            self._made[key] = quantize.quantize(self.prepared, self.found, key)
        return self._made[key]

    def fastest(self) -> list[str]:
        """All nodes but the kinds that do harm."""
        chosen = list(self.kinds)
        time, error = self.time(chosen), self.error(chosen)
        for kind in dict.fromkeys(self.kinds.values()):
            fewer = [node for node in chosen if self.kinds[node] != kind]
            without = self.time(fewer), self.error(fewer)
            slower, nearer = without[0] / time, without[1] / max(error, 1e-9)
            if fewer and (
                slower <= NO_SLOWER or (slower <= LITTLE_SLOWER and nearer <= MUCH_NEARER)
            ):
                chosen, (time, error) = fewer, without
        return chosen

    def fewer(self, nodes: list[str]) -> list[str]:
        """These nodes without the tenth of them that does most harm for what it saves."""
        for node in nodes:
            if node not in self._harm:
                self._harm[node] = self.error([node]) / max(self.found.work[node], 1)
        worst = sorted(nodes, key=self._harm.__getitem__, reverse=True)
        left_out = set(worst[: max(1, len(nodes) // 10)])
        return [node for node in nodes if node not in left_out]

    def time(self, nodes: Collection[str]) -> float:
        """Time on one thread with these nodes in int8, as a share of float32's."""
        batches = calibration.thinned(self.batches, TIMED[self.stage])
        graphs = (self.full, self.graph(nodes))
        runs = [onnx_runner(graph, None, self.stage, threads=1) for graph in graphs]
        least = [math.inf, math.inf]  # what else the machine does only adds
        for _ in range(ROUNDS):
            for i, run in enumerate(runs):
                start = perf_counter()
                for batch in batches:
                    run([batch])
                least[i] = min(least[i], perf_counter() - start)
        return least[1] / least[0]

    def error(self, nodes: Collection[str]) -> float:
        """How far the outputs are from float32's: of numbers the mean difference as a share of the
        mean, of choices how many are others; the mean over outputs.
        """
        differences = [
            np.mean(one != other)
            if one.dtype.kind == "i"
            else np.abs(one - other).mean() / max(float(np.abs(other).mean()), 1e-9)
            for given, wanted in zip(self._outputs(self.graph(nodes)), self.expected, strict=True)
            for one, other in zip(given, wanted, strict=True)
        ]
        return float(np.mean(differences))

    def _outputs(self, graph: bytes) -> list[list[NDArray[Any]]]:
        run = onnx_runner(graph, None, self.stage)
        return [run([batch]) for batch in calibration.thinned(self.batches, COMPARED[self.stage])]


def _in_fp16(assembly: Assembly, labelled: Path) -> tuple[dict[str, Reduced], list[Row]]:
    from .half import to_float16

    draft = assembly.draft()
    reduced, rows = {}, []
    for name, stage in vars(draft.manifest.stages).items():
        if stage is not None:
            graph = draft.read(stage.graph)
            made = reduced[name] = Reduced(to_float16(graph))
            measured = accuracies.measure(_with_graphs(assembly, {name: made}, "fp16"), labelled)
            rows.append(Row(name, len(made.graph), len(graph), None, measured))
    return reduced, rows


def _table(wanted: str, full: Accuracy, rows: list[Row]) -> list[str]:
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
