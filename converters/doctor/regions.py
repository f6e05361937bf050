"""Find regions with a detector, and compare them with Paddle Inference's and with labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeocr.accuracy.labels import LabelledLine
from edgeocr.accuracy.places import Polygon, pairs
from edgeocr.bundle.manifest import Detection
from edgeocr.detect import MAPS, Detector
from edgeocr.device.cpus import available_threads
from edgeocr.images import Image
from edgeocr.resize import resize
from edgeocr.results.lines import Region
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.stopwatch import Stopwatch
from edgeocr.runtime.threads import ThreadPool

from .. import edge_graph
from ..edge_graph import to_edge_outputs, to_plain_inputs
from ..graph.interface import Interface
from ..model.network import Network
from ..model.paddle_model import PaddleModel
from ..parity import paddle_reference
from .facts import Found
from .material import Page


@dataclass(frozen=True)
class Counts:
    """The counts over all pictures.

    Attributes:
        found: How many regions were found.
        labelled: How many regions are labelled, without those marked as illegible.
        matched: How many of the labelled regions were found.
    """

    found: int
    labelled: int
    matched: int

    @property
    def hmean(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.matched / max(self.found + self.labelled, 1)


class _OtherMaps(Detector):
    """A detector whose maps were computed elsewhere.

    It looks at each picture once, as PaddleOCR does.
    """

    def take(self, maps: Sequence[NDArray[Any]], factors: NDArray[np.float32]) -> None:
        """Set the maps of the next picture, and the factors from their pixels to the picture's."""
        self._taken = list(maps), factors

    def maps(self, image: Image, watch: Stopwatch) -> tuple[list[NDArray[Any]], Any]:
        """Return the maps that were set."""
        return self._taken

    def _strip(self, image: Image) -> None:
        return None

    def _second_looks(self, *given: Any) -> list[Any]:
        return []


def beside(
    model: PaddleModel | None,
    network: Network,
    interface: Interface,
    stage: Detection,
    edge: bytes,
    pages: Sequence[Page],
    python: Path | None,
) -> list[Found]:
    """Find the regions of pages, and compare them with Paddle's and with the labels.

    Args:
        model: The Paddle model to compare with; None to leave this out.
        network: What the network is.
        interface: The plain graph's interface.
        stage: The stage.
        edge: The edge graph.
        pages: The pages.
        python: A Python that has Paddle; None for this one.

    Raises:
        PaddleMissingError: There is no Paddle that can run the model.
        ParityError: Paddle failed.
        EdgeOCRError: The network fails.
    """
    pictures = [page.image for page in pages]
    ours = _runtime_regions(stage, edge, pictures)
    theirs: list[list[Region]] | None = None
    if model is not None:
        theirs = _paddle_regions(model, network, interface, stage, edge, pictures, python)
    results = []
    for i, page in enumerate(pages):
        result = Found(page.name, len(ours[i]))
        if theirs is not None:
            common = pairs([each.quad for each in ours[i]], [each.quad for each in theirs[i]])
            result = replace(result, paddle=len(theirs[i]), common=len(common))
        if page.labels is not None:
            labelled, matched = _labelled_and_matched(page.labels, ours[i])
            result = replace(result, labelled=labelled, matched=matched)
        results.append(result)
    return results


def _labelled_and_matched(
    labels: Sequence[LabelledLine], regions: Sequence[Region]
) -> tuple[int, int]:
    """Return how many lines are labelled as legible, and how many of these were found."""
    counted: list[Polygon] = [label.polygon for label in labels if label.care]
    return len(counted), len(pairs(counted, [each.quad for each in regions]))


def _runtime_regions(
    stage: Detection, graph: bytes, pictures: Sequence[Image]
) -> list[list[Region]]:
    """Return the regions that the runtime finds in pictures."""
    detector = Detector(
        stage, graph, placement=Placement("cpu"), pool=ThreadPool(available_threads())
    )
    return [detector.detect(picture) for picture in pictures]


def _paddle_regions(
    model: PaddleModel,
    network: Network,
    interface: Interface,
    stage: Detection,
    edge: bytes,
    pictures: Sequence[Image],
    python: Path | None,
) -> list[list[Region]]:
    """Return the regions in the maps that Paddle Inference computes."""
    feeds, shown = [], []
    for picture in pictures:
        seen = resize(picture, stage.resize)
        feeds.append(to_plain_inputs(seen.pixels[None], network.normalize, interface))
        shown.append(seen)
    reference = paddle_reference.run(model, feeds, python)
    detector = _OtherMaps(
        stage, edge, placement=Placement("cpu"), pool=ThreadPool(available_threads())
    )
    regions = []
    for outputs, picture, seen in zip(reference.outputs, pictures, shown, strict=True):
        maps = to_edge_outputs(outputs, network, interface, 1)
        named = [seen.crop_map(maps[each.name][0]) for each in MAPS[stage.algorithm]]
        detector.take(named, seen.scale)
        regions.append(detector.detect(picture))
    return regions


def counted(
    plain: bytes,
    network: Network,
    interface: Interface,
    stage: Detection,
    pages: Sequence[Page],
) -> Counts:
    """Count what is found on labelled pages with the network's normalization."""
    graph = edge_graph.make(plain, network, interface)
    regions = _runtime_regions(stage, graph, [page.image for page in pages])
    sums = [
        _labelled_and_matched(page.labels or [], each)
        for page, each in zip(pages, regions, strict=True)
    ]
    return Counts(
        sum(map(len, regions)), sum(each[0] for each in sums), sum(each[1] for each in sums)
    )
