"""The page and the Markdown of a proof."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from benchmarks.proof import page
from tests.support.proofs import PROOF


class Reader(HTMLParser):
    """Collects the tags and the texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_page_shows_every_text_and_lets_none_become_markup() -> None:
    read = Reader(page.html(PROOF))
    assert read.open == []
    assert not {"script", "b", "i", "link", "img"}.intersection(read.tags)
    said = " ".join(read.texts)
    for text in (
        *("A <Processor>", "NVIDIA <GPU>", "b<i>.jpg", "Same <b>texts</b>."),
        *("it <script>reads</script>", "Pages <in turn>", "cuda | fp32", "12.35", "cpu & more"),
        *("holds", "fails", "could not be tried", "graphs in fp32, int8", "123 s of 10 minutes"),
    ):
        assert text in said, text


def test_page_needs_no_other_file() -> None:
    text = page.html(PROOF)
    assert not re.search(r"(src|href)=(?!\"#)|@import|url\(", text)


def test_links_of_the_verdicts_lead_to_their_sections() -> None:
    text = page.html(PROOF)
    links, anchors = (re.findall(each, text) for each in (r'href="#([^"]+)"', r'id="([^"]+)"'))
    assert links == anchors == ["speed", "lower-precision", "memory"]


def test_markdown_renders_as_tables_with_the_same_texts() -> None:
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(page.markdown(PROOF))
    read = Reader(rendered)
    assert not {"script", "b", "i"}.intersection(read.tags)
    said = "".join(read.texts)
    for text in ("A <Processor>", "it <script>reads</script>", "cuda | fp32", "12.35"):
        assert text in said, text
    assert read.tags.count("table") == 2


def test_a_rehearsal_and_an_interruption_are_said_first() -> None:
    assert page.remarks(PROOF) == []
    rehearsal, cut = page.remarks(replace(PROOF, stand_in="openvino", interrupted=True))
    assert "'openvino' stood in for the GPU" in rehearsal and "interrupted" in cut
    said = page.html(replace(PROOF, stand_in="openvino"))
    assert said.index("stood in for the GPU") < said.index("<table")


@pytest.mark.parametrize(
    ("cell", "said"),
    [(None, "–"), (True, "yes"), (False, "no"), (0.000012345, "1.234e-05"), (12, "12"), ("x", "x")],
)
def test_cells_in_words(cell: object, said: str) -> None:
    assert page.shown(cell) == said  # type: ignore[arg-type]
