"""Write PDF files by hand, so that tests know every byte of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

A4 = (0, 0, 595, 842)


@dataclass(frozen=True)
class PdfPage:
    """A page.

    Attributes:
        content: The operators that draw it. The font /F is Helvetica.
        box: The MediaBox, in points.
        more: Further entries of the page's dictionary.
    """

    content: bytes = b""
    box: tuple[float, ...] = A4
    more: bytes = b""


def text(
    words: str, x: float = 72, y: float = 700, size: float = 24, turn: str = "1 0 0 1"
) -> bytes:
    """Return the operators that draw a text; `turn` are the first four numbers of its matrix."""
    shown = words.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)").encode("latin-1")
    return b"BT /F %g Tf %s %g %g Tm (%s) Tj ET\n" % (size, turn.encode(), x, y, shown)


def document(pages: Sequence[PdfPage], more: Sequence[bytes] = (), catalog: bytes = b"") -> bytes:
    """Return a PDF file.

    Args:
        pages: Its pages.
        more: Further objects, which get the numbers from 4 on, before those of the pages.
        catalog: Further entries of the catalogue.
    """
    first = 4 + len(more)
    kids = b" ".join(b"%d 0 R" % (first + 2 * i) for i in range(len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R%s>>" % catalog,
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(pages), kids),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        *more,
    ]
    for page in pages:
        box = b" ".join(b"%g" % side for side in page.box)
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents %d 0 R"
            b"/Resources<</Font<</F 3 0 R>>>>%s>>" % (box, len(objects) + 2, page.more)
        )
        objects.append(stream(page.content))
    return file_of(objects)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """Return a stream object."""
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(content), entries, content)


def file_of(objects: Sequence[bytes]) -> bytes:
    """Return a file of objects, of which the first one is the catalogue."""
    out, offsets = io.BytesIO(), []
    out.write(b"%PDF-1.7\n")
    for number, each in enumerate(objects, start=1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, each))
    table = out.tell()
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out.write(b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(offsets) + 1, rows))
    out.write(b"trailer<</Size %d/Root 1 0 R>>\n" % (len(offsets) + 1))
    out.write(b"startxref\n%d\n%%%%EOF\n" % table)
    return out.getvalue()
