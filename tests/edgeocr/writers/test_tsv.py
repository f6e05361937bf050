"""TSV with tesseract's columns, read with Python's csv."""

from __future__ import annotations

import csv
import io

from edgeocr import Page
from edgeocr.writers import tsv
from tests.support import read_pages

# What `tesseract picture - tsv` (5.3.0) writes above its rows.
TESSERACT = (
    "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
)


def rows(*pages: Page) -> list[dict[str, str]]:
    stream = io.BytesIO()
    tsv.write(pages, stream)
    text = stream.getvalue().decode("utf-8")
    assert text.splitlines()[0] == TESSERACT
    # Tesseract writes quotation marks as they are.
    return list(csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))


def test_rows_are_numbered_as_by_tesseract() -> None:
    numbers = [
        tuple(int(row[key]) for key in TESSERACT.split("\t")[:6])
        for row in rows(read_pages.plain(), read_pages.empty())
    ]
    assert numbers == [
        (1, 1, 0, 0, 0, 0),
        (2, 1, 1, 0, 0, 0),
        (3, 1, 1, 1, 0, 0),
        (4, 1, 1, 1, 1, 0),
        (5, 1, 1, 1, 1, 1),
        (5, 1, 1, 1, 1, 2),
        (5, 1, 1, 1, 1, 3),
        (4, 1, 1, 1, 2, 0),
        (5, 1, 1, 1, 2, 1),
        (2, 1, 2, 0, 0, 0),
        (3, 1, 2, 1, 0, 0),
        (4, 1, 2, 1, 1, 0),
        (5, 1, 2, 1, 1, 1),
        (5, 1, 2, 1, 1, 2),
        (1, 2, 0, 0, 0, 0),
    ]


def test_only_words_have_a_text_and_a_confidence() -> None:
    found = rows(read_pages.plain())
    words = [row for row in found if row["level"] == "5"]
    assert [row["text"] for row in words] == ["Hello", "wide", "world", "again", "The", "end"]
    assert {row["conf"] for row in words} == {"87.500000"}
    others = [row for row in found if row["level"] != "5"]
    assert {(row["conf"], row["text"]) for row in others} == {("-1", "")}


def test_places_are_whole_pixels() -> None:
    page, block, *_ = rows(read_pages.plain())
    place = ("left", "top", "width", "height")
    assert [page[key] for key in place] == ["0", "0", "400", "300"]
    assert [block[key] for key in place] == ["20", "10", "160", "50"]


def test_odd_texts_stay_in_their_column() -> None:
    page = read_pages.odd()
    found = [row["text"] for row in rows(page) if row["level"] == "5"]
    assert "".join(found) == "".join("".join(page.texts).split())


def test_read_words_are_written(sample: Page) -> None:
    found = [row for row in rows(sample) if row["level"] == "5"]
    assert [row["text"] for row in found] == [word.text for line in sample for word in line.words]
