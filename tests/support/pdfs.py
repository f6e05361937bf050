"""Write PDF files by hand, so that tests know every byte of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from edgeocr.writers.pdf.font import true_type

# How many pages a node of the tree of pages has.
KIDS = 100
A4 = (0.0, 0.0, 595.0, 842.0)


@dataclass(frozen=True)
class PdfPage:
    """A page.

    Attributes:
        content: The operators that draw it. The font /F is Helvetica.
        box: The MediaBox, in points.
        more: Further entries of the page's dictionary.
        resources: Further entries of its resources.
        fonts: Further fonts, as in b"/G 4 0 R".
    """

    content: bytes = b""
    box: tuple[float, ...] = A4
    more: bytes = b""
    resources: bytes = b""
    fonts: bytes = b""


def text(
    words: str,
    x: float = 72,
    y: float = 700,
    size: float = 24,
    *,
    turn: tuple[float, float, float, float] = (1, 0, 0, 1),
    font: str = "F",
    mode: int = 0,
) -> bytes:
    """Return the operators that draw a text.

    Args:
        words: The text; with another font than F, its codes in hexadecimal.
        x: Where its baseline begins, in points from the left.
        y: The same, from below.
        size: The font size.
        turn: The first four numbers of the text's matrix.
        font: Name of the font.
        mode: How the text is drawn; 3 is invisible.
    """
    escaped = words.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    shown = f"({escaped})" if font == "F" else f"<{words}>"
    matrix = " ".join(f"{each:.6f}" for each in (*turn, x, y))
    return f"BT /{font} {size:g} Tf {mode} Tr {matrix} Tm {shown} Tj ET\n".encode("latin-1")


def document(pages: Sequence[PdfPage], more: Sequence[bytes] = (), catalog: bytes = b"") -> bytes:
    """Return a PDF file.

    Args:
        pages: Its pages.
        more: Further objects, which get the numbers from 4 on, before those of the pages.
        catalog: Further entries of the catalogue.
    """
    groups = [pages[i : i + KIDS] for i in range(0, len(pages), KIDS)]
    first = 4 + len(more)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R%s>>" % catalog,
        b"<</Type/Pages/Count %d/Kids[%s]>>"
        % (len(pages), b" ".join(b"%d 0 R" % (first + i) for i in range(len(groups)))),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        *more,
    ]
    following = first + len(groups)
    for group in groups:
        kids = b" ".join(b"%d 0 R" % (following + 2 * i) for i in range(len(group)))
        objects.append(b"<</Type/Pages/Parent 2 0 R/Count %d/Kids[%s]>>" % (len(group), kids))
        following += 2 * len(group)
    for page in pages:
        box = b" ".join(b"%.2f" % side for side in page.box)
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents %d 0 R"
            b"/Resources<</Font<</F 3 0 R%s>>%s>>%s>>"
            % (box, len(objects) + 2, page.fonts, page.resources, page.more)
        )
        objects.append(stream(page.content))
    return file_of(objects)


def numbered(count: int) -> bytes:
    """Return a file with small pages that show their numbers, of 60 × 20 points each."""
    return document([PdfPage(text(str(i), 4, 4, 16), (0, 0, 60, 20)) for i in range(1, count + 1)])


def renamed(meanings: str) -> list[bytes]:
    """Return a font whose codes from 41 (hexadecimal) on mean other characters than they show.

    Args:
        meanings: What the codes mean, one character each.

    Returns:
        Two objects, the font and the stream with its meanings, as objects 4 and 5 of a document.
    """
    rows = "".join(
        f"<{0x41 + i:02x}> <{each.encode('utf-16-be').hex()}>\n" for i, each in enumerate(meanings)
    )
    meaning = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def\n"
        "1 begincodespacerange <00> <ff> endcodespacerange\n"
        f"{len(meanings)} beginbfchar\n{rows}endbfchar endcmap end end"
    )
    return [
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 5 0 R>>",
        stream(meaning.encode()),
    ]


def chinese(direction: str = "H") -> list[bytes]:
    """Return a font whose codes are UTF-16, as objects 4 to 8 of a document.

    It is embedded, since the places of characters depend on the fonts of the system otherwise. All
    its characters look the same.

    Args:
        direction: "H" for lines and "V" for columns.
    """
    return [
        b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UTF16-%s"
        b"/DescendantFonts[5 0 R]>>" % direction.encode(),
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/STSong-Light"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 5>>"
        b"/FontDescriptor 6 0 R/DW 1000/CIDToGIDMap 8 0 R>>",
        b"<</Type/FontDescriptor/FontName/STSong-Light/Flags 6/FontBBox[0 -200 1000 900]"
        b"/ItalicAngle 0/Ascent 880/Descent -120/CapHeight 880/StemV 80/FontFile2 7 0 R>>",
        stream(true_type()),
        stream(b"\0\1" * 0x8000),
    ]


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
