"""Networks that another program runs, such as an inference server or the driver of an NPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import GraphError, excerpt
from .providers import Provider

# Runs the network of a stage: the stage's name, its input uint8 [N, H, W, 3], and the names of the
# outputs → the outputs, in this order.
Networks: TypeAlias = "Callable[[str, NDArray[np.uint8], Sequence[str]], Sequence[NDArray[Any]]]"

# Stands where a provider of ONNX Runtime stands. Callers can't name it.
ELSEWHERE = Provider("elsewhere", "", install="", any_shape=True)


class ElsewhereRunner:
    """A runner that lets another program run a stage's network."""

    warm_runs = 1

    def __init__(self, networks: Networks, stage: str, outputs: Sequence[str]) -> None:
        """Prepare to run a network.

        Args:
            networks: Runs it.
            stage: The stage's name.
            outputs: Names of the outputs that a run returns, in this order.
        """
        self._networks, self._stage, self._outputs = networks, stage, list(outputs)

    def run(self, batch: NDArray[np.uint8]) -> list[NDArray[Any]]:
        """Run the network: uint8 [N, H, W, 3] → its outputs.

        Raises:
            GraphError: It has not the outputs that were asked for.
        """
        found = [np.asarray(output) for output in self._networks(self._stage, batch, self._outputs)]
        if len(found) != len(self._outputs):
            raise GraphError(
                f"{self._stage}: the network has {len(found)} outputs, expected are "
                f"{excerpt(', '.join(self._outputs))}"
            )
        return found
