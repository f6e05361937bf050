"""The results of reading a picture: regions, readings, lines, detections and pages."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar, overload

import numpy as np

from .images import Image, Source, load
from .postprocess.geometry import Float32
from .writers import json


@dataclass(frozen=True, eq=False)
class Region:
    """A place in a picture where there is text.

    Attributes:
        quad: float32 [4, 2], the corners as (x, y) in pixels, clockwise from the top left.
        score: Confidence of the detector, from 0 to 1.
        polygon: float32 [K, 2], or None where the bundle finds quads.
    """

    quad: Float32
    score: float
    polygon: Float32 | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return lists and numbers for JSON; coordinates are rounded to 1/100 of a pixel."""
        return {"score": round(self.score, 4), **_outline_to_dict(self.quad, self.polygon)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Region:
        """Restore what `to_dict` returned."""
        return cls(score=float(data["score"]), **_outline_from_dict(data))


@dataclass(frozen=True)
class Reading:
    """The text of one crop.

    Attributes:
        text: The text; empty where nothing was read.
        score: Mean probability of the text's characters, from 0 to 1.
    """

    text: str
    score: float

    def to_dict(self) -> dict[str, Any]:
        """Return the text and the rounded score for JSON."""
        return {"text": self.text, "score": round(self.score, 4)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Reading:
        """Restore what `to_dict` returned."""
        return cls(str(data["text"]), float(data["score"]))


@dataclass(frozen=True, eq=False)
class Line:
    """A line of text and where it stands in the picture.

    Attributes:
        text: The text.
        score: Mean probability of the text's characters, from 0 to 1.
        quad: float32 [4, 2], the corners as (x, y) in pixels, clockwise from the top left.
        polygon: float32 [K, 2], or None where the bundle finds quads.
    """

    text: str
    score: float
    quad: Float32
    polygon: Float32 | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return lists and numbers for JSON; coordinates are rounded to 1/100 of a pixel."""
        return {
            "text": self.text,
            "score": round(self.score, 4),
            **_outline_to_dict(self.quad, self.polygon),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Line:
        """Restore what `to_dict` returned."""
        return cls(str(data["text"]), float(data["score"]), **_outline_from_dict(data))


Located = TypeVar("Located", Line, Region)


class _Result(Sequence[Located]):
    """The base of `Page` and `Detections`: a sequence of what was found in a picture."""

    source: str
    width: int
    height: int
    milliseconds: dict[str, float]
    providers: dict[str, str]
    # What one element is called.
    _noun: ClassVar[str]

    @property
    @abstractmethod
    def _found(self) -> tuple[Located, ...]:
        """The lines or regions."""

    def __len__(self) -> int:
        """Return the number of lines or regions."""
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> Located: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Located, ...]: ...
    def __getitem__(self, index: int | slice) -> Located | tuple[Located, ...]:
        """Return one line or region, or a tuple of them for a slice."""
        return self._found[index]

    def __repr__(self) -> str:
        """Name the picture, its size and the number of lines or regions."""
        count = f"{len(self)} {self._noun}{'' if len(self) == 1 else 's'}"
        return f"<{type(self).__name__} {self.source!r}, {self.width} × {self.height}, {count}>"

    @property
    def scores(self) -> Float32:
        """The score of each line or region, float32 [N]."""
        return np.array([each.score for each in self._found], np.float32)

    @property
    def boxes(self) -> Float32:
        """The quads of all lines or regions, float32 [N, 4, 2]."""
        return np.array([each.quad for each in self._found], np.float32).reshape(-1, 4, 2)

    def to_dict(self) -> dict[str, Any]:
        """Return what `edgeocr read` or `edgeocr detect` writes as JSON, as a dictionary."""
        return {
            "source": self.source,
            "width": self.width,
            "height": self.height,
            f"{self._noun}s": [each.to_dict() for each in self._found],
            "milliseconds": {stage: round(ms, 3) for stage, ms in self.milliseconds.items()},
            "providers": dict(self.providers),
        }

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return `to_dict` as JSON text, and write it to a file if a path is given.

        Args:
            path: File to write in UTF-8; an existing one is replaced.

        Raises:
            OSError: The file can't be written.
        """
        text = json.document(self.to_dict())
        if path is not None:
            # File names on Linux may hold bytes that are not UTF-8.
            Path(path).write_text(text, encoding="utf-8", errors="surrogateescape")
        return text

    def _draw(self, image: Source, *, texts: bool) -> Image:
        from .writers import overlay

        loaded = load(image)
        # The picture may have been decoded at another size than the one that was read.
        height, width = loaded.shape[:2]
        scale = (width / self.width, height / self.height)
        return overlay.draw(loaded, [scaled(each, scale) for each in self._found], texts=texts)


@dataclass(frozen=True, eq=False, repr=False)
class Page(_Result[Line]):
    """A picture that has been read: a sequence of its lines in reading order.

    >>> page = OCR().read("tests/images/sample.jpg")
    >>> for line in page:
    ...     print(line.text, line.score)

    Attributes:
        source: Name of the picture.
        width: Width of the picture in pixels, after its EXIF orientation was applied.
        height: Height of the picture in pixels.
        lines: The lines in reading order.
        milliseconds: Wall time of each stage.
        providers: The execution provider that each stage ran on.
    """

    source: str
    width: int
    height: int
    lines: tuple[Line, ...]
    milliseconds: dict[str, float] = field(default_factory=dict)
    providers: dict[str, str] = field(default_factory=dict)

    _noun = "line"

    @property
    def _found(self) -> tuple[Line, ...]:
        return self.lines

    @property
    def text(self) -> str:
        """The texts of all lines, one per row."""
        return "\n".join(self.texts)

    @property
    def texts(self) -> list[str]:
        """The text of each line."""
        return [line.text for line in self.lines]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Page:
        """Restore what `to_dict` returned."""
        lines = tuple(Line.from_dict(line) for line in data["lines"])
        return cls(lines=lines, **_run_from_dict(data))

    def draw(self, image: Source, *, texts: bool = False) -> Image:
        """Draw the outline of every line.

        Args:
            image: The picture that was read; it is not changed.
            texts: Add a sheet to the right on which each text stands at its line's place.

        Returns:
            uint8 [height, width, 3] BGR, or twice as wide with texts.

        Raises:
            ImageError: The image can't be loaded.
            FontError: The texts can't be drawn: Pillow is missing, or no installed font covers
                their characters.
        """
        return self._draw(image, texts=texts)


@dataclass(frozen=True, eq=False, repr=False)
class Detections(_Result[Region]):
    """The regions with text in a picture, in reading order, without their texts.

    Attributes:
        source: Name of the picture.
        width: Width of the picture in pixels, after its EXIF orientation was applied.
        height: Height of the picture in pixels.
        regions: The regions in reading order.
        milliseconds: Wall time of each stage.
        providers: The execution provider that each stage ran on.
    """

    source: str
    width: int
    height: int
    regions: tuple[Region, ...]
    milliseconds: dict[str, float] = field(default_factory=dict)
    providers: dict[str, str] = field(default_factory=dict)

    _noun = "region"

    @property
    def _found(self) -> tuple[Region, ...]:
        return self.regions

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Detections:
        """Restore what `to_dict` returned."""
        regions = tuple(Region.from_dict(region) for region in data["regions"])
        return cls(regions=regions, **_run_from_dict(data))

    def draw(self, image: Source) -> Image:
        """Draw the outline of every region.

        Args:
            image: The picture in which the regions were found; it is not changed.

        Returns:
            uint8 [height, width, 3] BGR.

        Raises:
            ImageError: The image can't be loaded.
        """
        return self._draw(image, texts=False)


def lines_of(
    regions: Sequence[Region], readings: Sequence[Reading], minimum_score: float
) -> list[Line]:
    """Join each region with its reading, and drop readings that are empty or too unsure."""
    return [
        Line(reading.text, reading.score, region.quad, region.polygon)
        for region, reading in zip(regions, readings, strict=True)
        if reading.text.strip() and reading.score >= minimum_score
    ]


def scaled(found: Located, scale: tuple[float, float]) -> Located:
    """Return the line or region with the x and y of its points multiplied by `scale`."""
    if scale == (1.0, 1.0):
        return found
    factors = np.array(scale, np.float32)
    polygon = None if found.polygon is None else found.polygon * factors
    return replace(found, quad=found.quad * factors, polygon=polygon)


def _run_from_dict(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "source": str(data["source"]),
        "width": int(data["width"]),
        "height": int(data["height"]),
        "milliseconds": dict(data.get("milliseconds", {})),
        "providers": dict(data.get("providers", {})),
    }


def _outline_to_dict(quad: Float32, polygon: Float32 | None) -> dict[str, Any]:
    outline = {"quad": _rounded(quad)}
    if polygon is not None:
        outline["polygon"] = _rounded(polygon)
    return outline


def _outline_from_dict(data: Mapping[str, Any]) -> dict[str, Any]:
    polygon = data.get("polygon")
    return {
        "quad": np.array(data["quad"], np.float32).reshape(4, 2),
        "polygon": None if polygon is None else np.array(polygon, np.float32).reshape(-1, 2),
    }


def _rounded(points: Float32) -> list[list[float]]:
    return [[round(x, 2), round(y, 2)] for x, y in points.tolist()]
