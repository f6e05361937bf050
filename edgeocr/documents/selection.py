"""Which pages or frames of a file are wanted, as a user writes it: `1-3,7,10-`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_PART = re.compile(r"\s*(\d{1,9})\s*(?:(-)\s*(\d{1,9})?\s*)?", re.ASCII)
# The most numbers of missing pages that a message lists.
MOST_LISTED = 5


@dataclass(frozen=True)
class Selection:
    """Numbers of pages, counted from 1.

    Attributes:
        ranges: The first and the last number of each range, in ascending order and apart from each
            other; the last range may be open at its end (None).
    """

    ranges: tuple[tuple[int, int | None], ...]

    @classmethod
    def parse(cls, pages: str | Iterable[int]) -> Selection:
        """Return the selection that a text such as `1-3,7,10-`, or numbers, stand for.

        Raises:
            ValueError: The text has another form, a number is below 1, or there is none.
            TypeError: This is neither a text nor a collection of whole numbers.
        """
        if isinstance(pages, (bytes, bytearray)) or not isinstance(pages, Iterable):
            raise TypeError(
                f"pages must be a text like 1-3,7 or a list of numbers, not {pages!r:.40}"
            )
        if not isinstance(pages, str):
            return cls._merged([(_number(each), each) for each in pages])
        found: list[tuple[int, int | None]] = []
        for part in pages.split(","):
            match = _PART.fullmatch(part)
            if match is None:
                raise ValueError(f"pages must be written like 1-3,7,10- and not {pages!r:.60}")
            first = int(match[1])
            last = first if match[2] is None else int(match[3]) if match[3] else None
            if first < 1 or (last is not None and last < first):
                raise ValueError(
                    f"pages are counted from 1, and a range ends at or after its first page: "
                    f"{part.strip()!r} can't be read"
                )
            found.append((first, last))
        return cls._merged(found)

    @classmethod
    def _merged(cls, ranges: list[tuple[int, int | None]]) -> Selection:
        if not ranges:
            raise ValueError("pages must name at least one page")
        merged: list[tuple[int, int | None]] = []
        for first, last in sorted(ranges, key=lambda each: each[0]):
            end = merged[-1][1] if merged else 0
            if end is None:
                break
            if merged and first <= end + 1:
                merged[-1] = (merged[-1][0], None if last is None else max(end, last))
            else:
                merged.append((first, last))
        return cls(tuple(merged))

    def __contains__(self, number: int) -> bool:
        """Tell whether a page is wanted."""
        return any(
            first <= number and (last is None or number <= last) for first, last in self.ranges
        )

    def numbers(self, count: int) -> Iterator[int]:
        """Yield the wanted pages of a file with `count` pages, in ascending order."""
        for first, last in self.ranges:
            yield from range(first, min(count, count if last is None else last) + 1)

    def left(self, number: int, count: int) -> int:
        """Return how many pages after this one are wanted, of a file with `count` pages."""
        return sum(
            max(0, (count if last is None else min(count, last)) - max(first, number + 1) + 1)
            for first, last in self.ranges
        )

    def missing(self, count: int) -> str | None:
        """Say which wanted pages a file with `count` pages lacks; return None if it has all."""
        lacking = []
        for first, last in self.ranges:
            if (last if last is not None else first) > count:
                start = max(first, count + 1)
                lacking.append(
                    f"{start}" if last == start else f"{start}-{'' if last is None else last}"
                )
        if not lacking:
            return None
        named = ", ".join(lacking[:MOST_LISTED]) + (", …" if len(lacking) > MOST_LISTED else "")
        has = "1 page" if count == 1 else f"{count} pages"
        return f"it has {has}, but not the wanted pages {named}"


ALL = Selection(((1, None),))


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"pages must be whole numbers or a text like 1-3,7, not {value!r:.40}")
    if value < 1:
        raise ValueError(f"pages are counted from 1, not from {value}")
    return value
