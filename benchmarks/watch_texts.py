"""How right the texts of a watch are, compared with those that are read in single frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgeocr.accuracy.places import iou, shape_of
from edgeocr.accuracy.score import edit_distance, normalized
from edgeocr.page import Page
from edgeocr.postprocess.geometry import Float32

from .watch_scoring import Scored, Told
from .watch_truth import Expected, Shown, Truth

_LEAST_IOU = 0.5


@dataclass(frozen=True)
class Texts:
    """How right some texts are.

    Attributes:
        number: The number of texts.
        cer: The number of their edits, divided by the number of expected characters.
        exact: The share of the texts that are exactly right.
    """

    number: int
    cer: float
    exact: float


@dataclass(frozen=True)
class Compared:
    """The same texts in three ways.

    Attributes:
        voted: The last text that the watch reported for each of them.
        best: The reading with the highest score among those of all frames that were read.
        mean: The readings of all frames that were read; each text has the same weight.
    """

    voted: Texts
    best: Texts
    mean: Texts


def compare(
    truth: Truth, scored: Scored, told: Sequence[Told], pages: Mapping[int, Page]
) -> Compared | None:
    """Compare the texts of a watch with those of single frames.

    Args:
        truth: The lines in each frame.
        scored: What became of the events.
        told: The events.
        pages: What was read in single frames, by their numbers.

    Returns:
        The comparison over all texts that must be reported; None if there are none.
    """
    wanted = [each for each in scored.required if not each.is_gone]
    if not wanted:
        return None
    voted, best, mean = [], [], []
    for each in wanted:
        voted.append(_errors(each.text, [_last_told(truth, scored, told, each)]))
        readings = readings_of(truth, pages, each)
        chosen = max(readings, key=lambda reading: reading[1])[0] if readings else ""
        best.append(_errors(each.text, [chosen]))
        mean.append(_errors(each.text, [text for text, _ in readings] or [""]))
    characters = [len(normalized(each.text)) for each in wanted]
    return Compared(*(_texts(errors, characters) for errors in (voted, best, mean)))


def _texts(errors: Sequence[tuple[float, float]], characters: Sequence[int]) -> Texts:
    edits, exact = np.array(errors).T
    return Texts(
        len(errors), round(float(edits.sum() / sum(characters)), 4), round(float(exact.mean()), 4)
    )


def _errors(expected: str, texts: Sequence[str]) -> tuple[float, float]:
    """Return the mean edits of readings of a text, and the share that is exactly right."""
    wanted, distance = normalized(expected), edit_distance()
    edits = [distance(wanted, normalized(text)) for text in texts]
    return float(np.mean(edits)), float(np.mean([not each for each in edits]))


def _last_told(truth: Truth, scored: Scored, told: Sequence[Told], wanted: Expected) -> str:
    """Return the text of the last event about a text while it is visible; empty without one."""
    last = scored.matched.get(wanted)
    for each in told:
        event = each.event
        if event.kind == "gone" or not wanted.end <= event.frame < wanted.stop:
            continue
        frames = range(event.frame, min(each.frame + 1, wanted.stop))
        if any(_overlap(_line(truth, frame, wanted), event.quad) for frame in frames):
            last = each
    return last.event.text if last is not None else ""


def readings_of(
    truth: Truth, pages: Mapping[int, Page], wanted: Expected
) -> list[tuple[str, float]]:
    """Return the text and the score of a line in each frame that was read and shows all of it.

    The text is empty if the line was not found in a frame.
    """
    found = []
    for number in range(wanted.start, wanted.stop):
        if number in pages:
            line = _line(truth, number, wanted)
            here = [each for each in pages[number] if _overlap(line, each.quad)]
            best = max(here, key=lambda each: _overlap(line, each.quad), default=None)
            found.append((best.text, best.score) if best is not None else ("", 0.0))
    return found


def _line(truth: Truth, number: int, wanted: Expected) -> Shown | None:
    return next((line for line in truth[number] if line.place == wanted.place), None)


def _overlap(line: Shown | None, quad: Float32) -> float:
    """Return the intersection over union, or 0 if it is too small for the same line."""
    if line is None:
        return 0.0
    overlap = iou(shape_of(line.quad), shape_of(quad))
    return overlap if overlap >= _LEAST_IOU else 0.0
