"""ALTO, checked against its schema."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from lxml import etree

from edgeocr import Page
from edgeocr.writers import alto
from tests.support import read_pages
from tests.support.paths import FIXTURES
from tests.support.read_pages import PAGES

ALTO = {"a": alto.NAMESPACE}


class Offline(etree.Resolver):
    """Finds the schema of XLink beside that of ALTO."""

    def resolve(self, url: str, identifier: str, context: object) -> object:
        if url.endswith("xlink.xsd"):
            return self.resolve_filename(str(FIXTURES / "alto" / "xlink.xsd"), context)
        return None


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    parser = etree.XMLParser()
    parser.resolvers.add(Offline())
    return etree.XMLSchema(etree.parse(FIXTURES / "alto" / "alto-4-4.xsd", parser))


def written(*pages: Page) -> etree._Element:
    stream = io.BytesIO()
    alto.write(pages, stream)
    return etree.fromstring(stream.getvalue())


def texts(root: etree._Element) -> list[str]:
    """Return the text of each line, with the spaces that ALTO marks."""
    return [
        "".join(e.get("CONTENT", " ") for e in line if not e.tag.endswith("Shape"))
        for line in root.iterfind(".//a:TextLine", ALTO)
    ]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_valid(schema: etree.XMLSchema, name: str) -> None:
    root = written(PAGES[name]())
    assert schema.validate(root), schema.error_log


def test_the_schema_finds_faults(schema: etree.XMLSchema) -> None:
    root = written(read_pages.plain())
    string = root.find(".//a:String", ALTO)
    assert string is not None
    string.set("WC", "1.5")
    assert not schema.validate(root)


def test_read_page_is_valid_and_has_the_same_lines(schema: etree.XMLSchema, sample: Page) -> None:
    pages = [sample, read_pages.chinese(), read_pages.right_to_left()]
    root = written(*pages)
    assert schema.validate(root), schema.error_log
    assert texts(root) == [text for page in pages for text in page.texts]
    numbers = [e.get("PHYSICAL_IMG_NR") for e in root.iterfind(".//a:Page", ALTO)]
    assert numbers == ["1", "2", "3"]
    glyphs = [e.get("CONTENT") for e in root.iterfind(".//a:Glyph", ALTO)]
    assert glyphs == [each.text for line in sample for each in line.characters]


def test_document_says_what_made_it_of_what() -> None:
    root = written(read_pages.plain())
    assert root.findtext(".//a:fileName", namespaces=ALTO) == "scans/a.png"
    assert root.findtext(".//a:softwareName", namespaces=ALTO) == "edgeocr"
    assert root.findtext(".//a:MeasurementUnit", namespaces=ALTO) == "pixel"


def test_odd_name_of_a_picture_is_kept() -> None:
    page = replace(read_pages.empty(), source="a--b--->{x}&.png-")
    assert written(page).findtext(".//a:fileName", namespaces=ALTO) == "a--b--->{x}&.png-"


def test_words_stand_where_they_were_read(sample: Page) -> None:
    strings = list(written(sample).iterfind(".//a:String", ALTO))
    words = [word for line in sample for word in line.words]
    for string, word in zip(strings, words, strict=True):
        assert string.get("CONTENT") == word.text
        assert float(string.get("WC", "")) == pytest.approx(word.score, abs=1e-3)
        left, top = word.quad.min(axis=0)
        assert (string.get("HPOS"), string.get("VPOS")) == (str(int(left)), str(int(top)))


def test_characters_are_glyphs_of_their_word() -> None:
    root = written(read_pages.spelled())
    glyphs = root.findall(".//a:String/a:Glyph", ALTO)
    assert [(e.get("CONTENT"), e.get("HPOS"), e.get("GC")) for e in glyphs] == [
        ("合", "10", "0.5"),
        ("计", "30", "0.5"),
    ]


def points(text: str | None) -> list[list[float]]:
    return [[float(x) for x in point.split(",")] for point in (text or "").split()]


def test_curved_line_has_its_outline_and_a_bent_baseline() -> None:
    page = read_pages.curved()
    root = written(page)
    polygon = root.find(".//a:TextLine/a:Shape/a:Polygon", ALTO)
    assert polygon is not None and page[0].polygon is not None
    np.testing.assert_allclose(points(polygon.get("POINTS")), page[0].polygon, atol=0.06)
    line = root.find(".//a:TextLine", ALTO)
    assert line is not None
    assert len(points(line.get("BASELINE"))) == 6


def test_level_lines_have_no_shape_and_a_level_baseline() -> None:
    root = written(read_pages.plain())
    assert root.find(".//a:Shape", ALTO) is None
    (first, second), *_ = (points(e.get("BASELINE")) for e in root.iterfind(".//a:TextLine", ALTO))
    assert first == [20, 27] and second == [180, 27]


def test_turned_text_says_so() -> None:
    # ALTO counts degrees counter-clockwise.
    page = written(read_pages.turned_page()).find(".//a:Page", ALTO)
    assert page is not None and page.get("ROTATION") == "270"
    blocks = written(read_pages.chinese()).findall(".//a:TextBlock", ALTO)
    assert [e.get("ROTATION") for e in blocks] == [None, "270"]


def test_right_to_left_text_says_so() -> None:
    lines = written(read_pages.right_to_left(), read_pages.plain()).findall(".//a:TextLine", ALTO)
    assert [e.get("BASEDIRECTION") for e in lines] == ["rtl", None, None, None]


def test_document_without_pages_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one page"):
        alto.write([], io.BytesIO())
