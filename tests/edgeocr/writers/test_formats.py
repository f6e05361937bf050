"""The registry of formats, and what all formats have in common."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from edgeocr.writers import formats
from tests.support import read_pages
from tests.support.read_pages import PAGES

# The formats that need nothing but the page.
PLAIN = [each for each in formats.ALL if not each.needs_picture]


def written(format_: formats.Format, *pages: object) -> bytes:
    stream = io.BytesIO()
    writer = format_.open(stream, several=len(pages) > 1)
    for page in pages:
        writer.add(page)
    writer.close()
    return stream.getvalue()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.txt", "text"),
        ("a.json", "json"),
        ("a.jsonl", "jsonl"),
        ("a.tsv", "tsv"),
        ("a.hocr", "hocr"),
        ("a.xml", "alto"),
        ("folder.txt/a.PDF", "pdf"),
        ("a.md", "markdown"),
        ("folder/Label.txt", "paddle"),
        ("Cache.cach", "paddle"),
        ("a.JPG", "jpeg"),
        ("a.jpeg", "jpeg"),
        ("a.png", "png"),
    ],
)
def test_ending_tells_the_format(path: str, name: str) -> None:
    assert formats.chosen(path).name == name
    assert formats.chosen(path, "hocr").name == "hocr"


@pytest.mark.parametrize("path", ["a", "a.doc", ".txt", "a.txt.bak"])
def test_unknown_ending_is_an_error_that_lists_the_known_ones(path: str) -> None:
    assert formats.find(path) is None
    with pytest.raises(ValueError, match=r"\.txt, \.json, .*\.pdf.* Label\.txt, Cache\.cach"):
        formats.chosen(path)


def test_unknown_format_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown format 'docx'; choose from text, json, jsonl"):
        formats.chosen("a.txt", "docx")


def test_commands_have_the_formats_that_hold_their_results() -> None:
    names = ("text", "json", "jsonl", "tsv", "hocr", "alto", "pdf", "paddle", "markdown")
    assert names == formats.DOCUMENTS
    assert formats.RECORDS == ("text", "json", "jsonl")
    assert formats.find("a.xml", among=formats.RECORDS) is None


@pytest.mark.parametrize("format_", PLAIN, ids=lambda each: each.name)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_written_as_utf_8_in_one_piece(format_: formats.Format, name: str) -> None:
    class Pieces(io.BytesIO):
        count = 0

        def write(self, content: object) -> int:
            self.count += 1
            return super().write(content)  # type: ignore[arg-type]

    stream = Pieces()
    writer = format_.open(stream)
    begun = stream.count
    writer.add(PAGES[name]())
    assert stream.count - begun <= (2 if format_.name == "alto" else 1)
    writer.close()
    stream.getvalue().decode("utf-8")
    assert not stream.closed


@pytest.mark.parametrize("format_", PLAIN, ids=lambda each: each.name)
def test_a_document_holds_several_pages_in_order(format_: formats.Format) -> None:
    content = written(
        format_, read_pages.plain(), read_pages.empty(), read_pages.chinese()
    ).decode()
    assert -1 < content.index("again") < content.index("很好")


@pytest.mark.parametrize("format_", PLAIN, ids=lambda each: each.name)
def test_module_writes_the_same_as_its_writer(format_: formats.Format) -> None:
    pages = [read_pages.plain(), read_pages.chinese()]
    for some in (pages, pages[:1]):
        stream = io.BytesIO()
        format_._module.write(iter(some), stream)
        assert stream.getvalue() == written(format_, *some)


def test_text_never_shows_who_wrote_it_and_documents_do() -> None:
    shown = {each.name for each in PLAIN if each.is_ours(written(each, read_pages.plain()))}
    assert shown == {"json", "jsonl", "hocr", "alto"}
    for each in PLAIN:
        assert not each.is_ours(b"")
        assert not each.is_ours(b"<html><head><title>edgeocr 0.1</title></head></html>")


def test_registry_imports_no_writer() -> None:
    code = (
        "import sys, edgeocr.writers.formats as f; f.chosen('a.pdf');"
        "print([m for m in sys.modules if m.startswith('edgeocr.writers.') or m == 'numpy'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['edgeocr.writers.formats']"
