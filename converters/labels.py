"""Label.txt in PaddleOCR's format: per line a picture's name, a tab, and its regions as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Polygon: TypeAlias = NDArray[np.float64]
DONT_CARE = ("###", "*")


@dataclass(frozen=True)
class LabelledLine:
    """A line of a picture; `care` is false for one that is there but must not count."""

    polygon: Polygon
    text: str
    care: bool


def read(folder: Path) -> dict[Path, list[LabelledLine]]:
    """Every picture of `folder`/Label.txt with its lines."""
    pictures = {}
    for row in (folder / "Label.txt").read_text(encoding="utf-8").split("\n"):
        if not row.strip():
            continue
        name, _, regions = row.partition("\t")
        pictures[folder / name] = [
            LabelledLine(
                np.array(region["points"], np.float64),
                region["transcription"],
                region["transcription"] not in DONT_CARE,
            )
            for region in json.loads(regions)
        ]
    return pictures
