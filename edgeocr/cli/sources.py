"""The sources that a user names on the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISDIR
from typing import IO, TYPE_CHECKING

from ..errors import EdgeOCRError, ImageError
from .streams import standard_input

if TYPE_CHECKING:
    from ..decoding.limits import Limits
    from ..images import Frame


@dataclass(frozen=True)
class NamedSource:
    """A picture with the name that the output has for it, or a reason why there is none.

    Attributes:
        name: The path, or "-" for standard input; where a file has several frames, followed by the
            frame's number, as in "scan.tif[2]".
        picture: The path, standard input, the content of a pipe, or one of several frames.
        error: The reason why there is no picture; None where there is one.
        stem: What files that are made from the picture are called, without an ending.
        of_folder: Whether the user named the folder and not the picture.
    """

    name: str
    picture: str | IO[bytes] | Frame
    error: ImageError | None = None
    stem: str = ""
    of_folder: bool = False

    @property
    def frames(self) -> int:
        """The number of frames of the file that this frame is from; 1 while it is unknown."""
        from ..images import Frame

        return self.picture.count if isinstance(self.picture, Frame) else 1


def expand(arguments: Iterable[str]) -> Iterator[NamedSource]:
    """Replace each folder by its pictures, and "-" by standard input.

    Args:
        arguments: Files, folders, or "-". Files are not checked, and nothing is read from them: one
            that does not exist, or has an impossible name, fails when it is read.

    Yields:
        The sources. A folder that has no pictures, or can't be read, is a source with an error.
    """
    taken = False
    for argument in arguments:
        if argument == "-":
            yield _standard_input(taken)
            taken = True
        elif not argument:
            yield NamedSource(argument, argument, ImageError("the name of a source is empty"))
        elif _is_folder(argument):
            yield from _pictures_in(argument)
        else:
            yield NamedSource(argument, argument, stem=Path(argument).stem)


def frames_in(source: NamedSource, limits: Limits) -> Iterator[NamedSource]:
    """Yield each frame of a source under a name of its own, or the source itself if it has one.

    A pipe or standard input is read to its end.

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
        elif isinstance(picture, Frame):
            yield replace(source, picture=replace(picture, name=source.name))
        else:
            yield source


def _standard_input(taken: bool) -> NamedSource:
    if taken:
        return NamedSource(
            "-", "-", ImageError("standard input has been read already: name - once")
        )
    try:
        return NamedSource("-", standard_input(), stem="stdin")
    except EdgeOCRError as error:
        return NamedSource("-", "-", ImageError(str(error)))


def _is_folder(argument: str) -> bool:
    try:
        return S_ISDIR(os.stat(argument).st_mode)  # noqa: PTH116
    except (OSError, ValueError):  # reading it says what is wrong
        return False


def _pictures_in(folder: str) -> Iterator[NamedSource]:
    from ..images import SUFFIXES

    try:
        with os.scandir(folder) as entries:
            files = [Path(folder, entry.name) for entry in entries if _may_be_file(entry)]
    except OSError as error:
        reason = f"{folder}: the folder can't be read: {error.strerror or error}"
        yield NamedSource(folder, folder, ImageError(reason, source=folder), of_folder=True)
        return
    found = sorted(path for path in files if path.suffix.lower() in SUFFIXES)
    for path in found:
        yield NamedSource(str(path), str(path), stem=path.stem, of_folder=True)
    if not found:
        known = " ".join(sorted(SUFFIXES))
        reason = f"{folder}: no pictures in this folder itself ({known})"
        if others := sorted({path.suffix.lower() for path in files if path.suffix}):
            reason += (
                f"; it has {' '.join(others[:5])}: name such files to hear what to do with them"
            )
        yield NamedSource(folder, folder, ImageError(reason, source=folder), of_folder=True)


def _may_be_file(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry of a folder is a file, or can't be examined, which reading reports."""
    try:
        return entry.is_file()
    except OSError:
        return True
