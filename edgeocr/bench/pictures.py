"""The pictures that a measurement reads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ..errors import EdgeOCRError
from .result import Picture, SourceFailure

SAMPLES = Path(__file__).parents[1] / "samples"
# This picture ends the cold start of every measurement, so that devices can be compared.
FIRST = SAMPLES / "sample.jpg"

# A picture's path, or the reason why a source has none.
PictureSource: TypeAlias = "str | os.PathLike[str] | EdgeOCRError"


@dataclass(frozen=True)
class Pictures:
    """The pictures that can be read, and the sources that cannot.

    Attributes:
        paths: Absolute paths of the pictures.
        records: What the result file tells about each of them.
        failed: The sources that are not pictures, with reasons that may contain folders.
    """

    paths: list[str]
    records: list[Picture]
    failed: list[SourceFailure]


def samples() -> list[Path]:
    """Return the pictures that come with the package."""
    return sorted(SAMPLES.glob("*.jpg"))


def inspect(sources: Iterable[PictureSource]) -> Pictures:
    """Decode every picture once, to record its size and find those that cannot be read.

    Args:
        sources: Paths of pictures. An error stands for a source that has no pictures.
    """
    from .. import images

    found = Pictures([], [], [])
    for source in sources:
        name = _name(source)
        try:
            if isinstance(source, EdgeOCRError):
                raise source
            height, width = images.load(source).shape[:2]
            content = Path(source).read_bytes()
        except (EdgeOCRError, OSError) as error:
            found.failed.append(SourceFailure(name, str(error)))
            continue
        found.paths.append(str(Path(source).absolute()))
        digest = hashlib.sha256(content).hexdigest()
        found.records.append(Picture(name, width, height, len(content), digest))
    return found


def _name(source: PictureSource) -> str:
    return Path((source.source or "") if isinstance(source, EdgeOCRError) else source).name
