"""Searchable PDFs hold every character of a page, whatever the page has and wherever it is."""

import io

import numpy as np
import pikepdf
from hypothesis import given
from hypothesis import strategies as st

from edgeocr import Line, Page
from edgeocr.writers import pdf
from edgeocr.writers.pdf.font import EXTRA, is_shown
from tests.fuzz.strategies import any_quads

TEXTS = st.text(max_size=20) | st.text("ab שלום ١٢ 中文 ()[]%\\<>\0\r\n", max_size=12)


@st.composite
def pages(draw):
    lines = [Line(draw(TEXTS), 0.5, quad) for quad in draw(any_quads(8))]
    rotation = draw(st.sampled_from([0, 90, 180, 270]))
    return Page(
        "p", draw(st.integers(1, 3000)), draw(st.integers(1, 3000)), tuple(lines), rotation=rotation
    )


def shown(page: pikepdf.Page) -> list[bytes]:
    """Return the two-byte codes that a page shows."""
    parts = [
        bytes(each.operands[0])
        for each in pikepdf.parse_content_stream(page)
        if str(each.operator) == "Tj"
    ]
    return [part[i : i + 2] for part in parts for i in range(0, len(part), 2)]


@given(pages())
def test_every_character_is_there(page):
    stream = io.BytesIO()
    writer = pdf.Writer(stream)
    with np.errstate(all="ignore"):
        writer.add(page, np.zeros((9, 13), np.uint8))
    writer.close()
    with pikepdf.open(stream) as document:
        assert document.check_pdf_syntax() == []
        codes = [int.from_bytes(code, "big") for code in shown(document.pages[0])]
    text = [c for c in "".join(page.texts) if is_shown(c) and not c.isspace()]
    found = [chr(code) for code in codes if code not in EXTRA and not chr(code).isspace()]
    # Brackets of right-to-left words are mirrored.
    assert sum(code in EXTRA for code in codes) == sum(c > "\uffff" for c in text)
    assert len(found) == sum(c <= "\uffff" for c in text)
