"""Search for the nodes of a stage that int8 makes slower or wrong."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph.runner import onnx_runner
from . import calibration, quantize

# A kind of node is left out if the stage without it is no slower (first ratio of times), or only a
# little slower (second) while its outputs are much nearer to float32's (ratio of errors).
NO_SLOWER, LITTLE_SLOWER, MUCH_NEARER = 1.02, 1.07, 0.7
# The numbers of inputs that a variant is timed on, and compared with float32 on.
TIMED = {
    "page_orientation": 16,
    "unwarping": 3,
    "detection": 3,
    "spotting": 3,
    "orientation": 16,
    "recognition": 24,
}
COMPARED = {
    "page_orientation": 40,
    "unwarping": 6,
    "detection": 6,
    "spotting": 6,
    "orientation": 40,
    "recognition": 60,
}
# Rounds of timing; the fastest counts.
ROUNDS = 7
# The least share of the stage's time that a node counts as saving, so that nodes whose gain is
# hidden by the noise of timing are compared by their harm.
LEAST_GAIN = 1e-3


@dataclass
class Search:
    """A stage's nodes, and what int8 does to the stage.

    Attributes:
        stage: The stage's name.
        full: Its graph in float32.
        batches: Inputs, uint8 [N, H, W, 3].
    """

    stage: str
    full: bytes
    batches: list[NDArray[np.uint8]]
    _made: dict[frozenset[str], bytes] = field(default_factory=dict)
    _times: dict[frozenset[str], float] = field(default_factory=dict)
    _harm: dict[str, float] = field(default_factory=dict)
    _gain: dict[str, float] = field(default_factory=dict)

    @cached_property
    def prepared(self) -> bytes:
        """The float32 graph in an opset that can express int8."""
        return quantize.prepared(self.full)

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Node → its kind, for the nodes that could compute in int8."""
        return quantize.candidates(self.prepared)

    @cached_property
    def found(self) -> quantize.Statistics:
        """The graph's values on the inputs."""
        return quantize.statistics(self.prepared, self.batches)

    @cached_property
    def expected(self) -> list[list[NDArray[Any]]]:
        """The outputs of the float32 graph, for each compared input."""
        return self._outputs(self.full)

    @cached_property
    def fast(self) -> list[str]:
        """Nodes in int8: all but those of harmful kinds and those of a size that saves no time.

        Nodes of one kind that do the same number of multiplications have one size. They are timed
        together, because the gain of a single node is smaller than the noise of timing.
        """
        chosen = list(self.kinds)
        for kind in dict.fromkeys(self.kinds.values()):
            fewer = [node for node in chosen if self.kinds[node] != kind]
            if not fewer:
                continue
            slower = self.time(fewer) / self.time(chosen)
            nearer = self.error(fewer) / max(self.error(chosen), 1e-9)
            if slower <= NO_SLOWER or (slower <= LITTLE_SLOWER and nearer <= MUCH_NEARER):
                chosen = fewer
        for size in dict.fromkeys(map(self._size, chosen)):
            same = [node for node in chosen if self._size(node) == size]
            fewer = [node for node in chosen if node not in same]
            if not fewer:
                continue
            gain = self.time(fewer) - self.time(chosen)
            if gain <= 0:
                chosen = fewer
            self._gain.update(dict.fromkeys(same, gain / len(same)))
        return chosen

    def start_from(self, other: Search) -> None:
        """Take over what another search of the same graph measured of time, not of accuracy."""
        self.fast, self._gain = other.fast, other._gain
        self._times = other._times

    def graph(self, nodes: Collection[str]) -> bytes:
        """Return the stage's graph with these nodes in int8."""
        key = frozenset(nodes)
        if key not in self._made:
            self._made[key] = quantize.quantize(self.prepared, self.found, key)
        return self._made[key]

    def fewer(self, nodes: list[str]) -> list[str]:
        """Return the nodes without the tenth that does most harm for the time that it saves."""
        for node in nodes:
            if node not in self._harm:
                self._harm[node] = self.error([node]) / max(self._gain.get(node, 0), LEAST_GAIN)
        worst = sorted(nodes, key=self._harm.__getitem__, reverse=True)
        left_out = set(worst[: max(1, len(nodes) // 10)])
        return [node for node in nodes if node not in left_out]

    def time(self, nodes: Collection[str]) -> float:
        """Return the time on one thread with these nodes in int8, as a share of float32's."""
        key = frozenset(nodes)
        if key not in self._times:
            self._times[key] = self._timed(self.graph(key))
        return self._times[key]

    def _timed(self, graph: bytes) -> float:
        batches = calibration.thinned(self.batches, TIMED[self.stage])
        runs = [onnx_runner(each, None, self.stage, threads=1) for each in (self.full, graph)]
        least = [math.inf, math.inf]  # other load on the machine only adds time
        for _ in range(ROUNDS):
            for i, run in enumerate(runs):
                start = perf_counter()
                for batch in batches:
                    run([batch])
                least[i] = min(least[i], perf_counter() - start)
        return least[1] / least[0]

    def error(self, nodes: Collection[str]) -> float:
        """Return how far the outputs are from float32's, averaged over outputs.

        The error of numbers is their mean difference as a share of their mean, the error of choices
        is the share of choices that differ.
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

    def _size(self, node: str) -> Hashable:
        return self.kinds[node], self.found.work[node]
