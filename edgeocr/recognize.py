"""Recognition: upright crops → texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .bundle.manifest import Recognition
from .crops import Crop
from .page import Reading
from .postprocess import attention, ctc
from .runtime.job import Job
from .runtime.placement import Placement
from .runtime.session import Session
from .runtime.stopwatch import Stopwatch
from .runtime.threads import ThreadPool

# Width of a line of common length, in the network's strides.
USUAL = 40


class Recognizer:
    """Runs a bundle's recognition stage. Safe to share by threads."""

    def __init__(
        self,
        stage: Recognition,
        graph: bytes,
        characters: Sequence[str],
        *,
        placement: Placement,
        pool: ThreadPool,
    ) -> None:
        self._stage = stage
        self._characters = np.array(characters, object)
        width = -(-max(stage.min_width, USUAL * stage.multiple) // stage.multiple) * stage.multiple
        self._usual = usual = (1, stage.height, stage.width or width, 3)
        shapes = [(n, stage.height, width, 3) for width in stage.widths for n in stage.batches]
        self.session = Session(
            graph,
            Job("recognition", "crops", usual, shapes, stage.providers, stage.precision),
            ["indices", "scores"],
            placement=placement,
            threads=pool.threads,
            pool=pool,
        )

    def bound(self, pixels: int) -> int:
        """Read lines in inputs of at most so many pixels from now on, wider ones squeezed into
        that; returns the width of text in the widest, `max_width` where that is unchanged.
        """
        stage = self._stage
        most = pixels // stage.height // stage.multiple * stage.multiple - stage.margin
        if stage.width is None and most < stage.max_width:
            widths = [w for w in stage.widths if w <= most + stage.margin] or stage.widths[:1]
            if self.session.fixed_shapes:
                most = min(most, widths[-1] - stage.margin)
            stage = replace(stage, max_width=most, widths=widths)
        widest = stage.widths[-1] if stage.widths else 1
        batches = [n for n in stage.batches if n * stage.height * widest <= pixels]
        self._stage = stage = replace(stage, batches=batches or stage.batches[:1])
        shapes = [(n, stage.height, width, 3) for width in stage.widths for n in stage.batches]
        self.session.restrict_shapes(shapes, self._usual)
        return stage.max_width

    def recognize(self, crops: Sequence[Crop], watch: Stopwatch | None = None) -> list[Reading]:
        """Crops of any sizes → their texts, in the same order."""
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

        def fit(group: list[int]) -> NDArray[np.uint8]:
            number = next(number for number in batches if number >= len(group))
            shape = (number, stage.height, widths[group[0]], 3)
            batch = np.full(shape, stage.padding, np.uint8)
            for row, i in zip(batch, group, strict=False):
                width = int(text_widths[i])
                row[:, :width] = cv2.resize(crops[i].pixels, (width, stage.height))
            return batch

        def needs(group: list[int]) -> tuple[int, int]:
            number = next(number for number in batches if number >= len(group))
            taking = max(crops[i].taking for i in group)
            return number * stage.height * int(widths[group[0]]), taking

        outputs = self.session.run_each(groups, fit, watch, ("crops", "recognition"), needs)
        with watch("decoding"):
            return self._readings(groups, outputs, len(crops))

    def _readings(
        self, groups: list[list[int]], outputs: list[list[NDArray[Any]]], number: int
    ) -> list[Reading]:
        # One decoding for all: shorter sequences are filled up with what is no character.
        longest = max(indices.shape[1] for indices, _ in outputs)
        all_indices = np.full((number, longest), self._stage.charset.special[-1], np.int32)
        all_scores = np.zeros((number, longest), np.float32)
        for group, (indices, scores) in zip(groups, outputs, strict=True):
            # What a batch has beyond its group is padding.
            all_indices[group, : indices.shape[1]] = indices[: len(group)]
            all_scores[group, : scores.shape[1]] = scores[: len(group)]
        texts, means = self._decode(all_indices, all_scores)
        return [Reading(*pair) for pair in zip(texts, means.tolist(), strict=True)]

    def _decode(
        self, indices: NDArray[np.int32], scores: NDArray[np.float32]
    ) -> tuple[list[str], NDArray[np.float32]]:
        charset = self._stage.charset
        if charset.blank is not None:
            return ctc.decode(indices, scores, self._characters, charset.blank)
        assert charset.begin is not None and charset.end is not None  # the manifest is checked
        return attention.decode(
            indices, scores, self._characters, begin=charset.begin, end=charset.end
        )


def _widths(
    crops: Sequence[Crop], stage: Recognition
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How wide each crop is drawn, and how wide the input is that it is drawn into."""
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


def _group(widths: NDArray[np.int64], most: int) -> list[list[int]]:
    """Indices of crops that share a width, at most `most` together, the widest first."""
    groups: list[list[int]] = []
    for i in np.argsort(-widths, kind="stable").tolist():
        if groups and len(groups[-1]) < most and widths[groups[-1][0]] == widths[i]:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups
