"""Escaping in XML."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from edgeocr.outputs.encoding import encoded
from edgeocr.writers import xml


@pytest.mark.parametrize(
    ("content", "read"),
    [
        ("<a> & ]]> \"'", "<a> & ]]> \"'"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("\x00\x1f\ufffe\x0b", "\ufffd" * 4),
        ("\x7f\x85\u2028🍜", "\x7f\x85\u2028🍜"),
        ("odd\udcff", r"odd\udcff"),
    ],
)
def test_a_parser_reads_what_was_written(content: str, read: str) -> None:
    document = f"<r{xml.attributes(a=content, b=None)}>{xml.text(content)}</r>"
    parsed = ElementTree.fromstring(encoded(document))
    assert parsed.attrib == {"a": read} and parsed.text == read
