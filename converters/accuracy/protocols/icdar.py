"""ICDAR 2015's protocol: detection and end-to-end precision, recall and Hmean.

The official scripts of the Robust Reading Competition (tasks 4.1 and 4.4) define it:

- First, a found region is left out if a region that must not count covers more than half of it.
- The labelled regions are gone through in their order, and the found ones in theirs. A pair matches
  if neither has matched yet and their intersection over union is more than 0.5.
- End to end, a matched pair counts only if the texts agree but for case. One of the characters
  `MARKS` at either end of the labelled text may be missing in what was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import shapely

from edgeocr.accuracy.labels import LabelledLine
from edgeocr.accuracy.places import Polygon

# The intersection over union that a pair must exceed, and the share of a found region's area.
IOU = 0.5
COVERED = 0.5
# Characters that may be missing at either end of a text.
MARKS = "!?.:,*\"()·[]/'"


@dataclass
class IcdarScore:
    """Counts over any number of pictures.

    Attributes:
        labelled: Labelled regions that count.
        found: Found regions that count.
        matched: Pairs that match.
        exact: Pairs that match and whose texts agree.
    """

    labelled: int = 0
    found: int = 0
    matched: int = 0
    exact: int = 0

    def add(self, labels: Sequence[LabelledLine], found: Sequence[tuple[Polygon, str]]) -> None:
        """Count one picture.

        Args:
            labels: The labelled regions.
            found: The outlines and texts that were found, in the order of the result.
        """
        ignored = [_shape(label.polygon) for label in labels if not label.care]
        left = [
            (shape, text)
            for shape, text in ((_shape(polygon), text) for polygon, text in found)
            if not any(_is_covered(shape, area) for area in ignored)
        ]
        care = [label for label in labels if label.care]
        self.labelled += len(care)
        self.found += len(left)
        for label in care:
            region = _shape(label.polygon)
            for i, (shape, text) in enumerate(left):
                if _iou(region, shape) > IOU:
                    self.matched += 1
                    self.exact += same_text(label.text, text)
                    del left[i]
                    break

    def figures(self) -> dict[str, float]:
        """Return precision, recall and Hmean of detection, and the same end to end (`e2e_…`)."""
        return {
            "precision": _ratio(self.matched, self.found),
            "recall": _ratio(self.matched, self.labelled),
            "hmean": _ratio(2 * self.matched, self.found + self.labelled),
            "e2e_precision": _ratio(self.exact, self.found),
            "e2e_recall": _ratio(self.exact, self.labelled),
            "e2e_hmean": _ratio(2 * self.exact, self.found + self.labelled),
        }


def same_text(labelled: str, read: str) -> bool:
    """Tell whether the text that was read is the labelled one by the rules of the benchmark."""
    expected, text = labelled.upper(), read.upper()
    starts = {0, 1} if expected[:1] and expected[0] in MARKS else {0}
    ends = {0, 1} if expected[:1] and expected[-1] in MARKS else {0}
    return any(expected[start : len(expected) - end] == text for start in starts for end in ends)


def _shape(polygon: Polygon) -> shapely.Geometry:
    """Return the area inside a polygon; one that crosses itself becomes several valid polygons."""
    shape = shapely.Polygon(polygon)
    return shape if shape.is_valid else shapely.make_valid(shape)


def _is_covered(shape: shapely.Geometry, area: shapely.Geometry) -> bool:
    return bool(shape.intersection(area).area > COVERED * shape.area > 0)


def _iou(one: shapely.Geometry, other: shapely.Geometry) -> float:
    common = one.intersection(other).area
    whole = one.area + other.area - common
    return float(common / whole) if whole else 0.0


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
