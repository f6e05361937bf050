"""The texts in each frame of a rendered video, and the events that follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from edgeocr.accuracy.places import same_place
from edgeocr.images import Image
from edgeocr.postprocess.geometry import Float32
from edgeocr.watch.events import Kind

FPS = 25
# A text must be wholly visible for at least this many seconds for its events to be required.
LEAST_SECONDS = 0.2
# A gap that is longer than the patience by less than this many seconds may be reported or not.
DOUBT_SECONDS = 0.3


@dataclass(frozen=True, eq=False)
class Shown:
    """A line of text in a frame.

    Attributes:
        place: Name of the line. If another text replaces this one, the name stays the same.
        text: The text of the line.
        quad: float32 [4, 2], its corners, clockwise from the top left, within the frame.
        whole: False if it is partly hidden or partly outside the frame, or doesn't count.
    """

    place: str
    text: str
    quad: Float32
    whole: bool = True


Truth = Sequence[Sequence[Shown]]


@dataclass(frozen=True, eq=False)
class Video:
    """A rendered video.

    Attributes:
        name: Name of its scene.
        images: uint8 [H, W, 3] BGR, its frames, at `FPS` frames per second.
        truth: The lines in each frame.
    """

    name: str
    images: Sequence[Image] = field(repr=False)
    truth: Truth = field(repr=False)

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.images) / FPS


@dataclass(frozen=True)
class Expected:
    """An event that the truth requires or allows.

    Attributes:
        kinds: The kinds that it may have, the likeliest first.
        place: Name of the line.
        text: The line's text; for a line that is gone, its last text.
        previous: The text before a change; None for other events.
        begin: The first frame that the event may name: where the text began to enter or to leave.
        end: The first frame that shows all of the text, or nothing of it any more.
        start: The first frame in which all of the text is visible.
        stop: The first frame after that in which not all of the text is visible.
        required: Whether it counts as lost if it is not reported.
        any_text: Whether its text doesn't matter, because at last only a part was visible.
    """

    kinds: tuple[Kind, ...]
    place: str
    text: str
    previous: str | None
    begin: int
    end: int
    start: int
    stop: int
    required: bool
    any_text: bool = False

    @property
    def is_gone(self) -> bool:
        """Whether it says that a line is gone."""
        return self.kinds == ("gone",)


@dataclass(frozen=True, eq=False)
class _Run:
    """Consecutive frames, from `start` to before `stop`, in which all of a text is visible."""

    text: str
    start: int
    stop: int
    first: Float32
    last: Float32

    @property
    def is_long(self) -> bool:
        """Whether the text is visible long enough for its events to be required."""
        return self.stop - self.start >= LEAST_SECONDS * FPS


def expected_events(truth: Truth, patience: float) -> list[Expected]:
    """Derive the events from the texts in each frame.

    A text has appeared when all of it is visible, or has changed if another one was at its place
    less than the patience ago. It is gone when nothing of it is visible. A text that is away for
    less than the patience and comes back must not be reported; if it is partly visible for longer,
    or away for about as long as the patience, events are allowed, but not required.

    Args:
        truth: The lines in each frame.
        patience: The number of seconds for which a line may be missing before it is gone.
    """
    places = dict.fromkeys(line.place for lines in truth for line in lines)
    found: list[Expected] = []
    for place in places:
        row = [next((line for line in lines if line.place == place), None) for lines in truth]
        found += _of_place(place, row, patience)
    return sorted(found, key=lambda each: each.end)


def _of_place(place: str, row: Sequence[Shown | None], patience: float) -> Iterator[Expected]:
    runs = list(_runs(row))
    if not runs:
        return
    yield _appeared(place, row, runs[0])
    for before, after in pairwise(runs):
        away = FPS * patience
        absent = _longest_absence(row[before.stop : after.start])
        surely_gone = absent >= away + FPS * DOUBT_SECONDS
        if surely_gone:
            yield _gone(place, row, before, required=before.is_long)
            yield _appeared(place, row, after)
        elif before.text != after.text:
            overlap = after.start == before.stop and same_place(before.last, after.first)
            yield Expected(
                ("changed",) if overlap else ("changed", "appeared"),
                place,
                after.text,
                before.text,
                before.stop,
                after.start,
                after.start,
                after.stop,
                required=after.is_long,
            )
            if not overlap:
                yield _gone(place, row, before, required=False)
        elif after.start - before.stop >= away:
            yield _gone(place, row, before, required=False)
            yield _appeared(place, row, after, required=False)
    last = runs[-1]
    if last.stop < len(row):
        gone = _gone(place, row, last, required=False)
        is_seen = gone.end < len(row) and gone.end + FPS * (patience + DOUBT_SECONDS) <= len(row)
        yield _gone(place, row, last, required=is_seen and last.is_long)


def _runs(row: Sequence[Shown | None]) -> Iterator[_Run]:
    def key(number: int) -> str | None:
        line = row[number]
        return line.text if line is not None and line.whole else None

    for text, group in groupby(range(len(row)), key):
        numbers = list(group)
        first, last = row[numbers[0]], row[numbers[-1]]
        if text is not None and first is not None and last is not None:
            yield _Run(text, numbers[0], numbers[-1] + 1, first.quad, last.quad)


def _longest_absence(row: Sequence[Shown | None]) -> int:
    return max(
        (len(list(group)) for absent, group in groupby(line is None for line in row) if absent),
        default=0,
    )


def _appeared(
    place: str, row: Sequence[Shown | None], run: _Run, required: bool = True
) -> Expected:
    begin = run.start
    while begin and row[begin - 1] is not None:
        begin -= 1
    # The part that was visible first may have been reported as a text of its own.
    kinds: tuple[Kind, ...] = ("appeared", "changed") if begin < run.start else ("appeared",)
    return Expected(
        kinds,
        place,
        run.text,
        None,
        begin,
        run.start,
        run.start,
        run.stop,
        required and run.is_long,
    )


def _gone(place: str, row: Sequence[Shown | None], run: _Run, required: bool) -> Expected:
    end = run.stop
    while end < len(row) and row[end] is not None:
        end += 1
    return Expected(
        ("gone",),
        place,
        run.text,
        None,
        run.stop,
        end,
        run.start,
        run.stop,
        required,
        any_text=end > run.stop,
    )
