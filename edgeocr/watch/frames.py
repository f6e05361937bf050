"""A frame: one picture of a camera, a stream, a video or a folder, and when it was taken."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..images import Image


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a source.

    Attributes:
        image: uint8 [H, W, 3] BGR.
        number: How many frames the source had given before this one, including those that were
            skipped because a newer one had arrived.
        seconds: When it was shown, in seconds from the start: the position in a video; for other
            sources, the time since the start by a clock that never jumps. It never decreases.
        time: When it arrived, in seconds since 1970 by the system's clock, which may jump.
        opening: How often the source had been opened again before this frame.
        still: Whether it is a picture of its own, such as a file in a folder, and not one of many
            in a second: its texts are reported at once.
    """

    image: Image = field(repr=False)
    number: int
    seconds: float
    time: float
    opening: int = 0
    still: bool = False
