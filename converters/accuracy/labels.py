"""Sets of labelled pictures: whole pages, or pictures of single words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from edgeocr.accuracy.labels import LabelledLine


@dataclass(frozen=True)
class LabelledWord:
    """A picture of a single word or line, and its text.

    Attributes:
        name: Where the picture is, for tables and errors.
        text: What it says.
        content: Returns the encoded picture, such as the bytes of a JPEG file.
    """

    name: str
    text: str
    content: Callable[[], bytes]


@dataclass(frozen=True)
class LabelledPages:
    """A set of pictures with labelled lines.

    Attributes:
        name: The set's name, that of its folder or label file.
        kind: The format that it was read from, one of `datasets.folder.KINDS`.
        pictures: The labelled lines of each picture.
    """

    name: str
    kind: str
    pictures: Mapping[Path, Sequence[LabelledLine]]


@dataclass(frozen=True)
class LabelledWords:
    """A set of pictures that each show a single word or line.

    Attributes:
        name: The set's name, that of its folder or label file.
        kind: The format that it was read from, one of `datasets.folder.KINDS`.
        words: The pictures with their texts.
    """

    name: str
    kind: str
    words: Sequence[LabelledWord]


Dataset: TypeAlias = LabelledPages | LabelledWords
