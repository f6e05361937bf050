"""The sources that a user names on the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ..errors import EdgeOCRError, ImageError

if TYPE_CHECKING:
    from ..decoding.limits import Limits
    from ..images import Frame


@dataclass(frozen=True)
class NamedSource:
    """A picture with the name that the output has for it, or a folder without pictures.

    Attributes:
        name: The path, or "-" for standard input; where a file has several frames, followed by the
            frame's number, as in "scan.tif[2]".
        picture: The path, standard input or its bytes, or one of several frames.
        error: The reason why there is no picture; None where there is one.
        stem: What files that are made from the picture are called, without an ending.
    """

    name: str
    picture: str | bytes | Frame | IO[bytes]
    error: EdgeOCRError | None = None
    stem: str = ""


def expand(arguments: Iterable[str]) -> Iterator[NamedSource]:
    """Replace each folder by its pictures, and "-" by standard input.

    Args:
        arguments: Files, folders, or "-". Files are not checked.
    """
    for argument in arguments:
        if argument == "-":
            yield NamedSource("-", sys.stdin.buffer, stem="stdin")
        elif Path(argument).is_dir():
            yield from _pictures_in(argument)
        else:
            yield NamedSource(argument, argument, stem=Path(argument).stem)


def with_content(source: NamedSource, limits: Limits) -> NamedSource:
    """Replace standard input by its content, so that its frames can be counted and then read.

    A pipe or a device that has a path is replaced, too.

    Args:
        source: Any source.
        limits: How much may be read.
    """
    from ..decoding.contents import is_regular, read_path
    from ..images import content_of

    picture = source.picture
    if source.error is not None:
        return source
    try:
        if source.name == "-":
            return replace(source, picture=content_of(picture, limits))
        if isinstance(picture, str) and not is_regular(picture):
            return replace(source, picture=read_path(picture, limits))
    except EdgeOCRError as error:
        return replace(source, error=error)
    except (OSError, ValueError):  # reading it reports this
        pass
    return source


def frames_in(source: NamedSource, limits: Limits) -> Iterator[NamedSource]:
    """Yield each frame of a source under a name of its own, or the source itself if it has one.

    Args:
        source: A picture, or what has none.
        limits: How large files and animations may be.
    """
    from ..images import Frame
    from ..stages.frames import frames_of

    if source.error is not None:
        yield source
        return
    for picture in frames_of(source.picture, limits):
        if isinstance(picture, Frame) and picture.count > 1:
            name = f"{source.name}[{picture.number}]"
            stem = f"{source.stem}-page-{picture.number}"
            yield NamedSource(name, replace(picture, name=name), stem=stem)
        elif isinstance(picture, Frame):  # the content of a pipe, which can't be read again
            yield replace(source, picture=replace(picture, name=source.name))
        else:
            yield source


def _pictures_in(folder: str) -> Iterator[NamedSource]:
    from ..images import SUFFIXES

    files = sorted(path for path in Path(folder).iterdir() if path.is_file())
    found = [path for path in files if path.suffix.lower() in SUFFIXES]
    for path in found:
        yield NamedSource(str(path), str(path), stem=path.stem)
    if not found:
        known = " ".join(sorted(SUFFIXES))
        reason = f"{folder}: no pictures in this folder itself ({known})"
        if others := sorted({path.suffix.lower() for path in files if path.suffix}):
            reason += (
                f"; it has {' '.join(others[:5])}: name such files to hear what to do with them"
            )
        yield NamedSource(folder, folder, ImageError(reason, source=folder))
