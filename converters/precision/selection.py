"""Select the nodes of each stage that compute in int8, and judge the selection.

Kinds of nodes that make a stage slower or its outputs wrong are left out first, then single nodes,
the most harmful first, until labelled pictures are read as well as is wanted. A stage that is no
faster then stays in float32.

The pictures with which nodes were selected say too little about what is lost. The selection is
therefore repeated without a part of the pictures, and judged on this part; so every labelled
picture is judged once by a graph that knew nothing of it (cross-validation).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeocr import Bundle
from edgeocr.bundle.provenance import Loss, Quantization

from ..accuracy.measure import sha256
from . import calibration
from .judging import Graphs, Judge, Reduced, folds
from .search import Search

logger = logging.getLogger(__name__)

# A graph in int8 is worth its loss only if it takes at most this share of float32's time.
WORTH = 0.95
# The stages in the order in which they may use up the loss: recognition takes most time.
ORDER = (*("recognition", "spotting", "detection", "unwarping", "orientation", "page_orientation"),)


@dataclass(frozen=True)
class Result:
    """A selection and what it loses.

    Attributes:
        graphs: The stages that gain.
        losses: What each of them alone loses, and under "all" what they lose together.
    """

    graphs: dict[str, Reduced]
    losses: dict[str, Loss]


class Selector:
    """Selects the nodes of a bundle's stages.

    Attributes:
        calibrated: What the stages were given while the pictures were read.
    """

    def __init__(
        self, draft: Bundle, judge: Judge, calibrate: Path | None, max_loss: float
    ) -> None:
        """Read the pictures by which the graph is calibrated.

        Args:
            draft: The bundle in float32.
            judge: The labelled pictures.
            calibrate: The folder with pictures to calibrate with; None for the repository's.
            max_loss: The points of Hmean (hundredths) that may be lost.
        """
        self._draft, self._judge = draft, judge
        self._calibrate, self._max_loss = calibrate, max_loss
        self.calibrated = calibration.inputs(draft, calibrate)
        self._searches = self._searched(self.calibrated)

    def search(self, stage: str) -> Search:
        """Return the search among the nodes of a stage."""
        return self._searches[stage]

    def reduced(self, stage: str, nodes: Collection[str]) -> Reduced:
        """Return a stage with these nodes in int8."""
        return _reduced(self._searches[stage], self.calibrated, nodes)

    def select(self) -> Result:
        """Select the nodes with all pictures, and judge this by cross-validation."""
        for name, search in self._searches.items():
            logger.info("%s: looking for the nodes that int8 makes slower or wrong", name)
            logger.info("%s: %d of %d nodes save time", name, len(search.fast), len(search.kinds))
        graphs = self._selected(self.calibrated, self._searches, self._judge.paths)
        if not graphs:
            return Result({}, {})
        parts = [(part, self._without(part)) for part in folds(self._judge.paths)]
        losses = {
            name: self._judge.crossed(
                [(part, {name: made[name]} if name in made else {}) for part, made in parts]
            )
            for name in graphs
        }
        for name, loss in losses.items():
            logger.info("%s: loses %s points of Hmean on unseen pictures", name, loss.hmean)
        kept = {name for name, loss in losses.items() if loss.hmean.points <= self._max_loss}
        losses = {name: loss for name, loss in losses.items() if name in kept}
        if kept:
            losses["all"] = self._judge.crossed(
                [
                    (part, {name: made[name] for name in made if name in kept})
                    for part, made in parts
                ]
            )
        return Result({name: made for name, made in graphs.items() if name in kept}, losses)

    def _without(self, part: Sequence[Path]) -> Graphs:
        """Select the nodes without a part of the labelled pictures."""
        rest = [path for path in self._judge.paths if path not in part]
        held_out = {sha256(path) for path in part}
        if held_out.isdisjoint(map(sha256, calibration.pictures(self._calibrate))):
            return self._selected(self.calibrated, self._searches, rest)
        given = calibration.inputs(self._draft, self._calibrate, without=part)
        searches = self._searched(given)
        for name, search in searches.items():
            search.start_from(self._searches[name])
        return self._selected(given, searches, rest)

    def _searched(self, given: calibration.Inputs) -> dict[str, Search]:
        stages = self._draft.manifest.stages
        return {
            name: Search(name, self._draft.read(getattr(stages, name).graph), given.batches[name])
            for name in sorted(given.batches, key=ORDER.index)
        }

    def _selected(
        self, given: calibration.Inputs, searches: dict[str, Search], paths: Sequence[Path]
    ) -> dict[str, Reduced]:
        """Select nodes with these pictures; return the stages that gain."""
        chosen: dict[str, Reduced] = {}
        for name, search in searches.items():
            nodes = search.fast
            while nodes and search.time(nodes) <= WORTH:
                made = _reduced(search, given, nodes)
                lost = self._judge.hmean_lost({**chosen, name: made}, paths)
                logger.info("%s: %d nodes lose %.2f points of Hmean", name, len(nodes), lost)
                if lost <= self._max_loss:
                    chosen[name] = made
                    break
                nodes = search.fewer(nodes)
        return chosen


def _reduced(search: Search, given: calibration.Inputs, nodes: Collection[str]) -> Reduced:
    left_out = [node for node in search.kinds if node not in nodes]
    found = Quantization(given.digest, given.pictures, len(nodes), left_out)
    return Reduced(search.graph(nodes), found)
