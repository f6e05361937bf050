"""Page orientation: tell which way up a page is, from a view of the whole page."""

from __future__ import annotations

import cv2
import numpy as np

from ..bundle.manifest import PageOrientation
from ..images import Image
from ..runtime.outputs import Output
from ..runtime.placement import Placement
from ..runtime.stopwatch import Stopwatch
from ..runtime.threads import ThreadPool
from .network import PageNetwork


class PageOrienter(PageNetwork):
    """The page orientation stage of a bundle. Threads may share it."""

    def __init__(
        self, stage: PageOrientation, graph: bytes, *, placement: Placement, pool: ThreadPool
    ) -> None:
        """Open the stage.

        Args:
            stage: The stage as the manifest describes it.
            graph: Content of its ONNX file.
            placement: The execution provider that is wanted.
            pool: The CPU threads.

        Raises:
            GraphError: The graph can't be loaded or is not a page orientation graph.
            ProviderUnavailableError: The provider does not start.
        """
        output = Output("probability", (1, len(stage.degrees)))
        super().__init__(
            "page_orientation", stage, graph, output, {}, placement=placement, pool=pool
        )
        self._stage = stage

    def rotation(self, image: Image, watch: Stopwatch) -> int | None:
        """Return by how many degrees a page has to be turned clockwise to stand upright.

        Args:
            image: uint8 [H, W, 3] BGR.
            watch: Records the time.

        Returns:
            0, 90, 180 or 270; None where the network is not sure enough.

        Raises:
            GraphError: The network failed, or returned something else than probabilities of the
                manifest's classes.
        """
        with watch("page_orientation"):
            # Values that are not finite count as 0, so that they turn no page.
            found = np.nan_to_num(self._run(self._view(image)), posinf=0.0, neginf=0.0)
            best = int(found.argmax())
            if found[best] < self._stage.threshold:
                return None
            return -self._stage.degrees[best] % 360

    def _view(self, image: Image) -> Image:
        """Return what the network sees of an image."""
        stage, short = self._stage, self._stage.short_side
        size = (stage.width, stage.height)
        if short is None:
            return cv2.resize(image, size).astype(np.uint8, copy=False)
        height, width = image.shape[:2]
        scale = short / min(height, width)
        # Cut the middle out before scaling it: with its shorter side scaled, a very long page would
        # still be large.
        high, wide = (max(1, round(side / scale)) for side in (stage.height, stage.width))
        top, left = max(0, height - high) // 2, max(0, width - wide) // 2
        middle = image[top : top + high, left : left + wide]
        return cv2.resize(middle, size).astype(np.uint8, copy=False)
