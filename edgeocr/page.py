"""The results of reading a picture: a page of lines, or the regions that were detected."""

from __future__ import annotations

import io
import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, overload

import numpy as np

from .decoding.limits import MAX_IMAGE_PIXELS, Limits
from .images import Image, Source, load
from .outputs.encoding import encoded
from .outputs.replacement import write_file
from .postprocess.geometry import Float32
from .results.lines import Block, Line, Located, Region, quads_of, rounded, scaled
from .writers import formats, json, text


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
        return quads_of(self._found)

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
            path: File to write in UTF-8; an existing one is replaced once the new one is complete.

        Raises:
            OutputError: The file can't be written; an existing one is as it was.
        """
        document = json.document(self.to_dict())
        if path is not None:
            write_file(Path(path), encoded(document))
        return document

    @abstractmethod
    def to_text(self) -> str:
        """Return the result as plain text, which is empty or ends with a newline."""

    @abstractmethod
    def draw(self, image: Source) -> Image:
        """Draw the outline of every line or region."""

    def save(
        self,
        path: str | os.PathLike[str],
        format: str | None = None,
        picture: Source | None = None,
    ) -> None:
        """Write the result to a file.

        Args:
            path: The file; an existing one is replaced once the new one is complete.
            format: "text", "json", "jsonl", or a picture with the outlines drawn: "jpeg" or "png".
                A page can also be "tsv", "hocr", "alto", "pdf", "paddle" or "markdown". Without it,
                the ending of the path tells: .txt, .json, .jsonl, .jpg, .png, .tsv, .hocr, .xml
                (ALTO), .pdf or .md; so do the names Label.txt and Cache.cach (paddle).
            picture: The picture that was read, which "pdf", "jpeg" and "png" contain; None for the
                file that `source` names.

        Raises:
            ValueError: The format is unknown, or can't hold this kind of result.
            ImageError: The picture can't be loaded.
            OutputError: The file can't be written; an existing one is as it was.
        """
        chosen = formats.chosen(path, format)
        if not (chosen.holds_any_result or isinstance(self, Page)):
            known = ", ".join(each.name for each in formats.ALL if each.holds_any_result)
            raise ValueError(f"{chosen.title} holds pages that were read; choose from {known}")
        content = io.BytesIO()
        writer = chosen.open(content)
        writer.add(self, picture)
        writer.close()
        write_file(Path(path), content.getvalue())

    def _draw(self, image: Source, *, texts: bool, words: bool = False) -> Image:
        from .writers import overlay

        # A picture that was read may be drawn on, however large it is.
        pixels = max(MAX_IMAGE_PIXELS, self.width * self.height)
        loaded = load(image, limits=Limits(pixels))
        # The picture may have been decoded at another size than the one that was read.
        height, width = loaded.shape[:2]
        scale = (width / self.width, height / self.height)
        found = [scaled(each, scale) for each in self._found]
        return overlay.draw(loaded, found, texts=texts, words=words)


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
        blocks: The lines again, grouped into paragraphs, headings and the like, in reading order.
        rotation: By how many degrees, 0, 90, 180 or 270, the picture has to be turned clockwise so
            that its text stands upright. All coordinates are those of the picture as it was given.
        frames: How many frames or pages the file has, of which this is one.
        variants: The precision of the graph that read it, for each stage that has several graphs.
    """

    source: str
    width: int
    height: int
    lines: tuple[Line, ...]
    milliseconds: dict[str, float] = field(default_factory=dict)
    providers: dict[str, str] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    rotation: int = 0
    frames: int = 1
    variants: dict[str, str] = field(default_factory=dict)

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

    def to_dict(self) -> dict[str, Any]:
        """Return what `edgeocr read` writes as JSON; a block lists the indices of its lines."""
        index = {id(line): i for i, line in enumerate(self.lines)}
        blocks = [
            {"lines": [index[id(line)] for line in block.lines], "quad": rounded(block.quad)}
            for block in self.blocks
        ]
        return {
            **super().to_dict(),
            "blocks": blocks,
            "rotation": self.rotation,
            "frames": self.frames,
            **({"variants": self.variants} if self.variants else {}),
        }

    def to_text(self) -> str:
        """Return what `edgeocr read` writes as text: an empty line stands between two blocks."""
        return text.text_of_page(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Page:
        """Restore what `to_dict` returned."""
        lines = tuple(Line.from_dict(line) for line in data["lines"])
        blocks = tuple(
            Block(
                tuple(lines[i] for i in block["lines"]),
                np.array(block["quad"], np.float32).reshape(4, 2),
            )
            for block in data.get("blocks", ())
        )
        return cls(
            lines=lines,
            blocks=blocks,
            rotation=int(data.get("rotation", 0)),
            frames=int(data.get("frames", 1)),
            variants=dict(data.get("variants", {})),
            **_run_from_dict(data),
        )

    def draw(self, image: Source, *, texts: bool = False, words: bool = False) -> Image:
        """Draw the outline of every line.

        Args:
            image: The picture that was read; it is not changed.
            texts: Add a sheet to the right on which each text stands at its line's place.
            words: Draw the outlines of the lines' words, too, if they have words.

        Returns:
            uint8 [height, width, 3] BGR, or twice as wide with texts.

        Raises:
            ImageError: The image can't be loaded.
            FontError: The texts can't be drawn: Pillow is missing, or no installed font covers
                their characters.
        """
        return self._draw(image, texts=texts, words=words)


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
        frames: How many frames or pages the file has, of which this is one.
    """

    source: str
    width: int
    height: int
    regions: tuple[Region, ...]
    milliseconds: dict[str, float] = field(default_factory=dict)
    providers: dict[str, str] = field(default_factory=dict)
    frames: int = 1

    _noun = "region"

    @property
    def _found(self) -> tuple[Region, ...]:
        return self.regions

    def to_dict(self) -> dict[str, Any]:
        """Return what `edgeocr detect` writes as JSON, as a dictionary."""
        return {**super().to_dict(), "frames": self.frames}

    def to_text(self) -> str:
        """Return what `edgeocr detect` writes as text: the corners and score of each region."""
        return text.text_of_detections(self.regions)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Detections:
        """Restore what `to_dict` returned."""
        regions = tuple(Region.from_dict(region) for region in data["regions"])
        return cls(regions=regions, frames=int(data.get("frames", 1)), **_run_from_dict(data))

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


def _run_from_dict(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "source": str(data["source"]),
        "width": int(data["width"]),
        "height": int(data["height"]),
        "milliseconds": dict(data.get("milliseconds", {})),
        "providers": dict(data.get("providers", {})),
    }
