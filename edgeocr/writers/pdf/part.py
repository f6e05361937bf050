"""Pages of a PDF in memory, and how a document is saved."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

from ...documents.pdf import PdfPage
from ...errors import EdgeOCRError, MissingLibraryError
from ...outputs.devices import output_errors
from ...results.read_page import ReadPage
from ...version import __version__
from . import kept, text
from .embedded import PLACES, Embedded
from .font import InvisibleFont
from .paper import size_in_points

if TYPE_CHECKING:
    import pikepdf

# Pages leave the memory when they hold this many bytes.
MOST_BYTES = 1 << 25


class Part:
    """Pages in memory, with a font of their own.

    Attributes:
        pdf: The document that holds them.
        pages: How many pages it has.
    """

    def __init__(self) -> None:
        """Begin without pages.

        Raises:
            MissingLibraryError: pikepdf is not installed.
        """
        try:
            import pikepdf
        except ImportError:
            raise MissingLibraryError("pikepdf", "pdf") from None
        self.pdf = pikepdf.Pdf.new()
        self.pages = 0
        # Each file, opened as often as one of its pages has been kept.
        self._sources: dict[tuple[str | bytes, int], pikepdf.Pdf] = {}
        self._kept: Counter[tuple[str | bytes, int]] = Counter()
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
        before = len(self.pdf.pages), len(self._with_text)
        try:
            self._keep(page, held)
        except (EdgeOCRError, MemoryError):
            raise
        except Exception:  # pikepdf raises many kinds for damage that PDFium does not mind
            del self.pdf.pages[before[0] :], self._with_text[before[1] :]
            return False
        self.pages += 1
        return True

    def _keep(self, page: ReadPage, held: PdfPage) -> None:
        from pikepdf import Array, Dictionary, Name

        source = self._source_of(held)
        original = source.pages[held.number - 1]
        size, matrix = kept.placed(original)
        self.pdf.pages.append(original)  # which copies it into memory
        self._held += _file_size(held) // len(source.pages)
        added = self.pdf.pages[-1]
        scale = text.Scale(size[0] / page.width, size[1] / page.height, size[1])
        lines = kept.without_its_own(page.lines, held, page)
        if words := text.content(lines, scale, self._font):
            form = self.pdf.make_stream(words, Type=Name.XObject, Subtype=Name.Form)
            form.BBox = Array([0, 0, *size])
            form.Resources = Dictionary()
            self._with_text.append(form)
            name = _name_of_text(added)
            added.add_resource(form, Name.XObject, Name(name))
            # What the page has drawn before may have changed the coordinates.
            added.contents_add(b"q", prepend=True)
            added.contents_add(f"Q q {matrix} cm {name} Do Q".encode("ascii"))
        added.obj.Rotate = (kept.rotation_of(added) + page.rotation) % 360

    def _source_of(self, held: PdfPage) -> pikepdf.Pdf:
        """Return the open file of a page.

        pikepdf copies a page of an open file once. The second copy would be the first one again,
        with the text and the rotation that it was given, so the file is opened once more.
        """
        file = held.file if isinstance(held.file, bytes) else os.fspath(held.file)
        key = file, self._kept[file, held.number]
        if key not in self._sources:
            self._sources[key] = kept.opened(held)
        self._kept[file, held.number] += 1
        return self._sources[key]

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
        save(self.pdf, stream)


def save(document: pikepdf.Pdf, stream: IO[bytes]) -> None:
    """Write a document to a stream, which need not be able to seek.

    Raises:
        OutputError: The stream can't seek, and the folder for temporary files can't be written to.
    """
    import pikepdf

    document.docinfo["/Producer"] = f"edgeocr {__version__}"
    if not stream.seekable():
        with tempfile.TemporaryDirectory(prefix="edgeocr-") as folder:
            path = Path(folder, "whole.pdf")
            with output_errors(path), path.open("wb") as file:
                save(document, file)
            with path.open("rb") as file:
                shutil.copyfileobj(file, stream)
        return
    document.save(
        cast(BinaryIO, stream),
        min_version="1.7",  # kept pages may use anything that this version has
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
