"""Markdown, rendered by markdown-it."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Sequence

import numpy as np
import pytest
from markdown_it import MarkdownIt

from edgeocr import OCR, Line, Page, Word
from edgeocr.layout import analyse
from edgeocr.results.lines import blocks_of
from edgeocr.writers import markdown
from tests.support import read_pages, sheet_columns, sheet_tables
from tests.support.paths import IMAGES
from tests.support.quads import level
from tests.support.read_pages import line, page_of, turned
from tests.support.sheets import Sheet, imitated

PARSER = MarkdownIt("commonmark").enable("table")


def written(*pages: Page) -> str:
    stream = io.BytesIO()
    markdown.write(pages, stream)
    return stream.getvalue().decode("utf-8")


def elements(text: str) -> list[tuple[str, str]]:
    """Return the name and the text of each heading and paragraph, and of each table's cells."""
    found = []
    tokens = PARSER.parse(text)
    for before, token in itertools.pairwise(tokens):
        if token.type == "inline":
            children = token.children or []
            assert {child.type for child in children} <= {"text", "hardbreak", "text_special"}
            content = "".join("\n" if c.type == "hardbreak" else c.content for c in children)
            found.append((before.tag, content))
    return found


def lines_at(
    texts: Sequence[str], x: float = 20, width: float = 360, size: float = 12
) -> list[Line]:
    """Return lines one below the other; the last one is shorter."""
    ends = [width] * (len(texts) - 1) + [width / 3]
    return [
        line(text, level(x, 20 + 20 * i, end, size))
        for i, (text, end) in enumerate(zip(texts, ends, strict=True))
    ]


def table_of(
    rows: Sequence[Sequence[str]], *, lefts: Sequence[float] = (20, 180, 300)
) -> list[Line]:
    return [
        line(cell, level(x, 20 + 20 * i, 8 * len(cell), 14))
        for i, row in enumerate(rows)
        for x, cell in zip(lefts, row, strict=False)
        if cell
    ]


PROSE = [
    "The quick brown fox jumps over the lazy",
    "dog and runs through the fo-",
    "rest. It is late.",
]


def test_lines_of_a_paragraph_are_joined_and_hyphens_go() -> None:
    expected = (
        "The quick brown fox jumps over the lazy dog and runs through the forest. It is late."
    )
    assert elements(written(page_of(lines_at(PROSE)))) == [("p", expected)]


def test_chinese_lines_are_joined_without_spaces_and_korean_ones_with() -> None:
    chinese = ["云杉市图书馆一层大厅举办读书", "节活动，欢迎广大市民参加并携", "带书籍。"]
    assert elements(written(page_of(lines_at(chinese)))) == [("p", "".join(chinese))]
    korean = [
        "오늘 우리는 도서관에서 책을 읽고 함께",
        "이야기를 나누었습니다 그리고 집으로",
        "갔다",
    ]
    assert elements(written(page_of(lines_at(korean)))) == [("p", " ".join(korean))]


def test_lines_that_end_early_stay_lines() -> None:
    texts = ["Anna Example, engineer", "Long Street 12 in the old town", "12345 Somewhere on sea"]
    page = page_of([line(t, level(20, 20 + 20 * i, 9 * len(t), 14)) for i, t in enumerate(texts)])
    assert elements(written(page)) == [("p", "\n".join(texts))]


def test_turned_paragraph_is_joined_like_a_level_one() -> None:
    level_lines = lines_at(PROSE)
    for degrees in (5, 90, 180, 270):
        quads = [turned(each.quad, degrees) for each in level_lines]
        # Words tell where the text of a line begins.
        some = [
            line(each.text, quad, words=(Word(each.text, 1.0, quad),))
            for each, quad in zip(level_lines, quads, strict=True)
        ]
        assert written(page_of(some)) == written(page_of(level_lines))


def test_column_of_chinese_is_joined() -> None:
    columns = ["云杉市图书馆一层大厅举办读书", "节活动，欢迎广大市民参加并携", "带书籍。"]
    some = [
        line(text, level(300 - 30 * i, 10, 16, 16 * len(text))) for i, text in enumerate(columns)
    ]
    assert elements(written(page_of(some))) == [("p", "".join(columns))]


ROWS = [["Item", "Pieces", "Price"], ["Green tea", "2", "56.00"], ["Bread | rye", "", "9.50"]]


def test_rows_and_columns_are_a_table() -> None:
    html = PARSER.render(written(page_of(table_of(ROWS))))
    assert re.findall(r"<th>(.*?)</th>", html) == ROWS[0]
    assert re.findall(r"<td>(.*?)</td>", html) == ROWS[1] + ROWS[2]


def test_table_of_hebrew_begins_at_the_right() -> None:
    rows = [["מחיר", "שם"], ["12", "חלב טרי"], ["15", "לחם"]]
    lines = [each for row in rows for each in reversed(table_of([row]))]
    lines = [
        line(each.text, each.quad + np.array([0, 20 * (i // 2)], np.float32))
        for i, each in enumerate(lines)
    ]
    html = PARSER.render(written(page_of(lines)))
    assert re.findall(r"<t[hd]>(.*?)</t[hd]>", html) == [c for row in rows for c in reversed(row)]


@pytest.mark.parametrize(
    "rows",
    [
        [["one", "two"]],
        [["a cell that is as wide as all"], ["one", "two"]],
        [["one", "two"], ["a cell that is as wide as both", ""]],
    ],
)
def test_what_is_no_plain_table_stays_lines(rows: list[list[str]]) -> None:
    assert {tag for tag, _ in elements(written(page_of(table_of(rows))))} == {"p"}


def test_columns_that_are_not_aligned_are_no_table() -> None:
    lines = [
        line(cell, level(x, 20 + 20 * i, 20 + 31 * i % 40, 14))
        for i, (left, right) in enumerate(zip((20, 90, 40, 5), (200, 330, 260, 370), strict=True))
        for x, cell in ((left, "left"), (right, "right"))
    ]
    assert elements(written(page_of(lines))) == [("p", "\n".join(["left right"] * 4))]


def test_headings_are_clearly_larger_than_body_text() -> None:
    body = lines_at(PROSE)
    title = [line("Title", level(20, 5, 90, 12 * 2.5))]
    section = [line("Section", level(20, 5, 90, 12 * 1.7))]
    bold = [line("Same size", level(20, 5, 90, 12 * 1.2))]
    found = elements(written(page_of(title, body, section, bold)))
    assert [tag for tag, _ in found] == ["h1", "p", "h2", "p"]
    # Without body text, nothing is a heading.
    assert elements(written(page_of(title, bold)))[0] == ("p", "Title")


def test_pictures_have_headings_above_those_of_the_page() -> None:
    body, title = lines_at(PROSE), [line("Title", level(20, 5, 90, 12 * 2.5))]
    page = page_of(title, body, source="a_[1].png")
    found = elements(written(page, read_pages.empty()))
    assert [each for each in found if each[0] != "p"] == [
        ("h1", "a_[1].png"),
        ("h2", "Title"),
        ("h1", "scans/empty.png"),
    ]
    assert written(read_pages.empty()) == ""


ODD = [
    *read_pages.ODD,
    "+ plus",
    "-8.35",
    "= =",
    "# ",
    "- ",
    "1.",
    ":--",
    "--:",
    "- - -",
    "a #",
    "===",
    "---",
    "> quote",
    "12) twelve",
    "2031. was a year",
    "&amp; &#65; &",
    "![picture](x)",
    "http://example.org <http://example.org>",
    "C:\\folder\\*.txt",
    "***",
    "~~~",
    "    spaces",
    "a  b",
    "|---|---|",
    ": colon",
]


@pytest.mark.parametrize("text", ODD)
def test_nothing_in_a_text_means_anything(text: str) -> None:
    # Below another line, and in a table.
    lines = [line("above", level(20, 10, 50, 14)), line(text, level(20, 30, 100, 14))]
    ((tag, found),) = elements(written(page_of(lines)))
    assert (tag, shown(found)) == ("p", f"above {shown(text)}")
    (heading, *_) = elements(written(page_of([line(text, level(20, 5, 90, 36))], lines_at(PROSE))))
    assert (heading[0], shown(heading[1])) == ("h1", shown(text))
    cells = elements(written(page_of(table_of([["x", text[:12]], ["y", "z"]]))))
    assert [shown(cell) for _, cell in cells] == ["x", shown(text[:12]), "y", "z"]


def test_what_means_nothing_is_not_escaped() -> None:
    for text in ("-8.35", "2.97 × 3.8", "#12 a-b 1.", "+49 (0)", "50 & 60!", "{x} $5 ^", "a: b"):
        assert written(page_of([line(text, level(20, 10, 50, 14))])) == f"{text}\n"


def shown(text: str) -> str:
    return " ".join(text.split())


def laid_out(sheet: Sheet, random: np.random.Generator) -> Page:
    quads, texts = imitated(sheet, random)
    layout = analyse(quads, texts=texts)
    lines = [Line(text, 1.0, quad) for text, quad in zip(texts, quads, strict=True)]
    blocks = blocks_of(lines, layout.blocks, layout.slant)
    return Page(
        "a.png", sheet.width, sheet.height, tuple(lines[i] for i in layout.order), blocks=blocks
    )


@pytest.mark.parametrize(
    "kind", ["level_table", "chinese_table", "skewed_table", "perspective_table"]
)
def test_random_tables_are_tables(kind: str) -> None:
    whole = 0
    for seed in range(20):
        random = np.random.default_rng([7, seed])
        page = laid_out(getattr(sheet_tables, kind)(random), random)
        html = PARSER.render(written(page))
        cells = [cell for cell in re.findall(r"<t[hd]>(.*?)</t[hd]>", html) if cell]
        whole += html.count("<table>") == 1 and len(cells) >= 0.75 * len(page)
    assert whole >= 15


@pytest.mark.parametrize("kind", ["two_columns", "newspaper"])
def test_columns_of_prose_are_no_tables(kind: str) -> None:
    for seed in range(10):
        random = np.random.default_rng([8, seed])
        page = laid_out(getattr(sheet_columns, kind)(random), random)
        assert "<table>" not in PARSER.render(written(page))


def test_receipt_is_a_table_between_lines(ocr: OCR) -> None:
    page = ocr.read(IMAGES / "receipt.jpg")
    html = PARSER.render(written(page))
    assert html.count("<table>") == 1
    rows = re.findall(r"<td>(.*?)</td>\n<td>(.*?)</td>", html)
    assert ("Whole milk 2 pcs", "12.80") in rows and ("合计TOTAL", "158.67") in rows
    assert html.index("Tel 555-0117") < html.index("<table>") < html.index("Thank you")
