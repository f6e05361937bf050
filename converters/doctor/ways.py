"""Read crops with a network in different ways: with other colours, sizes or characters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgeocr.bundle.manifest import Recognition
from edgeocr.crops import Crop
from edgeocr.device.cpus import available_threads
from edgeocr.postprocess import bidi
from edgeocr.recognize import Recognizer
from edgeocr.results.lines import Reading
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.threads import ThreadPool

from .. import edge_graph
from ..catalog.entries import Normalize
from ..errors import ModelFormatError
from ..graph.interface import Interface
from ..model.network import Network

# Placeholders for the characters of classes whose meaning is in question: Unicode's two planes for
# private use, whose characters are in no dictionary.
PLANES = ((0xF0000, 0xFFFE), (0x100000, 0xFFFE))


@dataclass(frozen=True)
class Way:
    """A way to use a recognition network.

    Attributes:
        normalize: How its input is computed from pixels.
        stage: The sizes of its input and its special classes.
        symbols: The character of each class, "" for special classes.
    """

    normalize: Normalize
    stage: Recognition
    symbols: tuple[str, ...]

    def spelled(self, codes: Sequence[int]) -> str:
        """Return the text of the classes that were read in a picture."""
        text = "".join(self.symbols[code] for code in codes)
        return bidi.logical_order(text) if self.stage.visual_order else text


@dataclass(frozen=True)
class Codes:
    """The classes that were read in a picture, whatever characters they stand for.

    Attributes:
        classes: The class of each character.
        score: The mean score of the characters.
    """

    classes: tuple[int, ...]
    score: float


class Reader:
    """Reads the same crops in different ways, and remembers what it has read."""

    def __init__(
        self, plain: bytes, network: Network, interface: Interface, crops: Sequence[Crop]
    ) -> None:
        """Prepare the reading.

        Args:
            plain: The plain graph.
            network: What the network is.
            interface: The plain graph's interface.
            crops: The crops.
        """
        self._plain, self._network, self._interface = plain, network, interface
        self._crops = list(crops)
        self._graphs: dict[str, bytes] = {}
        self._read: dict[str, list[Codes]] = {}
        self._pool = ThreadPool(available_threads())

    def texts(self, way: Way) -> list[Reading]:
        """Read the crops as a bundle would.

        Raises:
            ConverterError, EdgeOCRError: The network can't be used in this way.
        """
        return self._recognize(way, way.stage, way.symbols)

    def codes(self, way: Way) -> list[Codes]:
        """Read the classes of the crops' characters.

        Spaces are not restored, and the characters of right-to-left scripts stay in visual order.

        Raises:
            ConverterError, EdgeOCRError: The network can't be used in this way.
        """
        key = repr((way.normalize, way.stage))
        if key not in self._read:
            special = way.stage.charset.special
            places = code_points(way.stage.charset.classes)
            hidden = tuple("" if k in special else chr(place) for k, place in enumerate(places))
            stage = replace(way.stage, visual_order=False)
            numbers = {place: k for k, place in enumerate(places)}
            self._read[key] = [
                Codes(tuple(numbers[ord(each)] for each in reading.text), float(reading.score))
                for reading in self._recognize(way, stage, hidden)
            ]
        return self._read[key]

    def _recognize(self, way: Way, stage: Recognition, symbols: Sequence[str]) -> list[Reading]:
        graph = self._graph(way.normalize, stage.height, stage.width)
        recognizer = Recognizer(stage, graph, symbols, placement=Placement("cpu"), pool=self._pool)
        return recognizer.recognize(self._crops)

    def _graph(self, normalize: Normalize, height: int, width: int | None) -> bytes:
        key = repr((normalize, height, width))
        if key not in self._graphs:
            network = replace(self._network, normalize=normalize, height=height, width=width)
            self._graphs[key] = edge_graph.make(self._plain, network, self._interface)
        return self._graphs[key]


def code_points(number: int) -> list[int]:
    """Return a code point for each of a network's classes.

    Raises:
        ModelFormatError: There are more classes than code points.
    """
    points = np.concatenate([np.arange(start, start + size) for start, size in PLANES])
    if number > len(points):
        raise ModelFormatError(
            f"the network has {number} classes; it can be tried on pictures with {len(points)}"
        )
    found: list[int] = points[:number].tolist()
    return found


# A function that returns a changed way, or None where the change makes no difference or doesn't
# apply.
Apply = Callable[[Way], "Way | None"]
