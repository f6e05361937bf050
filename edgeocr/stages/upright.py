"""Read a picture the right way up, whichever way it was photographed or scanned.

The page decides, not each crop: whether lines run across or down shows a quarter turn, and the
classifier's votes and the recognizer's scores over many crops show which way up the page is. On a
page that stands upright, a single region may still be turned; it is read both ways.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from unicodedata import east_asian_width

import numpy as np

from ..crops import Crop, crop_region, turn
from ..detect import Detector
from ..images import Image
from ..orient import Orienter
from ..postprocess.geometry import TALL, side_lengths
from ..postprocess.median import median
from ..recognize import Recognizer
from ..results.lines import Line, Reading, Region, line_of, quads_of
from ..runtime.stopwatch import Stopwatch
from .crop_reader import CropReader, is_character, is_one_character, may_be_character
from .parts import parts_of
from .words import Detail, with_words

# The mean probability of being upside down, over a sample of the crops, from which a page may be
# upside down. Over all crops it is 0.00 to 0.17 for photographs and receipts as they are, and 0.72
# to 1.00 upside down.
SUSPECTED = 0.5
# The median score of readings below which a page may be upside down whatever the classifier says.
# It is 0.94 to 1.00 for photographs and receipts as they are, and 0.39 to 0.70 upside down.
READS_BADLY = 0.8
# The number of lines that are read in several ways to find out which way up a page is, and their
# best ratio of length to height: long enough to tell, short enough to cost little.
SAMPLE, BEST_LENGTH = 8, 8.0
# A page is turned only if the ratios of length to height of its sampled crops add up to this much,
# about a dozen letters, and the crops read better by this much on average. Otherwise, each crop is
# judged on its own.
LEAST_TEXT, LEAST_GAIN = 6.0, 0.05
# The distance between characters of vertical writing, as multiples of the line's width.
PITCH = (0.7, 1.5)
# The number of characters that are cut out of vertical lines to see whether they stand upright.
CHARACTERS = 16


@dataclass(frozen=True)
class UprightLines:
    """The lines of a page that stands upright.

    Attributes:
        lines: The lines in pixels of the upright image, in no particular order.
        rotation: By how many degrees the image had to be turned clockwise to stand upright.
        upwards: Which of the lines are labels that are read from the bottom up; None if unknown.
    """

    lines: list[Line]
    rotation: int
    upwards: list[bool] | None


@dataclass(frozen=True)
class _View:
    """What is found in an image as it stands.

    Attributes:
        regions: The regions.
        crops: The crop of each region.
    """

    regions: list[Region]
    crops: list[Crop]


class UprightReader:
    """Detects, crops, orients and recognizes, the right way up. Threads may share it."""

    def __init__(
        self,
        detector: Detector,
        recognizer: Recognizer,
        orienter: Orienter | None,
        *,
        turn_pages: bool,
        keep_pixels: bool,
        split_gaps: bool = True,
    ) -> None:
        """Create a reader.

        Args:
            detector: Finds regions.
            recognizer: Reads crops.
            orienter: Tells which crops are upside down; None to rely on the scores of readings.
            turn_pages: Find out which way up a page is; otherwise pages are taken as they are.
            keep_pixels: Keep the pixels of crops from one use to the next.
            split_gaps: Divide regions that run over several columns or cells.
        """
        self._detector = detector
        self._recognizer = recognizer
        self._orienter = orienter
        self._turn_pages = turn_pages
        self._crop = partial(crop_region, keep=keep_pixels, rows=recognizer.height)
        self._reader = CropReader(recognizer, orienter, split_gaps=split_gaps)

    def read(self, image: Image, watch: Stopwatch, *, detail: Detail | None = None) -> UprightLines:
        """Find and read the lines of an image.

        An image that turns out to be turned is turned upright, and then read as if it had been
        given like that.

        Args:
            image: uint8 [H, W, 3] BGR.
            watch: Records the time of each step.
            detail: What lines are given beside their texts: words, or words and characters.

        Raises:
            GraphError: A network failed.
        """
        # Detect the regions, and crop each of them.
        view = self._look_at(image, watch)
        # Turn the page upright.
        rotation = self._rotation(view, watch) if self._turn_pages else 0
        if rotation:
            view = self._look_at(turn(image, -rotation), watch)
        # Recognize all crops.
        read = self._reader.recognize(view.crops, watch, peaks=detail is not None)
        # A page that reads badly may be upside down although the classifier did not notice.
        if (
            self._turn_pages
            and not rotation
            and _reads_badly(view.crops, read.readings)
            and self._reads_better_turned(view.crops, watch)
        ):
            rotation = 180
            view = self._look_at(turn(image, rotation), watch)
            read = self._reader.recognize(view.crops, watch, peaks=detail is not None)
        # Drop what says nothing or is too unsure, and take apart what runs over several cells.
        kept = [i for i, reading in enumerate(read.readings) if self._reader.is_kept(reading)]
        parts = [
            (i, *part)
            for i in kept
            for part in parts_of(view.regions[i], read.crops[i], read.readings[i])
        ]
        lines = [line_of(region, reading) for _, region, _, reading in parts]
        if detail is not None:
            # Find where the words stand.
            with watch("words"):
                lines = [
                    with_words(line, crop, reading.peaks, detail)
                    for line, (_, _, crop, reading) in zip(lines, parts, strict=True)
                ]
        upwards = [view.crops[i].laid_down and i in read.turned for i, *_ in parts]
        return UprightLines(lines, rotation, upwards)

    def _look_at(self, image: Image, watch: Stopwatch) -> _View:
        regions = self._detector.detect(image, watch)
        with watch("crops"):
            crops = [self._crop(image, region) for region in regions]
        if self._orienter is not None:
            watch.add("orientation", 0)  # also where no crop has to be classified
        return _View(regions, crops)

    def _rotation(self, view: _View, watch: Stopwatch) -> int:
        """Return by how many degrees the page has to be turned clockwise."""
        if not view.regions:
            return 0
        quads = quads_of(view.regions)
        top, left = side_lengths(quads)
        laid_down = left >= TALL * top
        along = np.where(laid_down[:, None], quads[:, 3] - quads[:, 0], quads[:, 1] - quads[:, 0])
        lengths = np.where(laid_down | (top >= TALL * left), np.maximum(top, left), 0)
        steep = np.abs(along[:, 1]) > np.abs(along[:, 0])
        if lengths[steep].sum() > lengths[~steep].sum():
            run_down = [
                view.crops[i] if along[i, 1] > 0 else view.crops[i].turned(180)
                for i in np.flatnonzero(steep & (lengths > 0)).tolist()
            ]
            return self._quarter_turn(_sample(run_down), watch)
        if self._orienter is None:
            return 0
        sample = _sample(view.crops)
        upside_down = self._orienter.upside_down(self._orienter.probabilities(sample, watch))
        vote = np.average(upside_down, weights=[crop.width for crop in sample])
        is_turned = vote > SUSPECTED and self._reads_better_turned(view.crops, watch)
        return 180 if is_turned else 0

    def _quarter_turn(self, crops: Sequence[Crop], watch: Stopwatch) -> int:
        """Return the rotation of a page most of whose regions run down or up.

        Args:
            crops: Crops of such regions, laid level so that text that runs down reads from left
                to right.
            watch: Records the time of each step.
        """
        if sum(crop.width / crop.height for crop in crops) < LEAST_TEXT:
            return 0
        readings = self._recognize_turned(crops, (0, 180, 270), watch)
        if all(
            may_be_character(crop) and is_character(standing, max(down, up, key=_score))
            for crop, (down, up, standing) in zip(crops, readings, strict=True)
        ):
            return 0
        if _gain(crops, [(down, up) for down, up, _ in readings]) > 0:
            upright = [crop.turned(180) for crop in crops]
            texts = [up.text for _, up, _ in readings]
            return 180 if self._is_vertical_writing(upright, texts, watch) else 90
        texts = [down.text for down, _, _ in readings]
        return 0 if self._is_vertical_writing(crops, texts, watch) else 270

    def _is_vertical_writing(
        self, crops: Sequence[Crop], texts: Sequence[str], watch: Stopwatch
    ) -> bool:
        """Tell whether characters stand upright in lines that run down.

        Networks are trained on vertical writing that was laid down, so they read a character that
        lies on its left side as surely as an upright one; they can't read one that lies on its
        right side or is upside down. In vertical writing that was laid down, characters lie on
        their left side: turned to the right they are upright, turned to the left they are upside
        down. In the lines of a turned page, once they are laid down, characters are upright: turned
        to the right they lie on their right side, turned to the left on their left side.

        Args:
            crops: The lines, laid down.
            texts: What the recognizer read in each.
            watch: Records the time of each step.
        """
        wide = [east_asian_width(character) in "WF" for text in texts for character in text]
        if 2 * sum(wide) < len(wide):
            return False
        characters: list[Crop] = []
        for crop, text in zip(crops, texts, strict=True):
            pitch = crop.width / max(1, len(text))
            if PITCH[0] * crop.height <= pitch <= PITCH[1] * crop.height:
                characters += [_piece(crop, i * pitch, (i + 1) * pitch) for i in range(len(text))]
        characters = characters[:: -(-len(characters) // CHARACTERS) or 1]
        turned = self._recognize_turned(characters, (90, 270), watch)
        return _gain(characters, turned) > 0

    def _reads_better_turned(self, crops: Sequence[Crop], watch: Stopwatch) -> bool:
        """Tell whether a page reads better upside down, by a sample of its crops."""
        crops = _sample(crops)
        if sum(crop.width / crop.height for crop in crops) < LEAST_TEXT:
            return False
        readings = self._recognize_turned(crops, (0, 180), watch)
        # A row of nines reads as well upside down.
        telling = [i for i, pair in enumerate(readings) if not any(map(is_one_character, pair))]
        gain = _gain([crops[i] for i in telling], [readings[i] for i in telling])
        return gain > LEAST_GAIN

    def _recognize_turned(
        self, crops: Sequence[Crop], degrees: Sequence[int], watch: Stopwatch
    ) -> list[list[Reading]]:
        """Read each crop turned counter-clockwise by each of `degrees`."""
        turned = [crop.turned(each) if each else crop for crop in crops for each in degrees]
        readings = self._recognizer.recognize(turned, watch)
        return [readings[i : i + len(degrees)] for i in range(0, len(readings), len(degrees))]


def _sample(crops: Sequence[Crop]) -> list[Crop]:
    """Choose the crops from which the rotation of a page is judged."""

    def misfit(crop: Crop) -> float:
        return abs(math.log(crop.width / crop.height / BEST_LENGTH))

    return sorted(crops, key=misfit)[:SAMPLE]


def _gain(crops: Sequence[Crop], readings: Sequence[Sequence[Reading]]) -> float:
    """Return by how much, on average, the second reading of a crop scores better than the first.

    Long crops weigh more.
    """
    gains = [second.score - first.score for first, second in readings]
    return float(np.average(gains, weights=[crop.width for crop in crops])) if gains else 0.0


def _reads_badly(crops: Sequence[Crop], readings: Sequence[Reading]) -> bool:
    scores = [
        reading.score
        for crop, reading in zip(crops, readings, strict=True)
        if crop.width >= TALL * crop.height
    ]
    return bool(scores) and median(scores) < READS_BADLY


def _piece(crop: Crop, left: float, right: float) -> Crop:
    """Cut a piece out of a crop, between two columns of pixels."""
    return crop.part(round(left), min(crop.width, round(right)))


def _score(reading: Reading) -> float:
    return reading.score
