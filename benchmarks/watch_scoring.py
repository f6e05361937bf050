"""Score the events of a watch against the texts that each frame of the video shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import shapely

from edgeocr.accuracy.places import same_place, shape_of
from edgeocr.accuracy.score import edit_distance, normalized
from edgeocr.watch.events import Event

from .watch_truth import FPS, Expected, Shown, Truth, Video, expected_events

# The frame that an event names may be this many seconds before the text begins to enter, or after
# it is wholly visible.
TOLERANCE = 0.5
# An event must be reported within this many seconds after the text is wholly visible, or, if the
# text is gone, within the patience and this time.
DEADLINE = 1.0
# The largest CER at which an event's text is taken for the expected one.
MOST_CER = 0.2
# An event is neither right nor wrong if at least this share of it lies on lines that don't count.
_LEAST_EXCUSED = 0.3


@dataclass(frozen=True, eq=False)
class Told:
    """An event and when it was reported.

    Attributes:
        event: The event.
        frame: The number of the newest frame that the watch had been given at that time.
        wall: Seconds of real time since the first frame was shown; None unless the frames were
            shown at their own speed.
    """

    event: Event
    frame: int
    wall: float | None = None

    def __str__(self) -> str:
        """Return what happened, for people who look for the causes of mistakes."""
        event = self.event
        before = f"{event.previous!r} -> " if event.previous is not None else ""
        (left, top), (right, bottom) = event.quad.min(axis=0), event.quad.max(axis=0)
        return (
            f"{event.kind} {before}{event.text!r} ({event.score:.2f}), track {event.track}, frame "
            f"{event.frame}, told at {self.frame}, {left:.0f},{top:.0f}-{right:.0f},{bottom:.0f}"
        )


@dataclass(frozen=True, eq=False)
class Scored:
    """What became of the events of one video.

    Attributes:
        matched: Events, by the expected ones that they match.
        expected: All events that the truth requires or allows.
        wrong: Each event that is wrong, and what is wrong with it: "duplicate" (the text appeared,
            but had been reported before and is still there), "correction" (a change to the text
            that had been reported already), "otherwise" (the text is there, but should have been
            reported as another kind or at another time), "misread" (the text is not the one that is
            there), "early" (the text is gone, but is there) or "phantom" (there is no text).
        excused: Events on lines that are partly visible or don't count.
    """

    matched: dict[Expected, Told]
    expected: Sequence[Expected]
    wrong: Sequence[tuple[Told, str]]
    excused: Sequence[Told]

    @cached_property
    def required(self) -> list[Expected]:
        """The events that must be reported."""
        return [each for each in self.expected if each.required]

    @cached_property
    def lost(self) -> list[Expected]:
        """The required events that were not reported."""
        return [each for each in self.required if each not in self.matched]

    @property
    def right(self) -> int:
        """The number of required events that were reported."""
        return len(self.required) - len(self.lost)

    @property
    def recall(self) -> float:
        """The share of the required events that were reported."""
        return self.right / len(self.required) if self.required else 1.0

    @property
    def precision(self) -> float:
        """The share of the reported events that are right, without those that are optional."""
        told = self.right + len(self.wrong)
        return self.right / told if told else 1.0

    @property
    def exact(self) -> int:
        """The number of required events that were reported with exactly the right text."""
        return sum(
            normalized(each.text) == normalized(self.matched[each].event.text)
            for each in self.required
            if each in self.matched
        )

    @property
    def mistakes(self) -> Counter[str]:
        """The number of wrong events, by what is wrong with them."""
        return Counter(kind for _, kind in self.wrong)

    def latencies(self, gone: bool) -> list[float]:
        """Return how many seconds passed until each event was reported.

        These are seconds of real time if the frames were shown at their own speed, and seconds of
        the video otherwise.

        Args:
            gone: Whether to return the latencies of texts that are gone, or those of all others.
        """
        return [
            max(0.0, (told.frame / FPS if told.wall is None else told.wall) - each.end / FPS)
            for each, told in self.matched.items()
            if each.required and each.is_gone == gone
        ]


def cer(expected: str, found: str) -> float:
    """Return the edits from one text to another as a share of the expected characters."""
    wanted = normalized(expected)
    return edit_distance()(wanted, normalized(found)) / max(1, len(wanted))


def score(video: Video, told: Sequence[Told], patience: float) -> Scored:
    """Match the events of a watch with those that the truth requires or allows, one to one.

    An event matches if its kind is right, it is at the line's place (an intersection over union of
    at least 0.5 in one of the frames from the one that it names to the one at which it was
    reported), it is in time, and its text has a CER of at most `MOST_CER`; the text of a change
    must also be nearer to the new text than to the one before. Required events are matched first,
    then the likeliest pairs.

    Args:
        video: The video.
        told: The events, in the order in which they were reported.
        patience: The patience of the watch, in seconds.
    """
    expected = expected_events(video.truth, patience)
    pairs = sorted(
        (not wanted.required, cer(wanted.text, each.event.text), _off(wanted, each), i, j)
        for i, wanted in enumerate(expected)
        for j, each in enumerate(told)
        if _in_time(wanted, each, patience)
        and says(wanted, each.event.text)
        and _stands(video.truth, wanted, each)
    )
    matched: dict[int, int] = {}
    taken: set[int] = set()
    for *_, i, j in pairs:
        if i not in matched and j not in taken:
            matched[i] = j
            taken.add(j)
    right = {expected[i]: told[j] for i, j in matched.items()}
    wrong, excused = [], []
    for j, each in enumerate(told):
        if j in taken:
            continue
        if _is_excused(video.truth, each):
            excused.append(each)
        else:
            wrong.append((each, _mistake(video.truth, each, right)))
    return Scored(right, expected, wrong, excused)


def _in_time(wanted: Expected, told: Told, patience: float) -> bool:
    if told.event.kind not in wanted.kinds:
        return False
    margin = FPS * TOLERANCE
    deadline = FPS * (DEADLINE + (patience if wanted.is_gone else 0))
    return (
        wanted.begin - margin <= told.event.frame <= wanted.end + margin
        and wanted.begin - margin <= told.frame <= wanted.end + deadline
    )


def _off(wanted: Expected, told: Told) -> int:
    """Return how many frames lie between the frame that an event names and the allowed ones."""
    return max(wanted.begin - told.event.frame, told.event.frame - wanted.end, 0)


def says(wanted: Expected, text: str) -> bool:
    """Tell whether a text is near enough to an event's, and, for a change, nearer than the old."""
    if wanted.any_text:
        return True
    if cer(wanted.text, text) > MOST_CER:
        return False
    if wanted.previous is None:
        return True
    edits, found = edit_distance(), normalized(text)
    return edits(normalized(wanted.text), found) < edits(normalized(wanted.previous), found)


def _frames(truth: Truth, told: Told, margin: int = 0) -> range:
    first = min(told.event.frame, told.frame)
    return range(max(0, first - margin), min(len(truth), told.frame + 1))


def _stands(truth: Truth, wanted: Expected, told: Told) -> bool:
    """Tell whether an event is where the line is, or was before it was gone."""
    frames = _frames(truth, told, 1 + round(FPS * TOLERANCE) if wanted.is_gone else 0)
    return any(
        line.place == wanted.place and same_place(line.quad, told.event.quad)
        for number in frames
        for line in truth[number]
    )


def _on(truth: Truth, told: Told, whole: bool, margin: int) -> Iterator[Shown]:
    """Yield the lines, wholly visible or not, that an event lies on, the latest frame first."""
    shape = shape_of(told.event.quad)
    for number in reversed(_frames(truth, told, margin)):
        for line in truth[number]:
            if line.whole == whole and _share(shape, line) >= _LEAST_EXCUSED:
                yield line


def _share(shape: shapely.Geometry, line: Shown) -> float:
    return float(shape.intersection(shape_of(line.quad)).area / max(shape.area, 1e-9))


def _is_excused(truth: Truth, told: Told) -> bool:
    margin = round(FPS * TOLERANCE)
    return next(_on(truth, told, whole=False, margin=margin), None) is not None


def _mistake(truth: Truth, told: Told, right: Iterable[Expected]) -> str:
    event = told.event
    if event.kind == "gone":
        now = {line.place for line in truth[min(told.frame, len(truth) - 1)] if line.whole}
        margin = round(FPS * TOLERANCE)
        stood = {line.place for line in _on(truth, told, whole=True, margin=margin)}
        return "early" if stood & now else "phantom"
    lines = list(_on(truth, told, whole=True, margin=0))
    if not lines:
        return "phantom"
    same = {line.place for line in lines if cer(line.text, event.text) <= MOST_CER}
    if not same:
        return "misread"
    if any(each.place in same and each.start <= told.frame < each.stop for each in right):
        return "duplicate" if event.kind == "appeared" else "correction"
    return "otherwise"
