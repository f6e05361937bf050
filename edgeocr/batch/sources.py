"""Sources with the names that the output has for them, and their frames."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any

from ..documents.selection import ALL, Selection
from ..errors import ImageError

if TYPE_CHECKING:
    from ..decoding.limits import Limits
    from ..images import Frame


class NamedBytes(io.BytesIO):
    """The content of a file with its name, which edgeocr takes as an open file.

    Attributes:
        name: What results and errors call it.
    """

    def __init__(self, content: bytes, name: str) -> None:
        """Wrap the content."""
        super().__init__(content)
        self.name = name


@dataclass(frozen=True)
class NamedSource:
    """A picture with the name that the output has for it, or a reason why there is none.

    Attributes:
        name: The path, or "-" for standard input; where a file has several frames, followed by the
            frame's number, as in "scan.tif#2".
        picture: The path, standard input, the content of a pipe, or one of several frames.
        error: The reason why there is no picture; None where there is one.
        stem: What files that are made from the picture are called, without an ending.
        of_folder: Whether the user named the folder and not the picture.
        left: How many frames are known to follow in this file and in the sources after it, each of
            which counts as one.
        done: Whether the output has its result already, so that it is not read again.
    """

    name: str
    picture: str | IO[bytes] | Frame
    error: ImageError | None = None
    stem: str = ""
    of_folder: bool = False
    left: int = 0
    done: bool = False

    @property
    def is_read(self) -> bool:
        """Whether there is a picture that is to be read."""
        return self.error is None and not self.done

    @property
    def frames(self) -> int:
        """The number of frames of the file that this frame is from; 1 while it is unknown."""
        from ..images import Frame

        return self.picture.count if isinstance(self.picture, Frame) else 1


def frames_in(
    source: NamedSource, limits: Limits, options: Mapping[str, Any]
) -> Iterator[NamedSource]:
    """Yield each frame of a source under a name of its own, or the source itself if it has one.

    A pipe or standard input is read to its end.

    Args:
        source: The source, which may be one that has no picture.
        limits: How large files and animations may be.
        options: Options of `frames_of`.
    """
    from ..images import Frame
    from ..stages.frames import frames_of

    if source.error is not None:
        yield source
        return
    wanted = ALL if options.get("pages") is None else Selection.parse(options["pages"])
    for picture in frames_of(source.picture, limits, **options):
        if isinstance(picture, Frame) and picture.count > 1:
            name = f"{source.name}#{picture.number}"
            stem = f"{source.stem}-page-{picture.number}"
            left = wanted.left(picture.number, picture.count)
            yield NamedSource(name, replace(picture, name=name), stem=stem, left=left)
        elif isinstance(picture, Frame):
            yield replace(source, picture=replace(picture, name=source.name))
        else:
            yield source
