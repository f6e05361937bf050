"""The sources that a user names on the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import ImageError


@dataclass(frozen=True)
class NamedSource:
    """A picture with the name that the output has for it, or a folder without pictures.

    Attributes:
        name: The path, or "-" for standard input.
        picture: The path, or the bytes of standard input.
        error: The reason why there is no picture; None where there is one.
    """

    name: str
    picture: str | bytes
    error: ImageError | None = None


def expand(arguments: Iterable[str]) -> Iterator[NamedSource]:
    """Replace each folder by its pictures, and "-" by standard input.

    Args:
        arguments: Files, folders, or "-". Files are not checked.
    """
    for argument in arguments:
        if argument == "-":
            yield NamedSource("-", sys.stdin.buffer.read())
        elif Path(argument).is_dir():
            yield from _pictures_in(argument)
        else:
            yield NamedSource(argument, argument)


def _pictures_in(folder: str) -> Iterator[NamedSource]:
    from ..images import SUFFIXES

    found = sorted(
        str(path)
        for path in Path(folder).iterdir()
        if path.suffix.lower() in SUFFIXES and path.is_file()
    )
    yield from (NamedSource(path, path) for path in found)
    if not found:
        known = " ".join(sorted(SUFFIXES))
        error = ImageError(f"{folder}: no pictures in this folder itself ({known})", source=folder)
        yield NamedSource(folder, folder, error)
