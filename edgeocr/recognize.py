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
from .errors import ArrayError, GraphError
from .postprocess import attention, bidi, ctc, gaps, joining, sequences, spaces
from .postprocess.cuts import Cut, divided
from .postprocess.peaks import even, of_each_character
from .postprocess.spacing import Spacing
from .results.lines import Part, Peaks, Reading
from .runtime.job import Job, Shape
from .runtime.outputs import Output, checked
from .runtime.placement import Placement
from .runtime.run_sizes import RunSizes
from .runtime.session import Session
from .runtime.stopwatch import Stopwatch
from .runtime.threads import ThreadPool
from .tiling.pieces import (
    EDGE,
    Input,
    columns_per_pixel,
    groups_of,
    input_widths,
    inputs_of,
    joins_pieces,
)

# Width of a line of ordinary length, in strides of the network. A stage that takes any shape is
# warmed up with it.
USUAL_STRIDES = 40
# The outputs of the graph.
OUTPUTS = (Output("indices", ("N", "T"), np.int32), Output("scores", ("N", "T")))
# A network gives no more time steps than its input has columns, or than this: networks that write
# one character after the other give the same number, such as 25 or 40, for all inputs.
MOST_STEPS = 1000
# OpenCV's constant for each way of resizing a line that a manifest can name.
METHODS = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "lanczos": cv2.INTER_LANCZOS4}
# The smallest share of its widest input at which recognition is of use: it still reads ordinary
# lines.
LEAST_SHARE = 1 / 4


class Recognizer:
    """The recognition stage of a bundle. Threads may share it.

    Attributes:
        session: The ONNX Runtime session.
        run_sizes: How large the stage's runs are.
        height: Height in pixels at which the network sees a line.
        max_width: Width in pixels, at the network's height, above which a line is read in pieces,
            or squeezed if the network's time steps don't show where a character stands.
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
        self._spacing = _spacing(stage, characters)
        self.minimum_score = stage.minimum_score
        self.run_sizes = run_sizes(stage)
        self.height = stage.height
        strides = -(-max(stage.min_width, USUAL_STRIDES * stage.multiple) // stage.multiple)
        self._usual = (1, stage.height, stage.width or strides * stage.multiple, 3)
        of_job = (self._usual, _shapes(stage), stage.providers, stage.precision)
        self.session = Session(
            graph,
            Job("recognition", "crops", *of_job, fixed_height=True),
            [output.name for output in OUTPUTS],
            placement=placement,
            threads=pool.threads,
            pool=pool,
        )
        self.most_together = placement.options.batch

    @property
    def max_width(self) -> int:
        """Width in pixels, at the network's height, of the widest line that is read as a whole."""
        return self._stage.max_width

    def limit_pixels(self, pixels: int) -> str | None:
        """Read lines in inputs of no more than this many pixels.

        Wider lines are read in pieces, or squeezed.

        Returns:
            What has changed, as a sentence, or None if the same lines as before are read whole.
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
        if joins_pieces(stage):
            return f"lines wider than {stage.max_width} pixels are read in pieces"
        return f"lines are read at a width of {stage.max_width} at most"

    def recognize(
        self,
        crops: Sequence[Crop],
        watch: Stopwatch | None = None,
        *,
        peaks: bool = False,
        cut: bool = False,
    ) -> list[Reading]:
        """Read crops of any size.

        Args:
            crops: Upright crops that hold one line each.
            watch: Records the time of each step.
            peaks: Tell where the characters stand: by the time steps of CTC, and by even division
                for attention and SRN.
            cut: Give the readings of crops that run over several columns or cells their parts, if
                the time steps of CTC show where characters stand.

        Returns:
            The text and score of each crop, in the same order.

        Raises:
            GraphError: The network failed, or returned something else than classes of the charset
                and their probabilities.
        """
        watch = watch or Stopwatch()
        if not crops:
            watch.share(0, dict.fromkeys(("recognition", "decoding"), 0.0))
            return []
        stage = self._stage
        sizes = [(crop.height, crop.width) for crop in crops]
        inputs = [each for i, size in enumerate(sizes) for each in inputs_of(i, size, stage)]
        widths = input_widths(inputs, stage)
        batches = [1]
        if self.session.fixed_shapes:
            widths = np.array(stage.widths)[np.searchsorted(stage.widths, widths)]
            batches = stage.batches
        groups = groups_of(widths, min(batches[-1], self.most_together or batches[-1]))
        spacing, method = self._spacing, METHODS[stage.interpolation]
        measured = spacing is not None and (cut or spacing.restores)
        empty: dict[int, NDArray[np.bool_]] = {}  # the columns of each input without ink

        def batch_size(group: list[int]) -> int:
            return next(number for number in batches if number >= len(group))

        def batch_of(group: list[int]) -> NDArray[np.uint8]:
            batch = np.empty((batch_size(group), stage.height, widths[group[0]], 3), np.uint8)
            for row, i in zip(batch, group, strict=False):
                shown, line = inputs[i], row[:, : inputs[i].width]
                pixels = crops[shown.crop].pixels[:, shown.begin : shown.end]
                cv2.resize(pixels, (shown.width, stage.height), line, interpolation=method)
                row[:, shown.width :] = stage.padding
                if measured:
                    grey = np.asarray(cv2.cvtColor(line, cv2.COLOR_BGR2GRAY), np.uint8)
                    empty[i] = gaps.empty_columns(grey)
            batch[len(group) :] = stage.padding
            return batch

        def needs(group: list[int]) -> tuple[int, int]:
            """Return the pixels of a batch, and the bytes for making one crop at a time."""
            making = max(crops[inputs[i].crop].peak_bytes for i in group)
            return batch_size(group) * stage.height * int(widths[group[0]]), making

        outputs = self.session.run_each(groups, batch_of, watch, ("crops", "recognition"), needs)
        with watch("decoding"):
            for group, output in zip(groups, outputs, strict=True):
                most = max(int(widths[group[0]]), MOST_STEPS)
                steps = range(most + 1)
                checked("recognition", OUTPUTS, output, {"N": batch_size(group), "T": steps})
            try:
                return self._readings(inputs, widths, groups, outputs, empty, peaks=peaks, cut=cut)
            except ArrayError as error:
                raise GraphError(
                    f"the outputs of the recognition graph can't be decoded: {error}"
                ) from error

    def _readings(
        self,
        inputs: Sequence[Input],
        widths: NDArray[np.int64],
        groups: list[list[int]],
        outputs: list[list[NDArray[Any]]],
        empty: dict[int, NDArray[np.bool_]],
        *,
        peaks: bool,
        cut: bool,
    ) -> list[Reading]:
        # All inputs are decoded together, so shorter sequences are padded with a class that stands
        # for no character.
        longest = max(indices.shape[1] for indices, _ in outputs)
        all_indices = np.full((len(inputs), longest), self._stage.charset.special[-1], np.int32)
        all_scores = np.zeros((len(inputs), longest), np.float32)
        for group, (indices, scores) in zip(groups, outputs, strict=True):
            # Rows of a batch beyond its group are padding.
            all_indices[group, : indices.shape[1]] = indices[: len(group)]
            all_scores[group, : scores.shape[1]] = scores[: len(group)]
        sequences.check(all_indices, all_scores, self._characters)
        # The widest inputs come first. All widths have the same number of pixels for each step.
        stride = max(1, round(int(widths[groups[0][0]]) / max(1, outputs[0][0].shape[1])))
        cuts: dict[int, list[Cut]] = {}
        if self._spacing is not None and empty:
            # In visual order, what stands first need not be read first.
            cut &= not self._stage.visual_order
            cuts = self._spacing.apply(all_indices, all_scores, empty, stride=stride, cut=cut)
        readings = self._spelled(all_indices, all_scores)
        rows_of: dict[int, list[int]] = {}  # the rows that show each crop
        for row, each in enumerate(inputs):
            rows_of.setdefault(each.crop, []).append(row)
        found = []
        for rows in rows_of.values():
            pieces, row = [inputs[row] for row in rows], rows[0]
            reading, line, probabilities = readings[row], all_indices[row], all_scores[row]
            if len(pieces) > 1:
                line, probabilities = self._joined(
                    pieces, all_indices[rows], all_scores[rows], stride
                )
                (reading,) = self._spelled(line[None], probabilities[None])
            elif (places := cuts.get(row)) is not None:
                parts = self._parts(line, probabilities, places, pieces[0], stride, peaks=peaks)
                reading = replace(reading, parts=parts)
            if peaks:
                per_step = stride * columns_per_pixel(pieces)
                found_at = self._peaks(line, probabilities, per_step, pieces[-1].end)
                reading = replace(reading, peaks=found_at)
            found.append(_in_logical_order(reading) if self._stage.visual_order else reading)
        return found

    def _joined(
        self,
        pieces: Sequence[Input],
        indices: NDArray[np.int32],
        scores: NDArray[np.float32],
        stride: int,
    ) -> tuple[NDArray[np.integer], NDArray[np.floating]]:
        """Return the classes [T] and probabilities [T] of a line that was read in pieces.

        Args:
            pieces: The line's N pieces.
            indices: int32 [N, T], the classes that the network gave for them.
            scores: float32 [N, T], the probabilities of these classes.
            stride: The network's pixels for each time step.
        """
        blank = self._stage.charset.blank
        assert blank is not None  # pieces are made only for CTC
        # Steps behind the text see padding. They belong to the line at its end only.
        ends = [each.width // stride for each in pieces[:-1]] + [indices.shape[1]]
        return joining.join(
            [row[:end] for row, end in zip(indices, ends, strict=True)],
            [row[:end] for row, end in zip(scores, ends, strict=True)],
            [each.start // stride for each in pieces],
            blank=blank,
            edge=EDGE * self._stage.height // stride,
        )

    def _peaks(
        self,
        indices: NDArray[np.integer],
        scores: NDArray[np.floating],
        per_step: float,
        width: int,
    ) -> Peaks:
        """Find where the characters of a line stand, in the order in which they were read.

        Args:
            indices: integer [T], the classes of the line.
            scores: float [T], the probabilities of these classes.
            per_step: The columns of the crop that a time step of CTC shows.
            width: Width of the crop.
        """
        charset = self._stage.charset
        if charset.blank is not None:
            runs = ctc.runs(indices, charset.blank)
            steps = runs[:, 0]
            columns = np.clip(runs * per_step, 0, width).astype(np.float32)
        else:
            assert charset.end is not None  # as in _decode
            kept = attention.is_character(indices[None], end=charset.end, skipped=charset.skipped)
            steps = np.flatnonzero(kept)
            columns = even(len(steps), width)
        columns, owner = of_each_character(
            columns, [len(text) for text in self._characters[indices[steps]]]
        )
        found = np.nan_to_num(scores[steps[owner]], posinf=0, neginf=0).astype(np.float32)
        return Peaks(columns, found, divided=charset.blank is None)

    def _parts(
        self,
        indices: NDArray[np.integer],
        scores: NDArray[np.floating],
        cuts: Sequence[Cut],
        whole: Input,
        stride: int,
        *,
        peaks: bool,
    ) -> tuple[Part, ...]:
        """Return what a line, which one input shows, says before, between and after its cuts."""
        blank = self._stage.charset.blank
        assert blank is not None  # lines are cut only for CTC
        per_pixel = columns_per_pixel([whole])
        borders = [0, *(round(x * per_pixel) for cut in cuts for x in cut.columns), whole.end]
        parts = []
        for i, line in enumerate(divided(indices, cuts, blank)):
            begin, end = borders[2 * i], max(borders[2 * i + 1], borders[2 * i] + 1)
            (reading,) = self._spelled(line[None], scores[None])
            if peaks:
                found = self._peaks(line, scores, stride * per_pixel, whole.end)
                reading = replace(reading, peaks=found.within(begin, end))
            parts.append(Part(reading, begin, end))
        return tuple(parts)

    def _spelled(self, indices: NDArray[np.integer], scores: NDArray[np.floating]) -> list[Reading]:
        """Return the readings of N lines from their classes [N, T] and probabilities [N, T].

        The characters are in the order in which they were read.
        """
        texts, means = self._decode(indices, scores)
        return [Reading(text, score) for text, score in zip(texts, means.tolist(), strict=True)]

    def _decode(
        self, indices: NDArray[np.integer], scores: NDArray[np.floating]
    ) -> tuple[list[str], NDArray[np.float32]]:
        charset = self._stage.charset
        if charset.blank is not None:
            return ctc.decode(indices, scores, self._characters, charset.blank)
        assert charset.end is not None  # checked with the manifest
        return attention.decode(
            indices, scores, self._characters, end=charset.end, skipped=charset.skipped
        )


def _in_logical_order(reading: Reading) -> Reading:
    """Put a reading whose characters are in visual order, and its peaks, into logical order."""
    text, order = bidi.in_logical_order(reading.text)
    peaks = reading.peaks
    if peaks is not None:
        columns, scores = peaks.columns[order], peaks.scores[order]
        peaks = replace(peaks, columns=columns, scores=scores)
    return Reading(text, reading.score, peaks)


def _spacing(stage: Recognition, characters: Sequence[str]) -> Spacing | None:
    """Return what adds spaces and finds cuts; None if time steps don't show where characters stand.

    The time steps of CTC networks with a fixed width don't, because these networks straighten the
    picture first (TPS).
    """
    blank, restores = stage.charset.blank, stage.spaces == "found"
    if stage.algorithm != "CTC" or blank is None or (stage.width is not None and not restores):
        return None
    least = {"found": spaces.UNREAD, "read": spaces.MISSED, "kept": None}[stage.spaces]
    return Spacing(characters, blank=blank, height=stage.height, least=least)


def _shapes(stage: Recognition) -> list[Shape]:
    """Return the fixed input shapes [N, H, W, 3] of a stage; an empty list where it has none."""
    return [(n, stage.height, width, 3) for width in stage.widths for n in stage.batches]


def run_sizes(stage: Recognition) -> RunSizes:
    """Return the sizes of the stage's runs, each of which holds one line on the CPU."""
    widest = stage.max_width + stage.margin + stage.multiple
    narrowest = max(widest * LEAST_SHARE, stage.min_width + stage.multiple)
    least, full = (round(stage.height * (stage.width or width)) for width in (narrowest, widest))
    return RunSizes("crops", least, full, stage.activation_bytes)
