"""What is found in a picture: regions, readings, lines with their words, and blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..postprocess.geometry import Float32

if TYPE_CHECKING:
    from typing_extensions import Self


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


@dataclass(frozen=True, eq=False)
class Peaks:
    """Where the characters of a text were noticed along its crop.

    A network notices a character somewhere within it, and not from edge to edge.

    Attributes:
        columns: float32 [K, 2], the columns of the crop at which each character begins and ends to
            be noticed. K is the length of the text; spaces have columns, too.
        scores: float32 [K], the probability of each character, from 0 to 1.
        divided: Whether the network doesn't tell where a character stands, so that `columns`
            divides the crop evenly.
    """

    columns: Float32
    scores: Float32
    divided: bool = False

    def within(self, begin: int, end: int) -> Peaks:
        """Return where the characters were noticed in a part of the crop.

        Args:
            begin: The first of the crop's columns that belong to the part.
            end: The column after the last one.
        """
        return Peaks(np.clip(self.columns - begin, 0, end - begin), self.scores)


@dataclass(frozen=True)
class Reading:
    """The text of one crop.

    Attributes:
        text: The text; empty where nothing was read.
        score: Mean probability of the text's characters, from 0 to 1.
        peaks: Where its characters stand, in the order of the text; None unless it was asked for.
        parts: What its parts say if the crop runs over several columns or cells, from left to
            right; empty if it doesn't, or unless it was asked for.
    """

    text: str
    score: float
    peaks: Peaks | None = field(default=None, repr=False, compare=False)
    parts: tuple[Part, ...] = field(default=(), repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the text, and the score rounded to four digits, as JSON can hold them."""
        return {"text": self.text, "score": round(self.score, 4)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Reading:
        """Restore what `to_dict` returned."""
        return cls(str(data["text"]), float(data["score"]))


@dataclass(frozen=True)
class Part:
    """A part of a crop that runs over several columns of text or cells of a table.

    Attributes:
        reading: What it says; the columns of its peaks count from `begin`.
        begin: The first of the crop's columns that belong to it.
        end: The column after the last one.
    """

    reading: Reading
    begin: int
    end: int


@dataclass(frozen=True, eq=False)
class Word:
    """A word of a line and where it stands in the picture.

    A run of Chinese, Japanese or Korean characters without a space counts as a word.

    Attributes:
        text: The text, without spaces.
        score: Mean probability of the text's characters, from 0 to 1.
        quad: float32 [4, 2], the corners as (x, y) in pixels, clockwise from the top left of the
            word as it is read.
    """

    text: str
    score: float
    quad: Float32

    def to_dict(self) -> dict[str, Any]:
        """Return lists and numbers for JSON; coordinates are rounded to 1/100 of a pixel."""
        return {"text": self.text, "score": round(self.score, 4), "quad": rounded(self.quad)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Restore what `to_dict` returned."""
        quad = np.array(data["quad"], np.float32).reshape(4, 2)
        return cls(str(data["text"]), float(data["score"]), quad)


@dataclass(frozen=True, eq=False)
class Character(Word):
    """A character of a line and where it stands in the picture; its text has one character."""


@dataclass(frozen=True, eq=False)
class Line:
    """A line of text and where it stands in the picture.

    Attributes:
        text: The text.
        score: Mean probability of the text's characters, from 0 to 1.
        quad: float32 [4, 2], the corners as (x, y) in pixels, clockwise from the top left.
        polygon: float32 [K, 2], where polygons are found, or where the line was bent before its
            page was unwarped; None otherwise.
        words: The words in the order of the text; empty unless they were asked for.
        characters: The characters other than spaces, in the order of the text; empty unless they
            were asked for.
    """

    text: str
    score: float
    quad: Float32
    polygon: Float32 | None = None
    words: tuple[Word, ...] = ()
    characters: tuple[Character, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return lists and numbers for JSON; coordinates are rounded to 1/100 of a pixel.

        A line without words or characters has no such entry.
        """
        parts = {"words": self.words, "characters": self.characters}
        return {
            "text": self.text,
            "score": round(self.score, 4),
            **_outline_to_dict(self.quad, self.polygon),
            **{name: [each.to_dict() for each in part] for name, part in parts.items() if part},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Line:
        """Restore what `to_dict` returned."""
        return cls(
            str(data["text"]),
            float(data["score"]),
            **_outline_from_dict(data),
            words=tuple(Word.from_dict(word) for word in data.get("words", ())),
            characters=tuple(Character.from_dict(each) for each in data.get("characters", ())),
        )


@dataclass(frozen=True, eq=False)
class Block:
    """Lines of a page that belong together, such as a paragraph, a heading or a table.

    Attributes:
        lines: The lines in reading order.
        quad: float32 [4, 2], the corners of a rectangle around the lines, which slants as they do,
            as (x, y) in pixels, clockwise from the top left.
    """

    lines: tuple[Line, ...]
    quad: Float32

    @property
    def text(self) -> str:
        """The texts of the lines, one per row."""
        return "\n".join(line.text for line in self.lines)


Located = TypeVar("Located", Line, Region)


def line_of(region: Region, reading: Reading) -> Line:
    """Join a region with what was read in it."""
    return Line(reading.text, reading.score, region.quad, region.polygon)


def quads_of(found: Sequence[Line] | Sequence[Region]) -> Float32:
    """Return the quads of lines or regions, float32 [N, 4, 2]."""
    return np.array([each.quad for each in found], np.float32).reshape(-1, 4, 2)


def blocks_of(
    lines: Sequence[Line], groups: Sequence[Sequence[int]], slant: float
) -> tuple[Block, ...]:
    """Make a block of each group of lines.

    Args:
        lines: The lines of a page.
        groups: The indices of the lines of each block, in reading order.
        slant: The direction of the text, in radians clockwise from the x axis.
    """
    cos, sin = np.cos(slant), np.sin(slant)
    level = np.array([[cos, -sin], [sin, cos]])
    blocks = []
    for group in groups:
        points = quads_of([lines[i] for i in group]).reshape(-1, 2) @ level
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        quad = np.asarray(corners @ level.T, np.float32)
        blocks.append(Block(tuple(lines[i] for i in group), quad))
    return tuple(blocks)


def scaled(found: Located, scale: tuple[float, float]) -> Located:
    """Return the line or region with the x and y of its points multiplied by `scale`."""
    if scale == (1.0, 1.0):
        return found
    factors = np.array(scale, np.float32)
    return moved(found, lambda points: points * factors)


def moved(found: Located, move: Callable[[Float32], Float32]) -> Located:
    """Return the line or region with its points, float32 [..., 2], and those of its words moved."""
    changes: dict[str, Any] = {"quad": move(found.quad)}
    if found.polygon is not None:
        changes["polygon"] = move(found.polygon)
    if isinstance(found, Line):
        for name in ("words", "characters"):
            if pieces := getattr(found, name):
                changes[name] = tuple(replace(each, quad=move(each.quad)) for each in pieces)
    return replace(found, **changes)


def _outline_to_dict(quad: Float32, polygon: Float32 | None) -> dict[str, Any]:
    outline = {"quad": rounded(quad)}
    if polygon is not None:
        outline["polygon"] = rounded(polygon)
    return outline


def _outline_from_dict(data: Mapping[str, Any]) -> dict[str, Any]:
    polygon = data.get("polygon")
    return {
        "quad": np.array(data["quad"], np.float32).reshape(4, 2),
        "polygon": None if polygon is None else np.array(polygon, np.float32).reshape(-1, 2),
    }


def rounded(points: Float32) -> list[list[float]]:
    """Return points [N, 2] as lists, rounded to 1/100 of a pixel, for JSON."""
    return [[round(x, 2), round(y, 2)] for x, y in points.tolist()]
