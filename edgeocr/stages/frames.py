"""The frames of a source with several pictures: pages of TIFF and PDF files, steps of animations.

Frames are counted from 1, and a frame is named by its source and its number: `scan.tif#2`.
"""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..decoding import animation, tiff
from ..decoding.animation import CANVAS_BYTES, find, is_animated, looks_alike
from ..decoding.chunks import PNG
from ..decoding.contents import described, is_regular, read_path
from ..decoding.formats import ENOUGH, kind_of
from ..decoding.limits import DEFAULT_LIMITS, Limits
from ..decoding.tiff_page import Page
from ..documents.options import DPI, PdfOptions, TextLayerUse
from ..documents.pdf import PdfPage, is_pdf, page_count
from ..documents.selection import ALL, Selection
from ..errors import EdgeOCRError, ImageError, MemoryLimitError, MoreFramesWarning
from ..images import Frame, Source, content_of, is_pillow, name_of, named

# The most pages of a file and steps of an animation that are read. Damaged and hostile files claim
# to have more, and these are refused.
MOST_PAGES = 10_000
MOST_STEPS = 1_000
# The number of bytes from the beginning of a file that tell whether it has several frames.
START = 1 << 16
# Pillow's formats with pages or steps. In other formats, further pictures are layers, or copies of
# the first one for other purposes, as in the files of phones (MPO).
PILLOW_PAGES, PILLOW_STEPS = frozenset({"TIFF", "DCX"}), frozenset({"GIF", "WEBP", "PNG", "AVIF"})


def frames_of(
    source: Source,
    limits: Limits = DEFAULT_LIMITS,
    *,
    pages: str | Iterable[int] | None = None,
    dpi: int = DPI,
    pdf_text: TextLayerUse = "never",
    password: str | None = None,
) -> Iterator[Source]:
    """Yield each frame of a source as a source of its own.

    A source with one frame is yielded as it is, and so is a source that can't be read: reading it
    will report that. A page of a PDF file is rendered when it is read. A frame of an animation that
    looks like the last one that was yielded is left out. A frame that can't be decoded is yielded,
    too: reading it raises the error.

    Args:
        source: A picture or a PDF file as `OCR.read` takes it.
        limits: How large files and animations may be.
        pages: Which pages or frames to yield, as a text such as "1-3,7,10-" or as numbers from 1.
            They are yielded in the order of the file, each once. If the file lacks some of them, a
            frame behind the others raises an error when it is read.
        dpi: Pixels per inch at which pages of PDF files are rendered.
        pdf_text: What becomes of the text that PDF pages hold as characters: "never" recognizes
            every page, "auto" takes a page's own text where that seems to be all of its text, and
            "only" recognizes nothing.
        password: The password of encrypted PDF files.

    Yields:
        `source` itself, or `Frame` objects, which `OCR.read` takes.

    Raises:
        ValueError: An option has an impossible value.
        TypeError: An option has a wrong type.
    """
    selection = ALL if pages is None else Selection.parse(pages)
    return _frames_of(source, limits, selection, PdfOptions(dpi, pdf_text, password))


def _frames_of(
    source: Source, limits: Limits, selection: Selection, options: PdfOptions
) -> Iterator[Source]:
    if isinstance(source, (Frame, np.ndarray)):
        yield from _only(source, name_of(source), selection)
        return
    found = (
        _pillow_frames(source, limits, selection)
        if is_pillow(source)
        else _file_frames(source, limits, selection, options)
    )
    while True:
        # The source is foreign code: what it raises must not end the iteration over all sources.
        try:
            frame = next(found)
        except StopIteration:
            return
        except MemoryLimitError as error:
            frame = Frame(name_of(source), held=error)
        except Exception as error:
            name = name_of(source)
            known = error if isinstance(error, ImageError) else ImageError(_message(error))
            known.__cause__ = error.__cause__ if isinstance(error, EdgeOCRError) else error
            frame = Frame(name, held=named(known, name))
        yield frame


def _message(error: Exception) -> str:
    return str(error) if isinstance(error, EdgeOCRError) else f"can't be read: {described(error)}"


def _only(source: Source, name: str, selection: Selection) -> Iterator[Source]:
    """Yield a source with one frame, as far as that is wanted."""
    if 1 in selection:
        yield source
    yield from _missing(name, 1, selection)


def _missing(name: str, count: int, selection: Selection) -> Iterator[Frame]:
    """Yield an error if frames are wanted that a file with `count` frames lacks."""
    missing = selection.missing(count)
    if missing is not None:
        yield Frame(name, held=ImageError(f"{name}: {missing}"))


def _file_frames(
    source: Any, limits: Limits, selection: Selection, options: PdfOptions
) -> Iterator[Source]:
    """Yield the frames of a file, given as a path, as its bytes, or as an open file."""
    try:
        opened = _Opened.of(source, limits)
    except (OSError, ValueError):  # reading it reports this
        yield source
    else:
        yield from opened.frames(selection, options)


def first_of(source: Source, limits: Limits = DEFAULT_LIMITS) -> tuple[Source, int]:
    """Return what to load for the first frame of a source, and how many frames the source has.

    What to load is the source itself, with two exceptions: for a file object it is the content,
    which is read to its end, and for a PDF file it is the first page.

    Raises:
        ImageError: A file object can't be read, or a PDF file can't be opened.
        MemoryLimitError: Its content doesn't fit into the memory limit.
    """
    if isinstance(source, Frame):
        return source, source.count
    if isinstance(source, np.ndarray):
        return source, 1
    if is_pillow(source):
        return source, _pillow_count(source)
    try:
        opened = _Opened.of(source, limits)
        if opened.is_pdf:
            return opened.first_pdf_page()
        return opened.source, max(1, opened.count())
    except (OSError, ValueError):  # loading it reports this
        return source, 1


def counted(source: Source, count: int) -> int:
    """Return the number of frames, and warn the caller's caller if only the first was read."""
    if count > 1 and not isinstance(source, Frame):
        warnings.warn(
            f"{name_of(source)} has {count} frames, and this is about the first one only: "
            "read_many reads all of them",
            MoreFramesWarning,
            stacklevel=3,
        )
    return count


class _Opened:
    """A file whose first bytes have been read.

    Attributes:
        source: The path, or the bytes; for a file object, a pipe or a device, the bytes that were
            read from it.
    """

    def __init__(
        self, name: str, source: Any, start: bytes, limits: Limits, *, read: bool = False
    ) -> None:
        self._name = name
        self.source = source
        self._start = start
        self._limits = limits
        self._read = read

    @classmethod
    def of(cls, source: Any, limits: Limits) -> _Opened:
        """Read the beginning of a file, or all of a file object, a pipe or a device."""
        name = name_of(source)
        if isinstance(source, (bytes, bytearray, memoryview)):
            return cls(name, source, bytes(source[:START]), limits)
        if isinstance(source, (str, os.PathLike)):
            if is_regular(source):
                with Path(source).open("rb") as file:
                    return cls(name, source, file.read(START), limits)
            try:
                content = read_path(source, limits)
            except ImageError as error:
                raise ImageError(f"{name}: {error}") from error.__cause__
        elif hasattr(source, "read"):
            content = content_of(source, limits)
        else:
            raise ValueError("no image source")
        return cls(name, content, content[:START], limits, read=True)

    def count(self) -> int:
        """Return the number of frames, without decoding them; 0 or 1 if there is one."""
        if self._may_have_pages():
            return len(self._pages())
        if is_animated(self._start):
            return find(self._content(), MOST_STEPS).count
        return 1

    @property
    def is_pdf(self) -> bool:
        """Whether this is a PDF file."""
        return is_pdf(self._start[:ENOUGH])

    def first_pdf_page(self) -> tuple[Frame, int]:
        """Return the first page of a PDF file, and how many pages the file has.

        Raises:
            DocumentError: It can't be opened.
        """
        file = self._pdf()
        try:
            count = page_count(file)
        except ImageError as error:
            raise named(error, self._name) from error.__cause__
        return Frame(self._name, 1, count, PdfPage(file)), count

    def frames(self, selection: Selection, options: PdfOptions) -> Iterator[Source]:
        """Yield the wanted frames, or the source itself if it has no more than one."""
        if self.is_pdf:
            yield from self._pdf_pages(selection, options)
            return
        if self._may_have_pages() and len(pages := self._pages()) > 1:
            yield from self._pages_of(pages, selection)
            return
        if is_animated(self._start):
            content = self._content()
            found = find(content, MOST_STEPS)
            if found.count > 1:
                self._limits.check_size(found.width, found.height)
                held = 0 if content is self.source else len(content)
                if content.startswith(PNG):
                    held += len(content)  # small chunks are joined, which copies them
                needed = found.width * found.height * CANVAS_BYTES + held
                admission = self._limits.pictures
                refusal = admission(needed) if admission is not None else None
                if refusal is not None:
                    yield Frame(self._name, held=refusal)
                else:
                    yield from self._steps_of(found, selection)
                return
        # A file object can't be read twice.
        only = Frame(self._name, held=self.source) if self._read else self.source
        yield from _only(only, self._name, selection)

    def _pdf(self) -> Any:
        """Return what PDFium opens: the path, or the content as bytes."""
        is_path = isinstance(self.source, (str, os.PathLike))
        return self.source if is_path else bytes(self.source)

    def _pdf_pages(self, selection: Selection, options: PdfOptions) -> Iterator[Frame]:
        file = self._pdf()
        count = page_count(file, options)
        for done, number in enumerate(selection.numbers(count)):
            if done == MOST_PAGES:
                yield self._too_many(number, count, MOST_PAGES)
                return
            yield self._frame(number, count, PdfPage(file, number, options))
        yield from _missing(self._name, count, selection)

    def _may_have_pages(self) -> bool:
        # Raw photographs are TIFF files, too, with previews as further pictures.
        return self._start[:4] in tiff.MAGIC and kind_of(self._start[:ENOUGH]) is None

    def _pages(self) -> list[int]:
        # BytesIO copies buffers other than bytes.
        if isinstance(self.source, (bytes, bytearray, memoryview)):
            return tiff.pages(io.BytesIO(self.source), MOST_PAGES + 1)
        with Path(self.source).open("rb") as file:
            return tiff.pages(file, MOST_PAGES + 1)

    def _pages_of(self, offsets: list[int], selection: Selection) -> Iterator[Frame]:
        count = len(offsets)
        for number in selection.numbers(count):
            if number > MOST_PAGES:
                yield self._too_many(number, count, MOST_PAGES)
                return
            yield self._frame(number, count, Page(self.source, offsets[number - 1]))
        yield from _missing(self._name, count, selection)

    def _steps_of(self, found: animation.Animation, selection: Selection) -> Iterator[Frame]:
        count, shown = found.count, None
        most = self._limits.most_canvases(found.width, found.height)
        for number, picture in enumerate(found.pictures(self._limits), 1):
            if most is not None and number > most:
                yield self._frame(number, count, _too_large(most))
                return
            if number not in selection:
                continue
            if isinstance(picture, ImageError):
                yield self._frame(number, count, picture)
            elif shown is None or not looks_alike(shown, picture):
                shown = picture
                yield self._frame(number, count, picture)
            if not selection.left(number, count):  # no further frame is wanted
                break
        if count > MOST_STEPS and selection.left(MOST_STEPS, count):
            yield self._too_many(MOST_STEPS + 1, count, MOST_STEPS)
        else:
            yield from _missing(self._name, count, selection)

    def _too_many(self, number: int, count: int, most: int) -> Frame:
        error = ImageError(
            f"no more than {most} frames of a file are read: split the file, or, if it is a PDF "
            "file, read it part by part with pages= or --pages"
        )
        return self._frame(number, count, error)

    def _frame(self, number: int, count: int, held: Any) -> Frame:
        name = self._name if count == 1 else f"{self._name}#{number}"
        return Frame(name, number, count, held)

    def _content(self) -> bytes:
        if isinstance(self.source, (bytes, bytearray, memoryview)):
            return bytes(self.source)
        self._limits.check_content(Path(self.source).stat().st_size)
        return read_path(self.source, self._limits)


def _pillow_count(image: Any) -> int:
    if image.format not in PILLOW_PAGES | PILLOW_STEPS:
        return 1
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # a damaged file makes Pillow raise anything; loading it reports this
        return 1


def _too_large(most: int) -> ImageError:
    return ImageError(
        f"no more than {most} frames of this size are read: split the file, or raise "
        "max_image_pixels"
    )


def _pillow_frames(image: Any, limits: Limits, selection: Selection) -> Iterator[Source]:
    """Yield a copy of each frame of a PIL image; the image itself stays at its current frame."""
    count = _pillow_count(image)
    if count < 2:
        yield from _only(image, name_of(image), selection)
        return
    limits.check_size(*image.size)
    most = MOST_PAGES if image.format in PILLOW_PAGES else MOST_STEPS
    most_canvases = limits.most_canvases(*image.size) if image.format in PILLOW_STEPS else None
    here, shown = image.tell(), None
    for number in selection.numbers(count):
        held: Any
        try:
            if number > most:
                raise ImageError(f"no more than {most} frames of a picture are read")
            if most_canvases is not None and number > most_canvases:
                raise _too_large(most := most_canvases)
            image.seek(number - 1)
            limits.check_size(*image.size)
            held = image.copy()
            held.filename = name_of(image)
        except ImageError as error:
            held = error
        except Exception as error:  # a damaged file makes Pillow raise anything
            held = ImageError(f"Pillow can't decode the frame: {described(error)}")
            held.__cause__ = error
        finally:
            with contextlib.suppress(Exception):  # the file may be damaged at its beginning, too
                image.seek(here)
        if not isinstance(held, ImageError) and image.format in PILLOW_STEPS:
            pixels = np.array(held.convert("RGBA"))
            pixels[pixels[..., 3] == 0] = 0
            if shown is not None and looks_alike(shown, pixels):
                continue
            shown = pixels
        yield Frame(f"{name_of(image)}#{number}", number, count, held)
        if number > most:
            return
    yield from _missing(name_of(image), count, selection)
