"""Read a frame, or the parts of it that differ, with the networks of an `OCR`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..crops import Crop, crop_region, turn
from ..detect import Box
from ..images import Image
from ..memory.opening import OpenReader
from ..ocr import OCR
from ..results.lines import Line, Reading, Region, line_of
from ..runtime.stopwatch import Stopwatch
from ..stages.crop_reader import CropReader
from ..stages.parts import parts_of

# Returns the reading of a region if it is known, or None if the region has to be read.
Known = Callable[[Region], "Reading | None"]


@dataclass(frozen=True)
class Found:
    """A line that was found in a frame.

    Attributes:
        line: The line.
        is_new: Whether it was read in this frame; otherwise its text was known before.
    """

    line: Line
    is_new: bool = True


def unknown(region: Region) -> None:
    """Return None, so that every region is read."""


class Looker:
    """Reads frames with an `OCR`.

    Attributes:
        rotation: By how many degrees the last scene had to be turned clockwise to stand upright.
    """

    def __init__(self, ocr: OCR) -> None:
        """Create a looker."""
        self._ocr = ocr
        self.rotation = 0

    def upright(self, image: Image) -> Image:
        """Return an image, uint8 [H, W, 3] BGR, turned so that the scene stands upright."""
        return turn(image, -self.rotation) if self.rotation else image

    def read_scene(self, image: Image) -> list[Found]:
        """Read a whole image, and find out which way up the scene is.

        Args:
            image: uint8 [H, W, 3] BGR, as the camera gives it.

        Returns:
            The lines in pixels of the image after `upright`.
        """
        page = self._ocr.read(image)
        self.rotation = page.rotation
        if not page.rotation:
            return [Found(line) for line in page]
        return self.read_in(self.upright(image), None, unknown)

    def read_in(self, image: Image, boxes: Sequence[Box] | None, known: Known) -> list[Found]:
        """Read the lines in some boxes of an image that stands upright.

        Args:
            image: uint8 [H, W, 3] BGR.
            boxes: The boxes; None for the whole image.
            known: Returns the reading of a region if it is known.

        Raises:
            GraphError: A network failed.
        """
        with self._ocr.using() as reader:
            if reader.stages.spotting is not None:
                return self._spotted(reader, image)
            watch = Stopwatch()
            detector = reader.stages.detector
            if boxes is None:
                regions = detector.detect(image, watch)
            else:
                regions = detector.detect_in(image, boxes, watch)
            crops = [self._crop(reader, image, region) for region in regions]
            readings = list(map(known, regions))
            unread = [i for i, reading in enumerate(readings) if reading is None]
            crop_reader = self._crop_reader(reader)
            read = crop_reader.recognize([crops[i] for i in unread], watch)
            for i, reading, crop in zip(unread, read.readings, read.crops, strict=True):
                readings[i], crops[i] = reading, crop
            return [
                Found(line_of(place, part), i in unread)
                for i, (region, crop, reading) in enumerate(
                    zip(regions, crops, readings, strict=True)
                )
                if reading is not None and crop_reader.is_kept(reading)
                for place, _, part in parts_of(region, crop, reading)
            ]

    def read_again(self, image: Image, lines: Sequence[Line]) -> list[Reading]:
        """Read known lines of an image again, at the places where they are known to be.

        Args:
            image: uint8 [H, W, 3] BGR.
            lines: The lines.

        Raises:
            GraphError: A network failed.
        """
        with self._ocr.using() as reader:
            if reader.stages.spotting is not None:
                return [Reading(line.text, line.score) for line in lines]
            crops = [
                self._crop(reader, image, Region(line.quad, line.score, line.polygon))
                for line in lines
            ]
            return self._crop_reader(reader).recognize(crops, Stopwatch()).readings

    def _spotted(self, reader: OpenReader, image: Image) -> list[Found]:
        spotter = reader.stages.spotting
        assert spotter is not None
        return [Found(line) for line in spotter.spot(image) if line.text.strip()]

    def _crop_reader(self, reader: OpenReader) -> CropReader:
        stages = reader.stages
        return CropReader(stages.recognizer, stages.orientation, split_gaps=self._ocr.split_gaps)

    def _crop(self, reader: OpenReader, image: Image, region: Region) -> Crop:
        return crop_region(image, region, rows=reader.stages.recognizer.height)
