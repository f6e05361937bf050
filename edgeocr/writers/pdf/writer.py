"""Write pages as a searchable PDF: each picture, and above it its text, which is not seen."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

from ...decoding.limits import MAX_IMAGE_PIXELS, Limits
from ...documents.pdf import PdfPage
from ...errors import MissingLibraryError
from ...images import Frame, Source
from ...outputs.devices import output_errors
from ...results.read_page import ReadPage
from ...version import __version__
from . import kept, text
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
        self._parts: list[Path] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._part = _Part()

    def add(self, page: ReadPage, picture: Source | None = None) -> None:
        """Add a page.

        Args:
            page: What was read in a picture.
            picture: The picture, as it was given to `OCR.read`, or the frame; None for the file
                that `page.source` names. A page of a PDF file is kept as it is, and gets the text
                that it lacks.

        Raises:
            ImageError: The picture can't be read.
        """
        source = page.source if picture is None else picture
        held = kept.pdf_page_of(source)
        if held is None or not self._part.keep(page, held):
            # A picture that was read may be written, however large it is.
            limits = Limits(max(MAX_IMAGE_PIXELS, page.width * page.height))
            drawn = source if held is None else Frame(page.source, held=held)
            self._part.add(page, embed(drawn, limits))
        if self._part.is_full:
            self._put_aside()

    def close(self) -> None:
        """Write the document; the stream stays open.

        Without pages nothing is written, since a PDF has at least one.
        """
        if self._folder is None:
            if self._part.pages:
                self._part.save(self._stream)
            return
        with self._folder:
            if self._part.pages:
                self._put_aside()
            self._join()

    def _put_aside(self) -> None:
        """Move the pages that are in memory to a temporary file."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="edgeocr-")
        path = Path(self._folder.name, f"{len(self._parts)}.pdf")
        self._parts.append(path)
        with output_errors(path), path.open("wb") as file:
            self._part.save(file)
        self._part = _Part()

    def _join(self) -> None:
        """Write the pages of all temporary files.

        pikepdf copies pages that are added to a document into memory. qpdf's own way of joining
        files, which pikepdf calls a job, leaves them on the disk until they are written.
        """
        import pikepdf

        job = {"empty": "", "pages": [{"file": str(path)} for path in self._parts]}
        # Nothing is written to this file, but a job must name one.
        with pikepdf.Job({**job, "outputFile": os.devnull}).create_pdf() as whole:
            _save(whole, self._stream)


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
        self.pages = 0
        self._sources: dict[object, pikepdf.Pdf] = {}
        # The pages and forms with text, which get the font when all of its characters are known.
        self._with_text: list[pikepdf.Object] = []
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

    def keep(self, page: ReadPage, held: PdfPage) -> bool:
        """Add a page of a PDF file as it is, with the text that it lacks.

        Returns:
            Whether that was possible.
        """
        import pikepdf

        key = held.file if isinstance(held.file, bytes) else os.fspath(held.file)
        try:
            if key not in self._sources:
                self._sources[key] = kept.opened(held)
            original = self._sources[key].pages[held.number - 1]
            size, matrix = kept.placed(original)
            self.pdf.pages.append(original)  # which copies it into memory
        except (
            pikepdf.PdfError,
            pikepdf.PasswordError,
            LookupError,
            OSError,
            TypeError,
            ValueError,
        ):  # it is damaged in a way that PDFium does not mind
            return False
        added = self.pdf.pages[-1]
        self._held += _file_size(held) // len(self._sources[key].pages)
        scale = text.Scale(size[0] / page.width, size[1] / page.height, size[1])
        lines = kept.without_its_own(page.lines, held, page)
        if words := text.content(lines, scale, self._font):
            form = self.pdf.make_stream(words, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form)
            form.BBox = pikepdf.Array([0, 0, *size])
            form.Resources = pikepdf.Dictionary()
            self._with_text.append(form)
            name = _name_of_text(added)
            added.add_resource(form, pikepdf.Name.XObject, pikepdf.Name(name))
            # What the page has drawn before may have changed the coordinates.
            added.contents_add(b"q", prepend=True)
            added.contents_add(f"Q q {matrix} cm {name} Do Q".encode("ascii"))
        added.obj.Rotate = (kept.rotation_of(added) + page.rotation) % 360
        self.pages += 1
        return True

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
        self._with_text.append(added.obj)
        self.pages += 1
        return added

    def save(self, stream: IO[bytes]) -> None:
        """Write the pages to a stream."""
        import pikepdf

        if self._with_text:
            font = self._font.dictionary(self.pdf)
            for each in self._with_text:
                each.Resources.Font = pikepdf.Dictionary({text.FONT: font})
        _save(self.pdf, stream)


def _save(document: pikepdf.Pdf, stream: IO[bytes]) -> None:
    """Write a document to a stream, which need not be able to seek."""
    import pikepdf

    document.docinfo["/Producer"] = f"edgeocr {__version__}"
    if not stream.seekable():
        with tempfile.TemporaryFile() as file:
            _save(document, file)
            file.seek(0)
            shutil.copyfileobj(file, stream)
        return
    document.save(
        cast(BinaryIO, stream),
        min_version="1.5",  # 16 bits per channel, and JPEG 2000
        deterministic_id=True,
        object_stream_mode=pikepdf.ObjectStreamMode.disable,
    )


def _file_size(held: PdfPage) -> int:
    file = held.file
    return len(file) if isinstance(file, bytes) else Path(file).stat().st_size


def _name_of_text(page: pikepdf.Page) -> str:
    """Return a name for the text that nothing on a page has yet."""
    taken: Any = page.resources.get("/XObject", {})
    return next(name for i in count() if (name := f"/Text{i}") not in taken)


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
