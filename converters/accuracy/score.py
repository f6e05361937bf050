"""How right a reading is: detection and end-to-end precision, recall, Hmean, and CER."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from .labels import LabelledLine, Polygon

IOU = 0.5


@dataclass
class Score:
    """Counts over any number of pictures.

    labelled, found: lines that count. matched: pairs at IoU >= 0.5. exact: pairs with the same
    text after NFKC and without spaces. edits, characters: over all labelled lines; one that was
    not found counts as all its characters deleted.
    """

    labelled: int = 0
    found: int = 0
    matched: int = 0
    exact: int = 0
    edits: int = 0
    characters: int = 0

    def add(self, labels: Sequence[LabelledLine], found: Sequence[tuple[Polygon, str]]) -> None:
        """Count one picture: what is there, and what was found."""
        care = [label for label in labels if label.care]
        ignored = [_shape(label.polygon) for label in labels if not label.care]
        shapes = [_shape(polygon) for polygon, _ in found]
        overlaps = [
            (iou, i, j)
            for i, label in enumerate(care)
            for j, shape in enumerate(shapes)
            if (iou := _iou(_shape(label.polygon), shape)) >= IOU
        ]
        pairs: dict[int, int] = {}
        for _, i, j in sorted(overlaps, reverse=True):
            if i not in pairs and j not in pairs.values():
                pairs[i] = j
        # What was found on a don't-care line and matches nothing else is neither right nor wrong.
        uncounted = sum(
            j not in pairs.values()
            and any(shape.intersection(area).area > shape.area / 2 for area in ignored)
            for j, shape in enumerate(shapes)
        )
        self.labelled += len(care)
        self.found += len(found) - uncounted
        self.matched += len(pairs)
        for i, label in enumerate(care):
            expected = normalized(label.text)
            text = normalized(found[pairs[i]][1]) if i in pairs else ""
            self.exact += i in pairs and expected == text
            self.edits += edit_distance(expected, text)
            self.characters += len(expected)

    def figures(self) -> dict[str, float]:
        """Detection Hmean; end-to-end precision, recall and Hmean of exact lines; CER."""
        precision, recall = _ratio(self.exact, self.found), _ratio(self.exact, self.labelled)
        return {
            "detection_hmean": _ratio(2 * self.matched, self.found + self.labelled),
            "precision": precision,
            "recall": recall,
            "hmean": _ratio(2 * self.exact, self.found + self.labelled),
            "cer": _ratio(self.edits, self.characters),
        }


def same_place(one: Polygon, other: Polygon) -> bool:
    """Whether two polygons overlap enough to be of one line."""
    return _iou(_shape(one), _shape(other)) >= IOU


def normalized(text: str) -> str:
    """NFKC without white space."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def edit_distance(a: str, b: str) -> int:
    """Levenshtein distance, one row of the table at a time."""
    row = np.arange(len(b) + 1)
    codes = np.array([ord(character) for character in b], np.int64)
    offsets = np.arange(len(b) + 1)
    for i, character in enumerate(a, 1):
        candidates = np.empty_like(row)
        candidates[0] = i
        candidates[1:] = np.minimum(row[1:] + 1, row[:-1] + (codes != ord(character)))
        # Insertions run along the row: d[j] = min over k <= j of candidate[k] + (j - k).
        row = np.minimum.accumulate(candidates - offsets) + offsets
    return int(row[-1])


def _shape(polygon: Polygon) -> shapely.Geometry:
    shape = shapely.Polygon(polygon)
    return shape if shape.is_valid else shape.buffer(0)


def _iou(a: shapely.Geometry, b: shapely.Geometry) -> float:
    common = a.intersection(b).area
    return float(common / max(a.area + b.area - common, 1e-9))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
