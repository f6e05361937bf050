"""What reading a picture gives: regions, readings, lines and pages."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np

from .postprocess.geometry import Float32


@dataclass(frozen=True, eq=False)
class Region:
    """A place where there is text.

    quad: float32 [4, 2], corners in image pixels (x, y), clockwise from the top left.
    score: 0…1, how sure the detector is.
    polygon: float32 [K, 2] when the bundle finds polygons, else None.
    """

    quad: Float32
    score: float
    polygon: Float32 | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, coordinates to a hundredth of a pixel."""
        return {"score": round(self.score, 4), **_shape(self.quad, self.polygon)}


class Reading(NamedTuple):
    """The text of one crop and the mean probability of its characters, 0…1."""

    text: str
    score: float


@dataclass(frozen=True, eq=False)
class Line:
    """A line of text: what it says, how sure the recognizer is (0…1), and where it stands.

    quad and polygon are as in `Region`.
    """

    text: str
    score: float
    quad: Float32
    polygon: Float32 | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, coordinates to a hundredth of a pixel."""
        return {
            "text": self.text,
            "score": round(self.score, 4),
            **_shape(self.quad, self.polygon),
        }


@dataclass(frozen=True, eq=False)
class Page:
    """A picture that has been read.

    source: what it was read from, as a name.
    width, height: of the picture in pixels, after its EXIF orientation.
    lines: in reading order.
    milliseconds: wall time of each stage.
    providers: the execution provider that each stage ran on.
    """

    source: str
    width: int
    height: int
    lines: tuple[Line, ...]
    milliseconds: dict[str, float]
    providers: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The lines' texts, one per line."""
        return "\n".join(line.text for line in self.lines)

    def to_dict(self) -> dict[str, Any]:
        """What `--format json` writes."""
        return {
            "source": self.source,
            "width": self.width,
            "height": self.height,
            "lines": [line.to_dict() for line in self.lines],
            "milliseconds": {stage: round(ms, 3) for stage, ms in self.milliseconds.items()},
        }


Placed = TypeVar("Placed", Line, Region)


def scaled(found: Placed, scale: tuple[float, float]) -> Placed:
    """The line or region with x and y of its points multiplied."""
    factors = np.array(scale, np.float32)
    polygon = None if found.polygon is None else found.polygon * factors
    return replace(found, quad=found.quad * factors, polygon=polygon)


def reading_order(quads: Float32) -> list[int]:
    """Order of quads [N, 4, 2] as they are read: rows from the top, each from the left.

    A region belongs to a row when its middle lies within the middle half of the row's first
    region, or the other way round, so that an uneven row stays together. Rows may slant: the
    page is levelled first by the median direction of its wide regions.
    """
    if not len(quads):
        return []
    quads = _levelled(quads)
    top, bottom = quads[..., 1].min(axis=1), quads[..., 1].max(axis=1)
    middle, left = (top + bottom) / 2, quads[..., 0].min(axis=1)
    # Tall regions (vertical text) would swallow all rows beside them: they count by their top.
    width = quads[..., 0].max(axis=1) - left
    tall = bottom - top > 2 * width
    height = np.where(tall, width, bottom - top)
    middle = np.where(tall, top + height / 2, middle)

    order: list[int] = []
    rest = np.argsort(middle, kind="stable")
    while len(rest):
        first = rest[0]
        reach = np.maximum(height[first], height[rest]) / 4
        near = np.abs(middle[rest] - middle[first]) <= np.maximum(reach, 1)
        row = rest[near]
        order.extend(row[np.argsort(left[row], kind="stable")].tolist())
        rest = rest[~near]
    return order


def _levelled(quads: Float32) -> Float32:
    along = quads[:, 1] - quads[:, 0]
    wide = np.linalg.norm(along, axis=1) > 2 * np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1)
    if not wide.any():
        return quads
    slant = np.median(np.arctan2(along[wide, 1], along[wide, 0]))
    cos, sin = np.cos(slant), np.sin(slant)
    return np.asarray(quads @ np.array([[cos, -sin], [sin, cos]]), np.float32)


def _shape(quad: Float32, polygon: Float32 | None) -> dict[str, Any]:
    shape = {"quad": _rounded(quad)}
    if polygon is not None:
        shape["polygon"] = _rounded(polygon)
    return shape


def _rounded(points: Float32) -> list[list[float]]:
    return [[round(x, 2), round(y, 2)] for x, y in points.tolist()]
