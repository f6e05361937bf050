"""Label.txt in PaddleOCR's format: per line a picture's name, a tab, and its regions as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import ConverterError

Polygon: TypeAlias = NDArray[np.float64]
DONT_CARE = ("###", "*")


@dataclass(frozen=True)
class LabelledLine:
    """A line of a picture; `care` is false for one that is there but must not count."""

    polygon: Polygon
    text: str
    care: bool


def read(folder: Path) -> dict[Path, list[LabelledLine]]:
    """Every picture of `folder`/Label.txt with its lines.

    Raises `ConverterError` that names the row which is no label, `OSError` without a Label.txt.
    """
    pictures = {}
    try:
        text = (folder / "Label.txt").read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConverterError(f"Label.txt is no text in UTF-8: {error}") from None
    for row in text.split("\n"):
        if not row.strip():
            continue
        name, _, regions = row.partition("\t")
        try:
            pictures[_picture(folder, name)] = [_line(region) for region in json.loads(regions)]
        except (ValueError, KeyError, TypeError) as error:
            raise ConverterError(
                f"Label.txt: {name:.80}: no list of labelled lines: {error}"
            ) from None
    return pictures


def _picture(folder: Path, name: str) -> Path:
    """Named as it lies in the folder or, as PPOCRLabel does, with the folder's name before it."""
    path = folder / name
    if not path.is_file() and Path(name).parts[:1] == (folder.resolve().name,):
        return folder.joinpath(*Path(name).parts[1:])
    return path


def _line(region: Any) -> LabelledLine:
    polygon = np.array(region["points"], np.float64)
    text = region["transcription"]
    if polygon.ndim != 2 or polygon.shape[1] != 2 or len(polygon) < 4:
        raise ValueError(f"points are 4 or more of [x, y], not {region['points']!r:.80}")
    if not np.isfinite(polygon).all():
        raise ValueError("points must be finite")
    if not isinstance(text, str):
        raise TypeError(f"a transcription is a text, not {text!r:.80}")
    return LabelledLine(polygon, text, text not in DONT_CARE)
