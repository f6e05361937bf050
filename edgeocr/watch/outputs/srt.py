"""Events as subtitles: a SubRip file that shows each text for as long as it was visible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...layout.boxes import Boxes
from ...layout.rows import rows
from ...outputs.encoding import encoded
from ...postprocess.geometry import Float32
from ..events import Event
from .stream import ByteStream

# Cues are held back for this many seconds, since an event is about a frame some time before.
HOLD = 5.0


@dataclass(eq=False)
class _Span:
    """A text, from when it appeared until it changed or was gone, in milliseconds.

    The end is None while the text is visible.
    """

    text: str
    quad: Float32
    start: int
    end: int | None = None

    def covers(self, start: int, end: int) -> bool:
        return self.start <= start and (self.end is None or self.end >= end)


@dataclass(frozen=True)
class _Cue:
    """Rows that are shown from one time to another, in milliseconds."""

    start: int
    end: int
    rows: tuple[str, ...]


class SrtWriter:
    """Writes a SubRip file. Texts that are visible together are rows of one cue, top to bottom.

    A cue ends when one of its texts changes or is gone, or when another text appears; then the next
    cue begins. So cues never overlap, and each is written once no later event can change it.
    """

    def __init__(self, stream: ByteStream, *, hold: float = HOLD) -> None:
        """Begin without cues.

        Args:
            stream: Where to write them, UTF-8.
            hold: For how many seconds of the source a cue is held back. If an event is about an
                earlier time, its text is shown, or ends, only after the cues that are written.
        """
        self._stream = stream
        self._hold = _milliseconds(hold)
        self._standing: dict[int, _Span] = {}
        self._ended: list[_Span] = []
        self._now = 0
        self._settled = 0  # cues up to this time are decided
        self._last: _Cue | None = None  # decided but for its end
        self._count = 0

    def add(self, event: Event, more: Mapping[str, Any] | None = None) -> None:
        """Take an event into account, and write the cues that are complete then.

        Args:
            event: The event.
            more: Further fields, which subtitles leave out.
        """
        at = max(_milliseconds(event.seconds), self._settled)
        self._now = max(self._now, at, _milliseconds(event.seconds + event.delay))
        before = self._standing.pop(event.track, None)
        if before is not None:
            before.end = max(at, before.start)
            self._ended.append(before)
        if event.kind != "gone":
            self._standing[event.track] = _Span(_row(event.text), event.quad, at)
        self._settle(self._now - self._hold)

    def close(self, seconds: float | None = None) -> None:
        """Write the cues that are left; the stream stays open.

        Args:
            seconds: The time of the last frame, until which the texts that are still visible are
                shown; by default that of the last event.
        """
        end = max(self._now, 0 if seconds is None else _milliseconds(seconds))
        for span in self._standing.values():
            span.end = end
        self._ended += self._standing.values()
        self._standing.clear()
        self._settle(end)
        self._pass_on(None)

    def _settle(self, until: int) -> None:
        """Decide the cues up to a time: between two changes, the same texts are visible."""
        spans = [*self._ended, *self._standing.values()]
        times = {time for span in spans for time in (span.start, span.end) if time is not None}
        for time in sorted(time for time in times if self._settled < time <= until):
            shown = [span for span in spans if span.covers(self._settled, time)]
            self._show(_Cue(self._settled, time, _rows(shown)))
            self._settled = time
        self._ended = [span for span in self._ended if (span.end or 0) > self._settled]

    def _show(self, cue: _Cue) -> None:
        """Prolong the last cue, or write it and begin another one."""
        last = self._last
        if last is not None and last.end == cue.start and last.rows == cue.rows:
            self._last = _Cue(last.start, cue.end, cue.rows)
        else:
            self._pass_on(cue if cue.rows else None)

    def _pass_on(self, following: _Cue | None) -> None:
        """Write the last cue, whose end is known now, and keep the following one."""
        if self._last is not None:
            self._count += 1
            cue = self._last
            shown = "\n".join(cue.rows)
            times = f"{_timestamp(cue.start)} --> {_timestamp(cue.end)}"
            self._stream.write(encoded(f"{self._count}\n{times}\n{shown}\n\n"))
        self._last = following


def _rows(spans: Sequence[_Span]) -> tuple[str, ...]:
    """Return the texts from top to bottom, and from left to right within a row of the picture."""
    shown = [span for span in spans if span.text]
    if len(shown) < 2:
        return tuple(span.text for span in shown)
    quads = np.stack([span.quad for span in shown]).astype(np.float64)
    left, top = quads.min(1).T
    right, bottom = quads.max(1).T
    boxes = Boxes(left, right, top, bottom, np.zeros(len(shown), bool))
    return tuple(shown[i].text for row in rows(boxes) for i in row)


def _row(text: str) -> str:
    """Return a text as a row of a cue.

    An empty row would end the cue, and an arrow could begin another one.
    """
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split()).replace("-->", "→")


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _timestamp(milliseconds: int) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02},{milliseconds:03}"


def is_ours(start: bytes) -> bool:
    """Return False: no subtitles are replaced unasked, because they don't show who wrote them."""
    return False
