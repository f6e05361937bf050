"""What is known of labelled pictures: their lines with places and texts, or their single words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Polygon: TypeAlias = NDArray[np.float64]
# Transcriptions of lines that are there but must not count.
DONT_CARE = ("###", "*")


@dataclass(frozen=True)
class LabelledLine:
    """A labelled line of a picture, or a labelled word, whichever the set's labels outline.

    Attributes:
        polygon: The line's outline, float64 [K, 2] with K >= 3, in pixels.
        text: The line's text.
        care: False for a line that is there but must not count.
    """

    polygon: Polygon
    text: str
    care: bool


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
