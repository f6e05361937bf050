"""Judge what lower precisions lose on labelled pictures that their graphs were not made with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from edgeocr import Bundle
from edgeocr.accuracy import label_file
from edgeocr.accuracy.score import Score
from edgeocr.bundle.provenance import Accuracy, Interval, Loss, Quantization

from ..accuracy import measure as accuracies
from ..accuracy.paired import losses
from ..errors import PrecisionError

# The parts that labelled pictures are divided into for cross-validation; at most one a picture.
FOLDS = 5


@dataclass(frozen=True)
class Reduced:
    """A stage's graph in less than float32.

    Attributes:
        graph: The graph.
        quantization: How it became int8, None for a graph in float16.
        loss: What the stage loses, None if it was not judged.
    """

    graph: bytes
    quantization: Quantization | None = None
    loss: Loss | None = None


# The graphs of some stages, by stage, and what makes the bundle with them.
Graphs: TypeAlias = Mapping[str, Reduced]
Redraft: TypeAlias = Callable[[Graphs], Bundle]


class Judge:
    """Labelled pictures, and what bundles read of them; each bundle reads each picture once.

    Attributes:
        folder: The folder with Label.txt and the pictures.
        paths: The pictures.
        sha256: The hash over the pictures and their labels.
    """

    def __init__(self, draft: Bundle, redraft: Redraft, folder: Path) -> None:
        """Read the labels.

        Args:
            draft: The bundle in float32.
            redraft: Makes the bundle with other graphs for some of its stages.
            folder: The folder with Label.txt and the pictures.

        Raises:
            DatasetError: There is no Label.txt, or no line of it counts, or a picture is missing.
        """
        self.folder = folder
        self._draft, self._redraft = draft, redraft
        self._pictures = label_file.read(folder / label_file.LABELS)
        # A bundle that only detects is judged by what it finds.
        reads = draft.manifest.stages.reading is not None
        self._hmean = "hmean" if reads else "detection_hmean"
        self.paths = list(self._pictures)
        self.sha256 = accuracies.digest([folder / label_file.LABELS, *self.paths])
        self._scores: dict[str, dict[Path, Score]] = {}

    def scores(self, graphs: Graphs, paths: Sequence[Path]) -> list[Score]:
        """Return the score of each of these pictures, read with these graphs."""
        seen = self._scores.setdefault(_key(graphs), {})
        if missing := {path: self._pictures[path] for path in paths if path not in seen}:
            bundle = self._redraft(graphs) if graphs else self._draft
            seen.update(accuracies.scores(bundle, missing))
        return [seen[path] for path in paths]

    def accuracy(self, graphs: Graphs) -> Accuracy:
        """Return the accuracy over all pictures with these graphs."""
        scores = dict(zip(self.paths, self.scores(graphs, self.paths), strict=True))
        return accuracies.accuracy_of(self._draft, self.folder, scores)

    def hmean_lost(self, graphs: Graphs, paths: Sequence[Path]) -> float:
        """Return the points of Hmean that are lost on these pictures with these graphs."""
        figures = [
            Score.total(scores).figures()[self._hmean]
            for scores in (self.scores({}, paths), self.scores(graphs, paths))
        ]
        return 100 * (figures[0] - figures[1])

    def loss(self, graphs: Graphs) -> Loss:
        """Return the loss of graphs that were made without the labelled pictures."""
        return self._loss(self.scores(graphs, self.paths), self.paths, folds=0)

    def crossed(self, parts: Sequence[tuple[Sequence[Path], Graphs]]) -> Loss:
        """Return the loss over the parts of a cross-validation.

        Args:
            parts: The pictures of each part, and the graphs that were made without them.
        """
        scores = [score for paths, graphs in parts for score in self.scores(graphs, paths)]
        return self._loss(scores, [path for paths, _ in parts for path in paths], len(parts))

    def _loss(self, scores: Sequence[Score], paths: Sequence[Path], folds: int) -> Loss:
        lost = self._lost(scores, paths)
        return Loss(
            data=self.folder.resolve().name,
            sha256=self.sha256,
            pictures=len(paths),
            lines=Score.total(scores).labelled,
            folds=folds,
            hmean=lost["hmean"],
            cer=lost["cer"],
            word_f1=lost["word_f1"],
        )

    def _lost(self, scores: Sequence[Score], paths: Sequence[Path]) -> dict[str, Interval]:
        lost = losses(self.scores({}, paths), scores)
        return lost | {"hmean": lost[self._hmean]}


def folds(paths: Sequence[Path]) -> list[list[Path]]:
    """Divide pictures into parts of about the same size, the same each time.

    The pictures are dealt out in the order of their contents' hashes, which is as good as a random
    order and doesn't depend on names.

    Raises:
        PrecisionError: There are fewer than two pictures.
    """
    if len(paths) < 2:
        raise PrecisionError(
            f"{paths[0]}: int8 is judged on pictures that it was not chosen with, which needs at "
            "least two labelled pictures; label more (--accuracy)"
        )
    ordered = sorted(paths, key=accuracies.sha256)
    number = min(FOLDS, len(ordered))
    return [ordered[i::number] for i in range(number)]


def _key(graphs: Graphs) -> str:
    digests = [f"{name} {hashlib.sha256(graphs[name].graph).hexdigest()}" for name in graphs]
    return "; ".join(sorted(digests))
