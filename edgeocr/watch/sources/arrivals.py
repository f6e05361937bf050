"""What all kinds of sources have in common: pictures that arrive one by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from ...images import Image


class DroppedError(Exception):
    """A source gives no more pictures, but may be opened again; the message is the reason."""


class DamagedError(Exception):
    """A picture can't be used, but the next one may be usable; the message is the reason."""


class VanishedError(DamagedError):
    """A picture is no longer there, which needs no message."""


@dataclass(frozen=True, eq=False)
class Arrival:
    """A picture that has arrived but isn't decoded yet.

    Attributes:
        decode: Returns the picture, uint8 [H, W, 3] BGR, or raises `DamagedError`.
        keeps: Whether `decode` may be called by any thread, even after the next picture has
            arrived. Otherwise only the thread that has taken the picture may call it, and before it
            takes the next one.
        position: Where in the video the picture is, in seconds; None for a live picture.
    """

    decode: Callable[[], Image]
    keeps: bool
    position: float | None = None


class Pictures(Protocol):
    """An open source. One thread uses and closes it, except for `interrupt`."""

    @property
    def plays(self) -> bool:
        """Whether it is a recording, which has an end, and whose pictures have positions."""

    def take(self) -> Arrival | None:
        """Wait for the next picture.

        Returns:
            The picture; None at the end of the source, or if `stopped` was set in the meantime.

        Raises:
            DroppedError: The source gives no more pictures, but may do so when it is opened again.
            VideoError: The source gives no more pictures, and can't be opened again.
        """

    def interrupt(self) -> None:
        """Make `take` return soon, because `stopped` was set; any thread may call this anytime."""

    def close(self) -> None:
        """Release the source."""


@dataclass(frozen=True)
class Source:
    """A source that a reader can open, again and again if it is live.

    Attributes:
        name: Its name in messages, without passwords.
        open: Opens it. The argument is the event that ends all waiting, `stopped`.
        live: Whether it is opened again when it drops.
        stills: Whether its pictures are files of their own, of which none may come for any time.
    """

    name: str
    open: Callable[[Event], Pictures]
    live: bool
    stills: bool = False
