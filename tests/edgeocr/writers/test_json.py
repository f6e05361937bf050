"""JSON documents that are written page by page."""

from __future__ import annotations

import io
import json as standard_json

import pytest

from edgeocr import Page
from edgeocr.writers import json, jsonl
from tests.support import read_pages


def written(*pages: Page, several: bool) -> str:
    stream = io.BytesIO()
    writer = json.Writer(stream, several=several)
    for page in pages:
        writer.add(page)
    writer.close()
    return stream.getvalue().decode()


def test_list_is_the_same_as_if_it_were_written_at_once() -> None:
    pages = [read_pages.plain(), read_pages.odd(), read_pages.empty()]
    for count in range(1, 4):
        records = [page.to_dict() for page in pages[:count]]
        assert written(*pages[:count], several=True) == json.document(records)


def test_one_page_is_an_object() -> None:
    page = read_pages.plain()
    assert written(page, several=False) == json.document(page.to_dict())
    assert Page.from_dict(standard_json.loads(written(page, several=False))).texts == page.texts


def test_second_page_of_an_object_is_an_error() -> None:
    with pytest.raises(ValueError, match="several=True"):
        written(read_pages.plain(), read_pages.plain(), several=False)


def test_empty_list_is_a_document() -> None:
    assert standard_json.loads(written(several=True)) == []
    stream = io.BytesIO()
    json.write([], stream)
    assert standard_json.loads(stream.getvalue()) == []


def test_failures_have_a_record() -> None:
    for module in (json, jsonl):
        stream = io.BytesIO()
        writer = module.Writer(stream)
        writer.add_failure("a.jpg", "broken")
        writer.close()
        assert standard_json.loads(stream.getvalue()) == {"source": "a.jpg", "error": "broken"}


def test_json_lines_are_lines() -> None:
    stream = io.BytesIO()
    pages = [read_pages.plain(), read_pages.odd()]
    jsonl.write(pages, stream)
    rows = stream.getvalue().decode().split("\n")
    assert rows.pop() == ""
    assert [standard_json.loads(row)["lines"] for row in rows] == [
        p.to_dict()["lines"] for p in pages
    ]
