"""Text in XML documents."""

from __future__ import annotations

import re

# Characters that no XML 1.0 document can hold become U+FFFD. Lone surrogates, which names of files
# may have, are left to `outputs.encoding.encoded`, which writes them as in every other output.
_FORBIDDEN = dict.fromkeys(
    (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0xFFFE, 0xFFFF), "\N{REPLACEMENT CHARACTER}"
)
_TEXT = _FORBIDDEN | {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}
# Parsers replace tabs and newlines in attributes by spaces unless they are escaped.
_ATTRIBUTE = _TEXT | {ord('"'): "&quot;"} | {ord(each): f"&#{ord(each)};" for each in "\t\n\r"}


def text(content: str) -> str:
    """Return text as the content of an element; U+FFFD replaces what XML can't hold."""
    return content.translate(_TEXT)


def quoted(value: object) -> str:
    """Return a value as an attribute's value, with quotation marks around it."""
    return f'"{str(value).translate(_ATTRIBUTE)}"'


def comment(content: str) -> str:
    """Return text as an XML comment, with a space between hyphens, two of which would end it."""
    return f"<!-- {re.sub('-(?=-)', '- ', content.translate(_FORBIDDEN))} -->"


def attributes(**values: object) -> str:
    """Return attributes, each with a space before it; those that are None are left out."""
    return "".join(
        f" {name}={quoted(value)}" for name, value in values.items() if value is not None
    )
