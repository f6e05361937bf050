"""What a bundle's stages and a page may take below a limit of memory."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import images
from ..bundle.manifest import Recognition, Resize, Stages
from ..errors import EdgeOCRError, ImageError, MemoryLimitError, printable
from ..images import Image, Source
from ..runtime import arena
from . import image_headers as image_size
from . import limit as memory

if TYPE_CHECKING:
    from ..bundle.bundle import Bundle
    from ..detect import Detector
    from ..orient import Orienter
    from ..recognize import Recognizer
    from ..spot import Spotter

# Bytes of activations for each pixel of pictures and crops, where the bundle doesn't say: more than
# any of PP-OCR's mobile networks needs.
UNKNOWN, UNKNOWN_CROPS = 100, 220
# Bytes for each pixel of a network's input that its run takes beside the arena: the input, the
# outputs' copies, what post-processing makes of them.
BESIDE_PICTURE, BESIDE_CROPS = 16, 8
# What detection's size and a line's width may be lowered to.
LEAST_PIXELS, LEAST_WIDTH = 1 / 6, 1 / 4
# The widest line has this share of the room for runs, the rest is for its pixels.
LINE_SHARE = 0.8
# JPEGs can be decoded at one of these parts of their sides.
REDUCTIONS = (1, 2, 4, 8)
# Hundredths of a second that a page waits for memory that should be free.
PATIENCE = 20
# Bytes for each pixel of a PIL image: its own, and copies on the way to BGR.
PIL = 10
PIL_ALPHA = 35
NO_HEADER = (
    "what decoding it takes is unknown: within a memory_limit only BMP, GIF, JPEG, JPEG 2000, PNG, "
    "PNM, TIFF and WebP are read, with an intact header; convert it, or lift the limit"
)


class Needs(NamedTuple):
    """Bytes that runs of a bundle's stages need: the least to be of use, and the most."""

    least: int
    full: int


class Taken(NamedTuple):
    """A source to decode, and the part of its sides to decode it at.

    width, height: of the whole picture, before it is turned; 0 where it isn't reduced.
    """

    source: Source
    reduction: int = 1
    width: int = 0
    height: int = 0

    def load(self, _: object = None) -> Image:
        """The picture; see `images.load`."""
        return images.load(self.source, self.reduction)


class Budget:
    """What may be taken below a limit. Make it before sessions are opened, `settle` it after.

    limit: bytes. stages: those that will be opened. graphs: bytes of their graphs.

    arena: the most that the sessions' arena may take. After settling:
    max_pixels: what detection or spotting is lowered to, max_width: what lines are; None for
        nothing. runs, pictures: bytes for networks' runs and for pages' pictures.

    Raises `MemoryLimitError` when the bundle can't be used within the limit, `EdgeOCRError` where
    the system doesn't tell what the process holds.
    """

    def __init__(self, limit: int, stages: Stages, graphs: int) -> None:
        self.limit = limit
        self._stages = stages
        self._needs = _needs(stages)
        self.max_pixels: int | None = None
        self.max_width: int | None = None
        _import(stages)
        memory.give_back()
        # Nobody knows yet, so it is refused only if even the least is too much.
        least, most = (
            round(graphs * per_byte) + beside
            for per_byte, beside in (memory.OPENING, memory.OPENING_MOST)
        )
        self._base = memory.resident() + least
        self.arena, _ = self._parted(most - least)

    @classmethod
    def of(cls, limit: int, bundle: Bundle, stages: Stages) -> Budget:
        """Of those of a bundle's stages that will be opened."""
        wanted = (stage for stage in vars(stages).values() if stage is not None)
        manifest = bundle.manifest
        graphs = sum(manifest.files[stage.graph].size for stage in wanted)
        try:
            return cls(limit, stages, graphs)
        except MemoryLimitError as error:
            raise _named(error, printable(manifest.name)) from None

    def settle(
        self,
        detector: Detector | None,
        orienter: Orienter | None,
        recognizer: Recognizer | None,
        spotter: Spotter | None,
    ) -> None:
        """Measure what the open stages take, and bound them by what is left."""
        for stage in (detector, orienter, recognizer, spotter):
            if stage is not None:
                stage.session.run_smallest()
        memory.give_back()
        self._base = memory.resident()
        runs, pictures = self._parted()
        # The arena is of the first limit in this process.
        self.runs, self.pictures = min(runs, arena.arena_limit() or runs), pictures
        room = memory.Room(self.runs)
        self._pages = memory.Room(self.pictures)
        stages = self._stages
        finder, rule = detector or spotter, _rule(stages)
        if finder is not None and rule is not None:
            per_pixel = _picture_bytes(stages)
            finder.session.admission = memory.Runs(room, per_pixel, self._refused_run)
            if (pixels := self.runs // per_pixel) < rule.max_pixels:
                self.max_pixels = pixels
                finder.bound(pixels)
        if orienter is not None and stages.orientation is not None:
            per_pixel = _crops_bytes(stages.orientation.activation_bytes)
            orienter.session.admission = memory.Runs(room, per_pixel, self._refused_run)
            orienter.bound(int(self.runs * LINE_SHARE) // per_pixel)
        if recognizer is not None and stages.recognition is not None:
            per_pixel = _crops_bytes(stages.recognition.activation_bytes)
            recognizer.session.admission = memory.Runs(room, per_pixel, self._refused_run)
            pixels = int(self.runs * LINE_SHARE) // per_pixel
            width = recognizer.bound(pixels)
            self.max_width = width if width < stages.recognition.max_width else None

    @contextmanager
    def page(self, sources: Sequence[Source], beside: int = 0) -> Iterator[list[Taken]]:
        """Wait until there is room for pictures, and keep it. A JPEG that has none as a whole is to
        be decoded at a half, a quarter or an eighth of its sides.

        beside: bytes for each pixel that will be needed beside a loaded picture.

        Raises `MemoryLimitError` when there can't be room, and `ImageError` for a file whose header
        doesn't tell.
        """
        needed = present = 0
        taken: list[Taken] = []
        for source in sources:
            seen = _look(source)
            best, part = Taken(seen.source), seen.present + seen.coming
            held = part
            if (header := seen.header) is not None:
                for reduction in REDUCTIONS if header.reducible else REDUCTIONS[:1]:
                    pixels = header.width * header.height // reduction**2
                    part = held + pixels * max(header.decoding, 3 + beside)
                    if reduction > 1:
                        best = Taken(seen.source, reduction, header.width, header.height)
                    if part <= self.pictures // len(sources):
                        break
            needed, present = needed + part, present + seen.present
            taken.append(best)
        if needed > self.pictures:
            raise self._refused_page(needed)
        with self._pages.taken(needed):
            # The process may hold more than it did; a page before may just be going.
            for _ in range(PATIENCE):
                if memory.resident() + needed - present <= self.limit:
                    break
                sleep(0.01)
            else:
                raise self._refused_page(needed)
            yield taken

    def explained(self, error: EdgeOCRError | MemoryError, name: str) -> EdgeOCRError:
        """What to raise for an error on a source or a bundle: one of memory names it, and says what
        is needed also where it was the system that refused.
        """
        if not isinstance(error, MemoryLimitError):
            if not memory.of_memory(error):
                assert isinstance(error, EdgeOCRError)
                return error
            error = memory.exceeded(
                memory.resident() + self._needs.least + memory.LEAST_PICTURE + memory.RESERVE,
                self.limit,
                "the system had less than that; take a smaller memory_limit, or raise the system's",
            )
        return _named(error, name)

    def note(self) -> str:
        """In words."""
        bounds = [f"{self.runs / 1e6:.0f} MB for runs, {self.pictures / 1e6:.0f} MB for pictures"]
        if self.max_pixels is not None:
            bounds.append(f"found at {self.max_pixels} pixels at most")
        if self.max_width is not None:
            bounds.append(f"lines read at a width of {self.max_width} at most")
        return f"memory limit {self.limit / 1e6:.0f} MB: {'; '.join(bounds)}"

    def _parted(self, unsure: int = 0) -> tuple[int, int]:
        """Bytes for runs and for pictures. The error names so many bytes more as are unsure."""
        left = self.limit - self._base - memory.RESERVE
        least = self._needs.least + memory.LEAST_PICTURE
        if left < least:
            raise memory.exceeded(
                self.limit - left + least + unsure,
                self.limit,
                "raise memory_limit, or take a smaller bundle or max_pixels",
            )
        runs = max(self._needs.least, min(self._needs.full, int(left * memory.SHARE)))
        return runs, left - runs

    def _refused_page(self, needed: int) -> MemoryLimitError:
        """For pictures that need so many bytes."""
        left = max(math.ceil(needed / (1 - memory.SHARE)), needed + self._needs.least)
        if left * memory.SHARE > self._needs.full:
            left = needed + self._needs.full
        held = max(self._base, memory.resident() - self.runs)
        return memory.exceeded(
            held + memory.RESERVE + left,
            self.limit,
            "make the picture smaller, or raise memory_limit",
        )

    def _refused_run(self, needed: int) -> MemoryLimitError:
        """For a run that needs so many bytes."""
        left = math.ceil(needed / memory.SHARE)
        return memory.exceeded(
            self._base + memory.RESERVE + left,
            self.limit,
            "make the picture smaller, or raise memory_limit",
        )


def _named(error: MemoryLimitError, name: str) -> MemoryLimitError:
    named = MemoryLimitError(f"{name}: {error}")
    named.needed, named.limit = error.needed, error.limit
    return named


class Seen(NamedTuple):
    """A source, or its content where it can be read only once, before it is decoded.

    present, coming: bytes that it holds already, and that loading it takes beside what `header`
        says.
    """

    source: Source
    present: int = 0
    coming: int = 0
    header: image_size.Header | None = None


def _look(source: Source) -> Seen:
    if isinstance(source, np.ndarray):
        # 16 bits go through 32, transparency through several copies.
        channels = source.shape[2] if source.ndim == 3 else 1
        per_value = 12 if source.dtype != np.uint8 else 9 if channels == 4 else 3
        plain = source.dtype == np.uint8 and channels == 3 and source.flags.c_contiguous
        return Seen(source, source.nbytes, 0 if plain else source.size * per_value)
    if isinstance(source, (bytes, bytearray, memoryview)):
        copied = 0 if isinstance(source, bytes) else len(source)
        header = image_size.read(io.BytesIO(source))
        if header is None and len(source):
            raise ImageError(NO_HEADER)
        return Seen(source, len(source), copied, header)
    try:
        if isinstance(source, (str, os.PathLike)):
            with Path(source).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                header = image_size.read(file)
                if header is None and size:
                    raise ImageError(f"{os.fspath(source)}: {NO_HEADER}")
                return Seen(source, 0, size, header)
        picture: Any = source
        if hasattr(picture, "getexif"):
            plain = picture.mode in ("L", "RGB", "1", "P") and "transparency" not in picture.info
            return Seen(source, 0, picture.width * picture.height * (PIL if plain else PIL_ALPHA))
        if hasattr(picture, "read") and isinstance(content := picture.read(), bytes):
            return _look(content)
    except (OSError, ValueError):  # loading will say so
        pass
    return Seen(source)


def _rule(stages: Stages) -> Resize | None:
    stage = stages.detection or stages.spotting
    return None if stage is None else stage.resize


def _picture_bytes(stages: Stages) -> int:
    stage = stages.detection or stages.spotting
    known = 0 if stage is None else stage.activation_bytes
    return math.ceil((known or UNKNOWN) * memory.ARENA_FACTOR) + BESIDE_PICTURE


def _crops_bytes(known: int) -> int:
    return math.ceil((known or UNKNOWN_CROPS) * memory.ARENA_FACTOR) + BESIDE_CROPS


def _line_bytes(stage: Recognition, width: float) -> int:
    return round(stage.height * (stage.width or width) * _crops_bytes(stage.activation_bytes))


def _needs(stages: Stages) -> Needs:
    least, full = [0], [0]
    if (rule := _rule(stages)) is not None:
        full.append(_picture_bytes(stages) * rule.max_pixels)
        least.append(round(full[-1] * LEAST_PIXELS))
    if (stage := stages.recognition) is not None:
        widest = stage.max_width + stage.margin + stage.multiple
        full.append(round(_line_bytes(stage, widest) / LINE_SHARE))
        narrow = max(widest * LEAST_WIDTH, stage.min_width + stage.multiple)
        least.append(round(_line_bytes(stage, narrow) / LINE_SHARE))
    if (turn := stages.orientation) is not None:
        crop = turn.height * turn.width * _crops_bytes(turn.activation_bytes)
        least.append(round(crop / LINE_SHARE))
    return Needs(max(least), max(*full, *least))


def _import(stages: Stages) -> None:
    """What pages will need, so that it is there when memory is measured."""
    from ..runtime.onnx_runtime import import_onnxruntime

    import_onnxruntime()
    if stages.detection is not None or stages.spotting is not None:
        import pyclipper  # noqa: F401
        import shapely  # noqa: F401
