"""Events: a text has appeared, has changed or is gone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal

from ..images import Image
from ..postprocess.geometry import Float32
from ..results.lines import rounded

Kind = Literal["appeared", "changed", "gone"]


@dataclass(frozen=True, eq=False)
class Event:
    """What happened to a line of text that the camera sees.

    Attributes:
        kind: "appeared", "changed" or "gone".
        track: Number of the line. It stays the same while the line is followed, even if the line
            moves or its text changes.
        text: The text; for a line that is gone, its last text.
        score: Mean probability of the text's characters, from 0 to 1.
        quad: float32 [4, 2], where the line is, or was last, in pixels of the source's frames: the
            corners as (x, y), clockwise from the top left.
        frame: Number of the first frame that shows the text, or no longer shows it.
        seconds: When this frame was shown, in seconds from the start of the source.
        time: When this frame arrived, in seconds since 1970 by the system's clock.
        delay: How many seconds of the source passed from this frame to the one in which the event
            became certain.
        previous: The text before a change; None for other events.
        match: What `WatchOptions.match` matched in the text: its first group, or the whole match if
            it has no groups. None without such an expression.
        image: uint8 [H, W, 3] BGR, the frame in which the event became certain.
    """

    kind: Kind
    track: int
    text: str
    score: float
    quad: Float32
    frame: int
    seconds: float
    time: float
    delay: float = 0.0
    previous: str | None = None
    match: str | None = None
    image: Image | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return what `edgeocr watch` writes as one line of JSON, without the picture.

        The time is in UTC, as in "2026-11-29T08:30:00.125Z". `previous` and `match` are left out if
        they are None.
        """
        optional = {"previous": self.previous, "match": self.match}
        moment = datetime.fromtimestamp(self.time, timezone.utc)
        return {
            "event": self.kind,
            "track": self.track,
            "text": self.text,
            "score": round(self.score, 4),
            "quad": rounded(self.quad),
            "frame": self.frame,
            "seconds": round(self.seconds, 3),
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "delay": round(self.delay, 3),
            **{name: value for name, value in optional.items() if value is not None},
        }
