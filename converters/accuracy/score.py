"""Score readings: detection's and end-to-end precision, recall and Hmean, and CER."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import shapely
from rapidfuzz.distance import Levenshtein

from .labels import LabelledLine, Polygon

# The intersection over union from which a found region counts as a labelled line.
IOU = 0.5


@dataclass
class Score:
    """Counts over any number of pictures.

    Attributes:
        labelled: Labelled lines that count.
        found: Found lines that count.
        matched: Pairs of a labelled and a found line with an IoU of at least 0.5.
        exact: Pairs whose texts are the same after NFKC and without white space.
        edits: Edit distance between the labelled and the found texts. A labelled line that was not
            found counts as if all its characters were deleted.
        characters: Characters of all labelled lines.
    """

    labelled: int = 0
    found: int = 0
    matched: int = 0
    exact: int = 0
    edits: int = 0
    characters: int = 0

    def add(self, labels: Sequence[LabelledLine], found: Sequence[tuple[Polygon, str]]) -> None:
        """Count one picture.

        Args:
            labels: The labelled lines.
            found: The outlines and texts that were found.
        """
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
        # A region that was found on a line that must not count, and matches no other line, is
        # neither right nor wrong.
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
            self.edits += Levenshtein.distance(expected, text)
            self.characters += len(expected)

    def figures(self) -> dict[str, float]:
        """Return detection's Hmean; precision, recall and Hmean of exact lines; and CER.

        CER is the edits divided by the labelled characters, so it can exceed 1.
        """
        precision, recall = _ratio(self.exact, self.found), _ratio(self.exact, self.labelled)
        return {
            "detection_hmean": _ratio(2 * self.matched, self.found + self.labelled),
            "precision": precision,
            "recall": recall,
            "hmean": _ratio(2 * self.exact, self.found + self.labelled),
            "cer": _ratio(self.edits, self.characters),
        }


def same_place(one: Polygon, other: Polygon) -> bool:
    """Return whether two outlines overlap enough to be of one line."""
    return _iou(_shape(one), _shape(other)) >= IOU


def normalized(text: str) -> str:
    """Return a text in NFKC without white space."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def _shape(polygon: Polygon) -> shapely.Geometry:
    shape = shapely.Polygon(polygon)
    return shape if shape.is_valid else shape.buffer(0)


def _iou(a: shapely.Geometry, b: shapely.Geometry) -> float:
    common = a.intersection(b).area
    return float(common / max(a.area + b.area - common, 1e-9))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
