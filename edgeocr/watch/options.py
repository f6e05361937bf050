"""The options of a watch: which frames to look at, which texts to report, and when to end."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

Pace = Literal["newest", "all"]


@dataclass(frozen=True)
class WatchOptions:
    """The options of a watch.

    Attributes:
        every: The minimum number of seconds between two frames that are looked at; 0 to look at as
            many frames as there is time for.
        region: The part of each frame that is looked at, as (left, top, width, height) in pixels;
            None for the whole frame.
        min_score: The score below which a text is ignored.
        match: A regular expression. Only texts in which it is found are reported, and a change only
            if what it matches changes: its first group, if it has groups. None for all texts.
        until: How many events to report before the watch ends; None for no limit.
        patience: For how many seconds a line may be missing before it is gone.
        pace: "newest" looks at the newest frame and skips those that arrived in the meantime; "all"
            looks at every frame in turn, while the source waits. None for "all" with videos,
            folders and files of MJPEG, and "newest" with cameras, streams and pipes.
        open_timeout: How many seconds a source may take to give its first picture.
        give_up: After how many seconds without a picture the watch ends with an error; None to
            keep trying once there was a picture.
    """

    every: float = 0.0
    region: tuple[int, int, int, int] | None = None
    min_score: float = 0.6
    match: re.Pattern[str] | None = None
    until: int | None = None
    patience: float = 0.5
    pace: Pace | None = None
    open_timeout: float = 15.0
    give_up: float | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: A value is out of range; the message names it.
        """
        for name in ("every", "patience"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be 0 seconds or more, not {getattr(self, name)}")
        for name in ("open_timeout", "give_up"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name} must be more than 0 seconds, not {value}")
        if not 0 <= self.min_score <= 1:
            raise ValueError(f"min_score must be from 0 to 1, not {self.min_score}")
        if self.until is not None and self.until < 1:
            raise ValueError(f"until must be at least 1 event, not {self.until}")
        if self.pace not in (None, "newest", "all"):
            raise ValueError(f"pace must be 'newest' or 'all', not {self.pace!r}")
        if self.region is not None:
            left, top, width, height = self.region
            if min(left, top) < 0 or min(width, height) < 1:
                raise ValueError(
                    "region must be left, top, width and height in pixels, the first two at least "
                    f"0 and the others at least 1, not {self.region}"
                )
