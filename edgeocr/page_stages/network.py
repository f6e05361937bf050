"""Run a network that sees a whole page, in one size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..bundle.manifest import PageStage
from ..images import Image
from ..runtime.job import Job
from ..runtime.outputs import Output, checked
from ..runtime.placement import Placement
from ..runtime.run_sizes import RunSizes
from ..runtime.session import Session
from ..runtime.threads import ThreadPool


class PageNetwork:
    """The base of `PageOrienter` and `Unwarper`. Threads may share it.

    Attributes:
        session: The ONNX Runtime session.
        run_sizes: How large the stage's runs are; all have the same size.
    """

    def __init__(
        self,
        name: Literal["page_orientation", "unwarping"],
        stage: PageStage,
        graph: bytes,
        output: Output,
        sides: Mapping[str, int | range],
        *,
        placement: Placement,
        pool: ThreadPool,
    ) -> None:
        """Open the stage.

        Args:
            name: The stage's name.
            stage: The stage as the manifest describes it.
            graph: Content of its ONNX file.
            output: The graph's output.
            sides: The numbers of elements that named axes of the output may have.
            placement: The execution provider that is wanted.
            pool: The CPU threads.

        Raises:
            GraphError: The graph can't be loaded or is not a graph of this stage.
            ProviderUnavailableError: The provider does not start.
        """
        self._name, self._output, self._sides = name, output, sides
        self.run_sizes = run_sizes(stage)
        shape = (1, stage.height, stage.width, 3)
        self.session = Session(
            graph,
            Job(
                name,
                "image",
                shape,
                [shape],
                stage.providers,
                stage.precision,
                fixed_height=True,
            ),
            [output.name],
            placement=placement,
            threads=pool.threads,
            pages=pool,
        )

    def limit_pixels(self, pixels: int) -> str | None:
        """Do nothing: the network takes no smaller input.

        Returns:
            None, because results stay the same.
        """
        return None

    def _run(self, pixels: Image) -> NDArray[np.float32]:
        """Run the network on its input, uint8 [height, width, 3]; return its output without N."""
        outputs: list[NDArray[Any]] = checked(
            self._name, [self._output], self.session.run(pixels[None]), self._sides
        )
        return np.asarray(outputs[0][0])


def run_sizes(stage: PageStage) -> RunSizes:
    """Return the sizes of the runs of a stage that sees whole pages in one size."""
    pixels = stage.height * stage.width
    return RunSizes("pictures", pixels, pixels, stage.activation_bytes)
