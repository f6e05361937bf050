"""The font of invisible text: every character has the same glyph, which shows nothing.

Text that is not drawn needs no outlines. What a PDF reader needs is the size of a character and the
Unicode text that it stands for, and both fit into a font of a few hundred bytes that serves all
scripts. Real fonts for Chinese, Japanese and Korean would take megabytes.
"""

from __future__ import annotations

import struct
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pikepdf

NAME = "EdgeOCRInvisible"
# The width of every character, and how far it reaches above the baseline and below it, in
# thousandths of the font size. Together they fill the font size, so that what a reader highlights
# is as high as the word.
WIDTH, ASCENT, DESCENT = 500, 800, -200
# Codes for characters beyond U+FFFF. In UTF-16 these codes are halves of such characters, which no
# text holds on their own.
EXTRA = range(0xD800, 0xE000)
# The most ranges that one operator of a character map may hold (Adobe Technical Note 5014).
MOST_RANGES = 100


class InvisibleFont:
    """A font that gives each character of a document a code of two bytes.

    A character up to U+FFFF is its own code. Others get the codes of `EXTRA` in the order in which
    they are met.
    """

    def __init__(self) -> None:
        """Create a font without characters beyond U+FFFF."""
        self._extra: dict[str, int] = {}

    @property
    def is_full(self) -> bool:
        """Whether half of the codes for characters beyond U+FFFF are taken."""
        return len(self._extra) > len(EXTRA) // 2

    def encode(self, text: str) -> bytes:
        """Return the codes of a text, two bytes for each character.

        Args:
            text: The text, without characters that `is_shown` refuses.
        """
        if all(character <= "\uffff" for character in text):
            return text.encode("utf-16-be")
        return b"".join(self._code(character).to_bytes(2, "big") for character in text)

    def _code(self, character: str) -> int:
        point = ord(character)
        if point <= 0xFFFF:
            return point
        if character not in self._extra:
            if len(self._extra) == len(EXTRA):
                return ord("\N{REPLACEMENT CHARACTER}")
            self._extra[character] = EXTRA[len(self._extra)]
        return self._extra[character]

    def dictionary(self, pdf: pikepdf.Pdf) -> pikepdf.Object:
        """Add the font, with the characters that it has by now, to a document.

        Args:
            pdf: The document.

        Returns:
            The font's dictionary, to which pages refer.
        """
        from pikepdf import Array, Dictionary, Name

        program = true_type()
        file = pdf.make_stream(program, Length1=len(program))
        descriptor = pdf.make_indirect(
            Dictionary(
                Type=Name.FontDescriptor,
                FontName=Name("/" + NAME),
                Flags=5,  # fixed pitch, and characters that are not those of Latin alphabets
                FontBBox=Array([0, DESCENT, WIDTH, ASCENT]),
                ItalicAngle=0,
                Ascent=ASCENT,
                Descent=DESCENT,
                CapHeight=ASCENT,
                StemV=80,
                FontFile2=file,
            )
        )
        cid_font = pdf.make_indirect(
            Dictionary(
                Type=Name.Font,
                Subtype=Name.CIDFontType2,
                BaseFont=Name("/" + NAME),
                CIDSystemInfo=Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
                FontDescriptor=descriptor,
                DW=WIDTH,
                CIDToGIDMap=pdf.make_stream(b"\0\1" * 0x10000),
            )
        )
        return pdf.make_indirect(
            Dictionary(
                Type=Name.Font,
                Subtype=Name.Type0,
                BaseFont=Name("/" + NAME),
                Encoding=Name("/Identity-H"),
                DescendantFonts=Array([cid_font]),
                ToUnicode=pdf.make_stream(self._to_unicode()),
            )
        )

    def _to_unicode(self) -> bytes:
        """Return the character map from codes to UTF-16."""
        # The second byte alone may differ within a range.
        ranges = [
            f"<{high:02X}00> <{high:02X}FF> <{high:02X}00>"
            for high in range(0x100)
            if high << 8 not in EXTRA
        ]
        extra = [
            f"<{code:04X}> <{character.encode('utf-16-be').hex().upper()}>"
            for character, code in self._extra.items()
        ]
        parts = [
            "/CIDInit /ProcSet findresource begin",
            "12 dict begin",
            "begincmap",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            "/CMapName /Adobe-Identity-UCS def",
            "/CMapType 2 def",
            "1 begincodespacerange",
            "<0000> <FFFF>",
            "endcodespacerange",
            *_sections(ranges, "bfrange"),
            *_sections(extra, "bfchar"),
            "endcmap",
            "CMapName currentdict /CMap defineresource pop",
            "end",
            "end",
        ]
        return "\n".join(parts).encode("ascii")


def is_shown(character: str) -> bool:
    """Tell whether a PDF can hold a character as text: no control, surrogate or noncharacter."""
    return unicodedata.category(character) not in ("Cc", "Cs") and ord(character) & 0xFFFE != 0xFFFE


def _sections(rows: list[str], operator: str) -> list[str]:
    found = []
    for start in range(0, len(rows), MOST_RANGES):
        part = rows[start : start + MOST_RANGES]
        found += [f"{len(part)} begin{operator}", *part, f"end{operator}"]
    return found


def _glyph() -> bytes:
    """Return a glyph without area: a line from one corner of its cell to the other, and back.

    PDFium, which Chrome uses, highlights the box of a glyph's outline: an empty one has no height.
    """
    header = struct.pack(">hhhhh", 1, 0, DESCENT, WIDTH, ASCENT)
    last_point, no_instructions = struct.pack(">H", 2), struct.pack(">H", 0)
    flags = bytes([1, 1, 1])  # points on the outline, with coordinates of 16 bits
    across = struct.pack(">hhh", 0, WIDTH, -WIDTH)
    up = struct.pack(">hhh", DESCENT, ASCENT - DESCENT, DESCENT - ASCENT)
    glyph = header + last_point + no_instructions + flags + across + up
    return glyph + bytes(-len(glyph) % 4)


def true_type() -> bytes:
    """Return a TrueType font of two equal glyphs, the first of which is for missing characters."""
    glyph, glyphs = _glyph(), 2
    tables = {
        b"glyf": glyph * glyphs,
        b"head": struct.pack(
            ">IIIIHHQQhhhhHHhhh",
            0x00010000,  # version
            0x00010000,  # revision
            0,  # checksum of the whole font, filled in below
            0x5F0F3CF5,  # magic number
            0b1011,  # the baseline is at 0, the left edge too, sizes are whole numbers
            1000,  # units of the font size
            0,  # created
            0,  # modified
            0,
            DESCENT,
            WIDTH,
            ASCENT,
            0,  # neither bold nor italic
            8,  # smallest size in pixels
            2,  # direction, a constant today
            0,  # offsets of 16 bits
            0,
        ),
        b"hhea": struct.pack(
            ">IhhhHhhhhhhhhhhhH", 0x00010000, ASCENT, DESCENT, 0, WIDTH, *(11 * [0]), glyphs
        ),
        b"hmtx": struct.pack(">HhHh", WIDTH, 0, WIDTH, 0),
        b"loca": struct.pack(">HHH", *(len(glyph) // 2 * i for i in range(glyphs + 1))),
        b"maxp": struct.pack(">IH13H", 0x00010000, glyphs, 3, 1, 0, 0, 1, *(8 * [0])),
    }
    count = len(tables)
    power = count.bit_length() - 1
    header = struct.pack(
        ">IHHHH", 0x00010000, count, 16 << power, power, 16 * count - (16 << power)
    )
    rows, body, start = b"", b"", len(header) + 16 * count
    for tag, data in tables.items():
        rows += tag + struct.pack(">III", _checksum(data), start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    font = header + rows + body
    place = font.index(tables[b"head"]) + 8
    adjustment = (0xB1B0AFBA - _checksum(font)) % (1 << 32)
    return font[:place] + adjustment.to_bytes(4, "big") + font[place + 4 :]


def _checksum(data: bytes) -> int:
    data += bytes(-len(data) % 4)
    numbers: tuple[int, ...] = struct.unpack(f">{len(data) // 4}I", data)
    return sum(numbers) % (1 << 32)
