"""Documents that are read back by other people's parsers, whatever a page holds."""

import csv
import io
import json
from xml.etree import ElementTree

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from edgeocr import Line, Page
from edgeocr.results.lines import blocks_of
from edgeocr.writers import alto, formats, hocr, markdown, paddle, tsv
from edgeocr.writers.paragraphs import HYPHENS
from tests.fuzz.strategies import any_quads

PARSER = MarkdownIt("commonmark").enable("table")
SURROGATES = st.characters(exclude_categories=["Cs"])
TEXTS = st.text(SURROGATES, max_size=20) | st.text("#*_-+=|1.)<&!\\ \t`~[]:", max_size=12)


@st.composite
def pages(draw):
    """Lines anywhere, of which each stands in one block."""
    quads = draw(any_quads(8))
    lines = [Line(draw(TEXTS), draw(st.floats()), quad) for quad in quads]
    width, height = draw(st.integers(1, 300)), draw(st.integers(1, 300))
    groups = [[i] for i in range(len(lines))] if draw(st.booleans()) else [range(len(lines))]
    with np.errstate(all="ignore"):
        blocks = blocks_of(lines, groups if lines else [], draw(st.floats(-3, 3)))
    return Page(draw(st.text(max_size=9)), width, height, tuple(lines), blocks=blocks)


def written(module, page):
    stream = io.BytesIO()
    with np.errstate(all="ignore"):
        module.write([page], stream)
    return stream.getvalue().decode("utf-8")


@given(pages())
def test_xml_is_well_formed_and_every_place_is_on_the_page(page):
    for root in (ElementTree.fromstring(written(module, page)) for module in (hocr, alto)):
        for element in root.iter():
            if "HPOS" in element.attrib:
                place = ("HPOS", "VPOS", "WIDTH", "HEIGHT")
                left, top, width, height = (int(element.attrib[key]) for key in place)
                assert 0 <= left < left + width <= page.width
                assert 0 <= top < top + height <= page.height
        kinds = [element.get("class") or element.tag.rpartition("}")[2] for element in root.iter()]
        assert kinds.count("ocr_line") + kinds.count("TextLine") == len(page)


@given(pages())
def test_rows_have_all_columns(page):
    rows = list(csv.reader(io.StringIO(written(tsv, page)), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert {len(row) for row in rows} == {len(tsv.COLUMNS)}
    assert [row[0] for row in rows].count("4") == len(page)


@given(pages())
def test_labels_are_json_and_python(page):
    name, labels = written(paddle, page).split("\t")
    assert "\n" not in name
    labels = labels.removesuffix("\n")
    assert [label["transcription"] for label in json.loads(labels)] == page.texts
    assert eval(labels, {"false": False}) == json.loads(labels)


@given(pages())
def test_markdown_renders_to_the_texts_alone(page):
    tokens = [
        child for token in PARSER.parse(written(markdown, page)) for child in token.children or []
    ]
    assert {token.type for token in tokens} <= {"text", "text_special", "hardbreak"}
    # Hyphens at the ends of joined lines go, and Markdown replaces null characters.
    left_out = str.maketrans(dict.fromkeys((*HYPHENS, "\0", "\ufffd"), ""))
    shown, expected = (
        sorted("".join("".join(texts).split()).translate(left_out))
        for texts in ([token.content for token in tokens], page.texts)
    )
    assert shown == expected


@given(pages())
def test_every_format_writes_every_page(page):
    for each in formats.ALL:
        if not each.needs_picture:
            stream = io.BytesIO()
            writer = each.open(stream)
            with np.errstate(all="ignore"):
                writer.add(page)
            writer.close()
            stream.getvalue().decode("utf-8")
