"""Divide what a memory limit leaves between the networks' runs and the pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import sleep
from typing import Protocol

from .. import images
from ..decoding.limits import DEFAULT_LIMITS, Limits
from ..errors import EdgeOCRError, MemoryLimitError, is_memory_error
from ..images import Image, Picture, Source
from ..runtime.arena import arena_limit
from ..runtime.run_sizes import RunSizes
from ..runtime.session import Session
from ..runtime.stopwatch import Stopwatch
from ..stages.loading import foreign_errors_explained
from .footprint import Footprint, predict
from .limit import exceeded, release_unused, resident_bytes
from .room import Room, RunAdmission

# What ONNX Runtime's arena takes, as a multiple of what the graph's tensors need: convolutions copy
# their input to another layout, and freed pieces do not always join. Measured: 1.3 to 1.75.
ARENA_FACTOR = 1.75
# The least room for runs, in bytes: the arena grows by pieces of a megabyte or more, so a small
# network needs more than its tensors take.
LEAST_ARENA = 8_000_000
# Bytes per input pixel for graphs whose bundle states nothing: more than any of PP-OCR's mobile
# networks takes.
UNKNOWN_BYTES = {"pictures": 100, "crops": 220}
# Bytes per input pixel that a run takes outside the arena: the input, copies of the outputs, and
# what post-processing makes of them.
OUTSIDE_ARENA_BYTES = {"pictures": 16, "crops": 8}
# The largest run gets this share of the room for runs; the rest is for making the crops.
RUN_SHARE = {"pictures": 1.0, "crops": 0.8}
# Bytes that the first pages take beside all that is counted: stacks, small arrays, caches.
RESERVE = 15_000_000
# Share of what is left after opening that goes to runs when both runs and pictures could use it.
SHARE_OF_RUNS = 0.6
# Bytes that decoding a picture of 2 megapixels takes: with less room, opening is not worth it.
LEAST_PICTURE = 12_000_000
# Bytes that opening takes per byte of a graph, and in addition: the least and the most measured.
OPENING_LEAST, OPENING_MOST = (1.5, 5_000_000), (1.65, 14_000_000)
# A JPEG can be decoded at 1/n of its sides for these n.
REDUCTIONS = (1, 2, 4, 8)
# What users can do about a picture that is too large for the limit.
SMALLER = (
    "make the picture smaller (for pages of PDF files with --dpi or dpi=), or raise memory_limit"
)
# How many contents of file objects are in memory at once: two are read, and one waits.
CONTENTS = 3
# Hundredths of a second for which a picture waits for memory that should be free.
PATIENCE = 20


class LimitedStage(Protocol):
    """A stage that can keep its runs within a number of pixels."""

    session: Session
    run_sizes: RunSizes

    def limit_pixels(self, pixels: int) -> str | None:
        """Limit the pixels of one run; return what that changes for results, as a sentence."""


@dataclass(frozen=True)
class _Reduced:
    """A source, and the fraction 1/`reduction` of its sides to decode it at.

    Attributes:
        width, height: Size of the whole picture before it is turned; 0 where it isn't reduced.
    """

    source: Source
    reduction: int = 1
    width: int = 0
    height: int = 0

    def load(self, limits: Limits) -> Picture:
        """Decode the picture."""
        image = images.load(self.source, self.reduction, limits)
        if self.reduction == 1:
            return Picture.whole(image)
        # The EXIF orientation may have swapped the sides. A square doesn't show it and needn't.
        upright = (-(-self.height // self.reduction), -(-self.width // self.reduction))
        sides = (self.width, self.height)
        return Picture(image, *(sides if image.shape[:2] == upright else sides[::-1]))


class MemoryBudget:
    """What runs and pictures may take within the memory limit.

    Create it before the sessions are opened, and call `settle` once they are.

    Attributes:
        limit: The memory limit in bytes.
        arena_bytes: The most that the sessions' common arena may take.
        run_bytes: Bytes for the networks' runs, known once settled.
        picture_bytes: Bytes for the pictures that are being read, known once settled.
        effects: What the limit changes for results, as sentences.
    """

    def __init__(
        self, limit: int, run_sizes: Sequence[RunSizes], graph_bytes: int, *, name: str
    ) -> None:
        """Check that the limit leaves enough to open the stages.

        Args:
            limit: The memory limit in bytes.
            run_sizes: The run sizes of the stages that will be opened.
            graph_bytes: Size of their graphs together.
            name: What the errors call the bundle.

        Raises:
            MemoryLimitError: The stages can't be used within the limit.
            EdgeOCRError: The system does not tell how much memory the process holds.
        """
        self.limit = limit
        self.effects: list[str] = []
        least = [_run_bytes(each, each.least) for each in run_sizes]
        full = [_run_bytes(each, each.full) for each in run_sizes]
        self._least_run = max([LEAST_ARENA, *least])
        self._full_run = max([*full, self._least_run])
        release_unused()
        # What opening really takes is not known yet, so only a hopeless limit is refused here.
        opening, opening_most = (
            round(graph_bytes * per_byte) + constant
            for per_byte, constant in (OPENING_LEAST, OPENING_MOST)
        )
        self._base = resident_bytes() + opening
        try:
            self.arena_bytes, _ = self._divide(uncertain=opening_most - opening)
        except MemoryLimitError as error:
            raise self.explain(error, name) from None
        self.run_bytes = self.picture_bytes = 0
        self._pictures = Room(0)

    def settle(self, stages: Sequence[LimitedStage]) -> None:
        """Measure what the open stages take, and limit their runs to what is left.

        Raises:
            MemoryLimitError: Too little is left for the stages to be of use.
        """
        for stage in stages:
            stage.session.run_smallest()
        release_unused()
        self._base = resident_bytes()
        run_bytes, self.picture_bytes = self._divide()
        # A process has one arena, whose size its first memory limit has set.
        self.run_bytes = min(run_bytes, arena_limit() or run_bytes)
        self._pictures = Room(self.picture_bytes)
        room = Room(self.run_bytes)
        for stage in stages:
            sizes = stage.run_sizes
            per_pixel = _bytes_per_pixel(sizes)
            stage.session.admission = RunAdmission(room, per_pixel, self._refuse_run)
            effect = stage.limit_pixels(int(self.run_bytes * RUN_SHARE[sizes.given]) // per_pixel)
            if effect is not None:
                self.effects.append(effect)

    @contextmanager
    def picture(
        self,
        source: Source,
        watch: Stopwatch,
        extra: int = 0,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Iterator[Picture]:
        """Load a picture once there is room for it, and keep the room while the block runs.

        A JPEG for which there is no room is decoded at a half, a quarter or an eighth of its sides.

        Args:
            source: The picture.
            watch: Records the time of loading.
            extra: Bytes per pixel that the block needs beside the picture.
            limits: How large the file and the picture may be.

        Raises:
            ImageError: The source is no image, or its header does not tell its size.
            MemoryLimitError: There can't be enough room.
        """
        with self._room([source], extra, limits) as (reduced,):
            with watch("load"), foreign_errors_explained(source):
                picture = reduced.load(limits)
            yield picture

    @contextmanager
    def crops(
        self, sources: Sequence[Source], limits: Limits = DEFAULT_LIMITS
    ) -> Iterator[list[Image]]:
        """Load crops once there is room for all of them, and keep it while the block runs.

        Raises:
            ImageError: A source is no image; the error's `source` names it.
            MemoryLimitError: There can't be enough room.
        """
        with self._room(sources, 0, limits) as reduced:
            crops = []
            for source, each in zip(sources, reduced, strict=True):
                with _named(source), foreign_errors_explained(source):
                    crops.append(each.load(limits).image)
            yield crops

    def admit(self, needed: int) -> MemoryLimitError | None:
        """Return the error to raise if so many bytes of pixels can't be held; else None."""
        return self._refuse_pictures(needed) if needed > self.picture_bytes else None

    def admit_content(self, needed: int) -> MemoryLimitError | None:
        """Return the error to raise if so many bytes of a file object can't be held; else None."""
        return self.admit(CONTENTS * needed)

    def explain(self, error: EdgeOCRError | MemoryError, name: str) -> EdgeOCRError:
        """Return the error to raise for a picture or a bundle called `name`.

        An error that reports missing memory becomes a `MemoryLimitError` that names the picture and
        tells how much is needed, also where the system refused the memory.
        """
        if not isinstance(error, MemoryLimitError):
            if not is_memory_error(error) and isinstance(error, EdgeOCRError):
                return error
            error = exceeded(
                resident_bytes() + self._least_run + LEAST_PICTURE + RESERVE,
                self.limit,
                "the system had less than that; set a smaller memory_limit, or raise the system's",
            )
        return MemoryLimitError(
            f"{name}: {error}", needed=error.needed, limit=error.limit, source=error.source
        )

    def describe(self) -> str:
        """Say what the limit leaves and what it changes, in one line."""
        parts = [
            f"{self.run_bytes / 1e6:.0f} MB for runs, {self.picture_bytes / 1e6:.0f} MB for "
            "pictures",
            *self.effects,
        ]
        return f"memory limit {self.limit / 1e6:.0f} MB: {'; '.join(parts)}"

    @contextmanager
    def _room(
        self, sources: Sequence[Source], extra: int, limits: Limits
    ) -> Iterator[list[_Reduced]]:
        """Keep room for some pictures together, and say how to load each."""
        needed = present = 0
        reduced: list[_Reduced] = []
        for source in sources:
            with _named(source), foreign_errors_explained(source):
                footprint = predict(source, limits)
            best, part = self._reduced(footprint, extra, self.picture_bytes // len(sources))
            needed, present = needed + part, present + footprint.present
            reduced.append(best)
        if needed > self.picture_bytes:
            raise self._refuse_pictures(needed)
        with self._pictures.taken(needed):
            # The process may hold more than it did, or the memory of the page before is just being
            # freed.
            for _ in range(PATIENCE):
                if resident_bytes() + needed - present <= self.limit:
                    break
                sleep(0.01)
            else:
                raise self._refuse_pictures(needed)
            yield reduced

    @staticmethod
    def _reduced(footprint: Footprint, extra: int, available: int) -> tuple[_Reduced, int]:
        """Choose the reduction that fits into `available` bytes, and return what it takes."""
        best, held = _Reduced(footprint.source), footprint.present + footprint.loading
        header = footprint.header
        if header is None:
            return best, held + footprint.pixels * extra
        held += header.structures
        needed = held
        for reduction in REDUCTIONS if header.reducible else REDUCTIONS[:1]:
            pixels = header.width * header.height // reduction**2
            needed = held + pixels * max(header.decoding or 0, 3 + extra)
            if reduction > 1:
                best = _Reduced(footprint.source, reduction, header.width, header.height)
            if needed <= available:
                break
        return best, needed

    def _divide(self, uncertain: int = 0) -> tuple[int, int]:
        """Return the bytes for runs and for pictures.

        Args:
            uncertain: Bytes by which the need may be higher; the error's figure includes them.
        """
        left = self.limit - self._base - RESERVE
        least = self._least_run + LEAST_PICTURE
        if left < least:
            raise exceeded(
                self.limit - left + least + uncertain,
                self.limit,
                "raise memory_limit, or use a smaller bundle or max_pixels",
            )
        runs = max(self._least_run, min(self._full_run, int(left * SHARE_OF_RUNS)))
        return runs, left - runs

    def _refuse_pictures(self, needed: int) -> MemoryLimitError:
        """Create the error for pictures that need this many bytes."""
        left = max(math.ceil(needed / (1 - SHARE_OF_RUNS)), needed + self._least_run)
        if left * SHARE_OF_RUNS > self._full_run:
            left = needed + self._full_run
        held = max(self._base, resident_bytes() - self.run_bytes)
        return exceeded(held + RESERVE + left, self.limit, SMALLER)

    def _refuse_run(self, needed: int) -> MemoryLimitError:
        """Create the error for a run that needs this many bytes."""
        left = math.ceil(needed / SHARE_OF_RUNS)
        return exceeded(
            self._base + RESERVE + left,
            self.limit,
            SMALLER,
        )


@contextmanager
def _named(source: Source) -> Iterator[None]:
    """Set the source of an error that the block raises."""
    try:
        yield
    except EdgeOCRError as error:
        error.source = images.name_of(source)
        raise


def _bytes_per_pixel(sizes: RunSizes) -> int:
    known = sizes.activation_bytes or UNKNOWN_BYTES[sizes.given]
    return math.ceil(known * ARENA_FACTOR) + OUTSIDE_ARENA_BYTES[sizes.given]


def _run_bytes(sizes: RunSizes, pixels: int) -> int:
    """Return the room for runs that a run of this many pixels calls for."""
    return round(pixels * _bytes_per_pixel(sizes) / RUN_SHARE[sizes.given])
