"""Text in XML documents."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

# Characters that no XML 1.0 document can hold. Lone surrogates, which names of files may have, are
# left to `outputs.encoding.encoded`, which writes them as in every other output.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def text(content: str) -> str:
    """Return text as the content of an element; U+FFFD replaces what XML can't hold."""
    return escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", content))


def quoted(value: object) -> str:
    """Return a value as an attribute's value, with quotation marks around it."""
    content = text(str(value)).replace('"', "&quot;")
    # Parsers replace these by spaces unless they are escaped.
    for character in "\t\n\r":
        content = content.replace(character, f"&#{ord(character)};")
    return f'"{content}"'


def comment(content: str) -> str:
    """Return text as a comment, in which hyphens must not follow each other."""
    apart = re.sub("-(?=-)", "- ", _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", content))
    return f"<!-- {apart} -->"


def attributes(**values: object) -> str:
    """Return attributes, each with a space before it; those that are None are left out."""
    return "".join(
        f" {name}={quoted(value)}" for name, value in values.items() if value is not None
    )
