"""Recognition: read upright crops that hold one line each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .bundle.manifest import Recognition
from .crops import Crop
from .lines import Reading
from .postprocess import attention, bidi, ctc
from .runtime.job import Job, Shape
from .runtime.placement import Placement
from .runtime.run_sizes import RunSizes
from .runtime.session import Session
from .runtime.stopwatch import Stopwatch
from .runtime.threads import ThreadPool

# Width of a line of ordinary length, in strides of the network. A stage that takes any shape is
# warmed up with it.
USUAL_STRIDES = 40
# The smallest share of its widest input at which recognition is of use: it still reads ordinary
# lines.
LEAST_SHARE = 1 / 4


class Recognizer:
    """The recognition stage of a bundle. Threads may share it.

    Attributes:
        session: The ONNX Runtime session.
        run_sizes: How large the stage's runs are.
        max_width: Width in pixels, at the network's height, above which a line is squeezed.
        minimum_score: Lines with a lower score are left out of a page.
    """

    def __init__(
        self,
        stage: Recognition,
        graph: bytes,
        characters: Sequence[str],
        *,
        placement: Placement,
        pool: ThreadPool,
    ) -> None:
        """Open the stage.

        Args:
            stage: The stage as the manifest describes it.
            graph: Content of its ONNX file.
            characters: The character of each class; empty for a class that is no character.
            placement: The execution provider that is wanted.
            pool: The threads that do runs side by side.

        Raises:
            GraphError: The graph can't be loaded or is not a recognition graph.
            ProviderUnavailableError: The provider does not start.
        """
        self._stage = stage
        self._characters = np.array(characters, object)
        self.minimum_score = stage.minimum_score
        self.run_sizes = run_sizes(stage)
        strides = -(-max(stage.min_width, USUAL_STRIDES * stage.multiple) // stage.multiple)
        self._usual = (1, stage.height, stage.width or strides * stage.multiple, 3)
        self.session = Session(
            graph,
            Job(
                "recognition",
                "crops",
                self._usual,
                _shapes(stage),
                stage.providers,
                stage.precision,
            ),
            ["indices", "scores"],
            placement=placement,
            threads=pool.threads,
            pool=pool,
        )

    @property
    def max_width(self) -> int:
        """Width in pixels, at the network's height, above which a line is squeezed."""
        return self._stage.max_width

    def limit_pixels(self, pixels: int) -> str | None:
        """Read lines in inputs of no more than this many pixels, squeezing wider lines.

        Returns:
            What has changed, as a sentence, or None if no more lines are squeezed than before.
        """
        stage, before = self._stage, self._stage.max_width
        widest = pixels // stage.height // stage.multiple * stage.multiple - stage.margin
        if stage.width is None and widest < stage.max_width:
            widths = [w for w in stage.widths if w <= widest + stage.margin] or stage.widths[:1]
            if self.session.fixed_shapes:
                widest = min(widest, widths[-1] - stage.margin)
            stage = replace(stage, max_width=widest, widths=widths)
        largest = stage.widths[-1] if stage.widths else 1
        batches = [n for n in stage.batches if n * stage.height * largest <= pixels]
        self._stage = stage = replace(stage, batches=batches or stage.batches[:1])
        self.session.restrict_shapes(_shapes(stage), self._usual)
        if stage.max_width == before:
            return None
        return f"lines are read at a width of {stage.max_width} at most"

    def recognize(self, crops: Sequence[Crop], watch: Stopwatch | None = None) -> list[Reading]:
        """Read crops of any size.

        Args:
            crops: Upright crops that hold one line each.
            watch: Records the time of each step.

        Returns:
            The text and score of each crop, in the same order.

        Raises:
            GraphError: The network failed.
        """
        watch = watch or Stopwatch()
        if not crops:
            watch.share(0, dict.fromkeys(("recognition", "decoding"), 0.0))
            return []
        stage = self._stage
        text_widths, widths = _widths(crops, stage)
        batches = [1]
        if self.session.fixed_shapes:
            widths = np.array(stage.widths)[np.searchsorted(stage.widths, widths)]
            batches = stage.batches
        groups = _group(widths, batches[-1])

        def batch_size(group: list[int]) -> int:
            return next(number for number in batches if number >= len(group))

        def batch_of(group: list[int]) -> NDArray[np.uint8]:
            shape = (batch_size(group), stage.height, widths[group[0]], 3)
            batch = np.full(shape, stage.padding, np.uint8)
            for row, i in zip(batch, group, strict=False):
                width = int(text_widths[i])
                row[:, :width] = cv2.resize(crops[i].pixels, (width, stage.height))
            return batch

        def needs(group: list[int]) -> tuple[int, int]:
            """Return the pixels of a batch, and the bytes for making one crop at a time."""
            making = max(crops[i].peak_bytes for i in group)
            return batch_size(group) * stage.height * int(widths[group[0]]), making

        outputs = self.session.run_each(groups, batch_of, watch, ("crops", "recognition"), needs)
        with watch("decoding"):
            return self._readings(groups, outputs, len(crops))

    def _readings(
        self, groups: list[list[int]], outputs: list[list[NDArray[Any]]], number: int
    ) -> list[Reading]:
        # All crops are decoded together, so shorter sequences are padded with a class that stands
        # for no character.
        longest = max(indices.shape[1] for indices, _ in outputs)
        all_indices = np.full((number, longest), self._stage.charset.special[-1], np.int32)
        all_scores = np.zeros((number, longest), np.float32)
        for group, (indices, scores) in zip(groups, outputs, strict=True):
            # Rows of a batch beyond its group are padding.
            all_indices[group, : indices.shape[1]] = indices[: len(group)]
            all_scores[group, : scores.shape[1]] = scores[: len(group)]
        texts, means = self._decode(all_indices, all_scores)
        if self._stage.visual_order:
            texts = [bidi.logical_order(text) for text in texts]
        return [Reading(text, score) for text, score in zip(texts, means.tolist(), strict=True)]

    def _decode(
        self, indices: NDArray[np.int32], scores: NDArray[np.float32]
    ) -> tuple[list[str], NDArray[np.float32]]:
        charset = self._stage.charset
        if charset.blank is not None:
            return ctc.decode(indices, scores, self._characters, charset.blank)
        assert charset.begin is not None and charset.end is not None  # checked with the manifest
        return attention.decode(
            indices, scores, self._characters, begin=charset.begin, end=charset.end
        )


def _shapes(stage: Recognition) -> list[Shape]:
    """Return the fixed input shapes [N, H, W, 3] of a stage; an empty list where it has none."""
    return [(n, stage.height, width, 3) for width in stage.widths for n in stage.batches]


def run_sizes(stage: Recognition) -> RunSizes:
    """Return the sizes of the stage's runs, each of which holds one line on the CPU."""
    widest = stage.max_width + stage.margin + stage.multiple
    narrowest = max(widest * LEAST_SHARE, stage.min_width + stage.multiple)
    least, full = (round(stage.height * (stage.width or width)) for width in (narrowest, widest))
    return RunSizes("crops", least, full, stage.activation_bytes)


def _widths(
    crops: Sequence[Crop], stage: Recognition
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the width to which each crop is resized, and the width of the input that holds it."""
    sizes = np.array([(crop.height, crop.width) for crop in crops])
    natural = np.ceil(stage.height * sizes[:, 1] / sizes[:, 0]).astype(np.int64)
    if stage.stretch_widths is not None:
        steps = np.array(stage.stretch_widths)
        natural = steps[np.minimum(np.searchsorted(steps, natural), len(steps) - 1)]
    drawn = np.clip(natural, 1, stage.width or stage.max_width)
    if stage.width is not None:
        return drawn, np.full_like(drawn, stage.width)
    needed = np.maximum(drawn + stage.margin, stage.min_width)
    return drawn, -(-needed // stage.multiple) * stage.multiple


def _group(widths: NDArray[np.int64], largest: int) -> list[list[int]]:
    """Group the indices of crops of equal width, at most `largest` in a group, the widest first."""
    groups: list[list[int]] = []
    for i in np.argsort(-widths, kind="stable").tolist():
        if groups and len(groups[-1]) < largest and widths[groups[-1][0]] == widths[i]:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups
