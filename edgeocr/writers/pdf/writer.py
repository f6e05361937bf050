"""Write pages as a searchable PDF: each picture, and above it its text, which is not seen."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

from ...decoding.limits import MAX_IMAGE_PIXELS, Limits
from ...errors import MissingLibraryError
from ...images import Source
from ...results.read_page import ReadPage
from ...version import __version__
from . import text
from .embedded import PLACES, Embedded
from .font import InvisibleFont
from .paper import size_in_points
from .pictures import embed

if TYPE_CHECKING:
    import pikepdf

PRODUCER = re.compile(rb"/Producer \(edgeocr [^)]*\)")
# Pages are moved to a temporary file when they hold this many bytes.
MOST_BYTES = 1 << 25


class Writer:
    """A searchable PDF that gets its pages one by one.

    The memory that it takes doesn't grow with the number of pages: finished ones wait in temporary
    files.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        """Begin a document, which is written to the stream when it is closed.

        Args:
            stream: An open binary file.

        Raises:
            MissingLibraryError: pikepdf is not installed.
        """
        self._stream = stream
        self._parts: list[IO[bytes]] = []
        self._part = _Part()

    def add(self, page: ReadPage, picture: Source | None = None) -> None:
        """Add a page.

        Args:
            page: What was read in a picture.
            picture: The picture, as it was given to `OCR.read`; None for the file that
                `page.source` names.

        Raises:
            ImageError: The picture can't be read.
        """
        # A picture that was read may be written, however large it is.
        limits = Limits(max(MAX_IMAGE_PIXELS, page.width * page.height))
        embedded = embed(page.source if picture is None else picture, limits)
        self._part.add(page, embedded)
        if self._part.is_full:
            self._put_aside()

    def close(self) -> None:
        """Write the document; the stream stays open.

        Without pages nothing is written, since a PDF has at least one.
        """
        try:
            if self._parts:
                if self._part.pages:
                    self._put_aside()
                self._join()
            elif self._part.pages:
                self._part.save(self._stream)
        finally:
            for part in self._parts:
                part.close()
            self._parts.clear()

    def _put_aside(self) -> None:
        """Move the pages that are in memory to a temporary file."""
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._parts.append(file)
        self._part.save(file)
        self._part = _Part()

    def _join(self) -> None:
        """Write the pages of all temporary files."""
        import pikepdf

        with ExitStack() as stack:
            whole = _Part()
            for part in self._parts:
                part.seek(0)
                opened = stack.enter_context(pikepdf.Pdf.open(cast(BinaryIO, part)))
                whole.pdf.pages.extend(opened.pages)
            whole.save(self._stream)


def write(pages: Iterable[ReadPage], stream: IO[bytes]) -> None:
    """Write pages as a searchable PDF.

    Args:
        pages: What was read; their pictures are the files that `page.source` names.
        stream: An open binary file.

    Raises:
        MissingLibraryError: pikepdf is not installed.
        ImageError: A picture can't be read.
    """
    writer = Writer(stream)
    for page in pages:
        writer.add(page)
    writer.close()


def is_ours(start: bytes) -> bool:
    """Tell whether a file begins as `Writer` writes it.

    Args:
        start: The first bytes of the file, or all of it.
    """
    return start.startswith(b"%PDF-") and PRODUCER.search(start) is not None


def text_only(page: ReadPage, size: tuple[float, float], stream: IO[bytes]) -> None:
    """Write a PDF of one page that has a page's invisible text and no picture.

    Args:
        page: What was read.
        size: Width and height of the page in points.
        stream: An open binary file.

    Raises:
        MissingLibraryError: pikepdf is not installed.
    """
    part = _Part()
    part.add_text(page, size)
    part.save(stream)


class _Part:
    """Pages in memory, with a font of their own."""

    def __init__(self) -> None:
        try:
            import pikepdf
        except ImportError:
            raise MissingLibraryError("pikepdf", "pdf") from None
        self.pdf = pikepdf.Pdf.new()
        self.pdf.docinfo["/Producer"] = f"edgeocr {__version__}"
        self.pages = 0
        self._font = InvisibleFont()
        self._held = 0

    @property
    def is_full(self) -> bool:
        """Whether these pages should leave the memory."""
        return self._held > MOST_BYTES or self._font.is_full

    def add(self, page: ReadPage, picture: Embedded) -> None:
        """Add a page with its picture."""
        from pikepdf import Dictionary

        width, height = size_in_points(page.width, page.height, picture.shown_resolution)
        image = self.pdf.make_stream(picture.data, _objects(_image_entries(picture)))
        a, b, c, d, e, f = PLACES[picture.orientation]
        matrix = (a * width, b * height, c * width, d * height, e * width, f * height)
        drawn = " ".join(f"{number:.4f}" for number in matrix)
        self._add(
            page,
            (width, height),
            f"q {drawn} cm /Picture Do Q\n".encode("ascii"),
            Dictionary(Picture=image),
        ).obj.Rotate = page.rotation
        self._held += len(picture.data)

    def add_text(self, page: ReadPage, size: tuple[float, float]) -> None:
        """Add a page without its picture."""
        from pikepdf import Dictionary

        self._add(page, size, b"", Dictionary())

    def _add(
        self, page: ReadPage, size: tuple[float, float], drawn: bytes, pictures: pikepdf.Dictionary
    ) -> pikepdf.Page:
        from pikepdf import Array, Dictionary

        width, height = size
        scale = text.Scale(width / page.width, height / page.height, height)
        added = self.pdf.add_blank_page(page_size=size)
        added.obj.MediaBox = Array([0, 0, round(width, 4), round(height, 4)])
        added.obj.Contents = self.pdf.make_stream(
            drawn + text.content(page.lines, scale, self._font)
        )
        added.obj.Resources = Dictionary(XObject=pictures)
        self.pages += 1
        return added

    def save(self, stream: IO[bytes]) -> None:
        """Write the pages to a stream, which need not be able to seek."""
        import pikepdf

        if not stream.seekable():
            with tempfile.TemporaryFile() as file:
                self.save(file)
                file.seek(0)
                shutil.copyfileobj(file, stream)
            return
        if self.pages:
            font = self._font.dictionary(self.pdf)
            for page in self.pdf.pages:
                page.obj.Resources.Font = pikepdf.Dictionary({text.FONT: font})
        self.pdf.save(
            cast(BinaryIO, stream),
            min_version="1.5",  # 16 bits per channel, and JPEG 2000
            deterministic_id=True,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
        )


def _image_entries(picture: Embedded) -> dict[str, object]:
    return {
        "Type": "/XObject",
        "Subtype": "/Image",
        "Width": picture.width,
        "Height": picture.height,
        **picture.entries,
    }


def _objects(value: Any) -> Any:
    """Convert entries of a dictionary to objects of pikepdf."""
    from pikepdf import Array, Dictionary, Name, String

    if isinstance(value, str):
        return Name(value)
    if isinstance(value, bytes):
        return String(value)
    if isinstance(value, Mapping):
        return Dictionary({f"/{key}": _objects(each) for key, each in value.items()})
    if isinstance(value, list):
        return Array([_objects(each) for each in value])
    return value
