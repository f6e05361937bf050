"""Text output: a line for each line, and an empty one between two blocks."""

from __future__ import annotations

import io

import numpy as np

from edgeocr import Block, Line, Page
from edgeocr.writers import text

QUAD = np.zeros((4, 2), np.float32)


def page(*blocks: list[str]) -> Page:
    made = [Block(tuple(Line(each, 1.0, QUAD) for each in block), QUAD) for block in blocks]
    lines = tuple(line for block in made for line in block.lines)
    return Page("a.png", 9, 9, lines, blocks=tuple(made))


def test_an_empty_line_stands_between_blocks() -> None:
    written = text.text_of_page(page(["Heading"], ["one", "two"], ["three"]))
    assert written == "Heading\n\none\ntwo\n\nthree\n"


def test_a_single_block_has_no_empty_line() -> None:
    assert text.text_of_page(page(["one", "two"])) == "one\ntwo\n"


def test_lines_without_blocks_are_written_too() -> None:
    lines = (Line("one", 1.0, QUAD), Line("two", 1.0, QUAD))
    assert text.text_of_page(Page("a.png", 9, 9, lines)) == "one\ntwo\n"


def test_nothing_is_written_for_an_empty_page() -> None:
    assert text.text_of_page(Page("a.png", 9, 9, ())) == ""


def test_several_pages_have_headings() -> None:
    pages = [page(["one"]), Page("b.png", 9, 9, ())]
    stream = io.BytesIO()
    text.write(pages, stream)
    assert stream.getvalue().decode() == "==> a.png <==\none\n==> b.png <==\n"
    stream = io.BytesIO()
    text.write(pages[:1], stream)
    assert stream.getvalue().decode() == "one\n"
