"""Read Label.txt in PaddleOCR's format.

Each row is a picture's name, a tab, and the picture's labelled lines as JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import ConverterError

Polygon: TypeAlias = NDArray[np.float64]
# Transcriptions of lines that are there but must not count.
DONT_CARE = ("###", "*")


@dataclass(frozen=True)
class LabelledLine:
    """A labelled line of a picture.

    Attributes:
        polygon: The line's outline, float64 [K, 2] with K >= 4, in pixels.
        text: The line's text.
        care: False for a line that is there but must not count.
    """

    polygon: Polygon
    text: str
    care: bool


def read(folder: Path) -> dict[Path, list[LabelledLine]]:
    """Return every picture of a folder's Label.txt with its labelled lines.

    Raises:
        ConverterError: A row is not a label; the error names it.
        OSError: There is no Label.txt.
    """
    pictures = {}
    try:
        text = (folder / "Label.txt").read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConverterError(f"Label.txt must be text in UTF-8: {error}") from None
    for row in text.split("\n"):
        if not row.strip():
            continue
        name, _, regions = row.partition("\t")
        try:
            pictures[_picture(folder, name)] = [_line(region) for region in json.loads(regions)]
        except (ValueError, KeyError, TypeError) as error:
            raise ConverterError(
                f"Label.txt: {name:.80}: a JSON list of labelled lines must follow: {error}"
            ) from None
    return pictures


def _picture(folder: Path, name: str) -> Path:
    """Return a picture's path; PPOCRLabel writes the folder's name before the picture's."""
    path = folder / name
    if not path.is_file() and Path(name).parts[:1] == (folder.resolve().name,):
        return folder.joinpath(*Path(name).parts[1:])
    return path


def _line(region: Any) -> LabelledLine:
    polygon = np.array(region["points"], np.float64)
    text = region["transcription"]
    if polygon.ndim != 2 or polygon.shape[1] != 2 or len(polygon) < 4:
        raise ValueError(f"points must be 4 or more pairs [x, y], not {region['points']!r:.80}")
    if not np.isfinite(polygon).all():
        raise ValueError("points must be finite")
    if not isinstance(text, str):
        raise TypeError(f"a transcription must be a string, not {text!r:.80}")
    return LabelledLine(polygon, text, text not in DONT_CARE)
