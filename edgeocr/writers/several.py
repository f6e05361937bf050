"""Tell one page from several ones, or none, before the first is written."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import TypeVar

Page = TypeVar("Page")


def whether_several(pages: Iterable[Page]) -> tuple[bool, Iterator[Page]]:
    """Return whether there is any other number of pages than one, and all pages again.

    Args:
        pages: The pages, of which the first two are taken at once.
    """
    rest = iter(pages)
    first = list(itertools.islice(rest, 2))
    return len(first) != 1, itertools.chain(first, rest)
