"""A thread that takes every picture of a source, and hands out those that are wanted.

The thread never waits for the caller who looks at the frames, unless no frame may be left out, so
the frames that it hands out are new. The caller waits for a frame in Python, where Ctrl+C works,
and therefore notices if a call into a driver or a library doesn't return.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import logging
import math
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import VideoError
from ...images import Image
from ..frames import Frame
from ..options import Pace
from .arrivals import Arrival, DamagedError, DroppedError, Pictures, Source, VanishedError
from .backoff import Backoff
from .damage import DamageCheck
from .notices import Notices

logger = logging.getLogger(__name__)

# Pictures that arrive at longer intervals than this, in seconds, are decoded at once. If they come
# faster, the first one that arrives after a frame was requested is decoded.
SLOW = 0.1
# Seconds without a picture before the first message about it, and the most between two messages.
FIRST_SILENCE, MOST_SILENCE = 10.0, 300.0
# Seconds after which a caller who waits for a frame checks how long that has taken.
LOOK = 0.25
# How many seconds longer than a library the caller waits for a source to open, because the reason
# that the library gives is more precise, and a call that returns leaves no thread behind.
GRACE = 0.5
# Seconds for which closing waits for the thread, which may be in a call that doesn't return.
JOIN = 1.0
# Frames may be this many seconds closer to each other than they should be, because the times of
# frames are rounded.
ROUNDING = 1e-4


@dataclass(frozen=True, eq=False)
class _Held:
    """A picture that waits to be handed out: decoded, or to be decoded by whoever gets it."""

    picture: Arrival | Image
    number: int
    seconds: float
    time: float
    opening: int


_open: weakref.WeakSet[Reader] = weakref.WeakSet()
_left: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


@functools.cache
def _close_at_exit() -> None:
    """Make sure that open sources are closed before the interpreter begins to end.

    After that, a thread that returns from a call of OpenCV would abort the process.
    """
    atexit.register(_close_all)


def _close_all() -> None:
    for reader in list(_open):
        reader.close()
    if left_behind() and sys.platform == "linux" and sys.version_info < (3, 14):
        _have_threads_sleep()


def _have_threads_sleep() -> None:
    """Make threads that return from OpenCV while the interpreter ends sleep instead of aborting.

    Up to Python 3.13, such a thread is ended when it requests the interpreter's lock. OpenCV
    requests the lock in a destructor, where C++ does not allow a thread to be ended: it calls the
    function that is set here instead, and the default function aborts the process.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C++ library: all is as it was
        set_terminate = ctypes.CDLL("libstdc++.so.6")._ZSt13set_terminatePFvvE
        set_terminate.argtypes, set_terminate.restype = [ctypes.c_void_p], ctypes.c_void_p
        set_terminate(ctypes.cast(ctypes.CDLL(None).pause, ctypes.c_void_p))


def left_behind() -> bool:
    """Tell whether a thread of a closed source is still in a call that doesn't return."""
    return any(thread.is_alive() for thread in _left)


class Reader(Iterator[Frame]):
    """The frames of a source."""

    def __init__(
        self,
        source: Source,
        pace: Pace,
        *,
        every: float,
        open_timeout: float,
        give_up: float | None,
    ) -> None:
        """Start to read.

        Args:
            source: What to open.
            pace: "newest" or "all".
            every: The least number of seconds between two frames.
            open_timeout: How many seconds the first frame may take.
            give_up: After how many seconds without a picture to end; None to keep trying.
        """
        self._source, self._pace, self._every = source, pace, every
        self._open_timeout, self._give_up = open_timeout, give_up
        self._notices = Notices(source.name, logger)
        self._damage = DamageCheck()
        self._stopped = threading.Event()

        # This condition guards what both threads use.
        self._changed = threading.Condition()
        self._held: _Held | None = None
        self._wanted = False
        self._due = -math.inf  # no frame before this is handed out
        self._asked = math.inf  # when the caller began to wait for a frame
        self._over = False
        self._pictures: Pictures | None = None
        self._fault: BaseException | None = None
        self._start = self._heard = time.monotonic()
        self._down = False
        self._failing_since: float | None = None

        self._count = 0
        self._opened = False  # whether the source was there, so that it can have dropped
        self._seconds = 0.0
        self._size: tuple[int, int] | None = None
        self._any = False
        self._next_notice = FIRST_SILENCE
        self._thread = threading.Thread(target=self._run, name="edgeocr-watch", daemon=True)
        _open.add(self)
        _close_at_exit()
        self._thread.start()

    def __next__(self) -> Frame:
        """Wait for the next frame.

        Raises:
            StopIteration: The source has ended, or was closed.
            VideoError: It gives no more pictures.
        """
        self._asked = time.monotonic()
        while True:
            held = self._next_held()
            image = held.picture
            if isinstance(image, Arrival):
                usable = self._decoded(image, held.seconds)
                if usable is None:
                    continue
                image = usable
                with self._changed:
                    self._due = held.seconds + self._every - ROUNDING
            self._any = True
            self._compare_size(image)
            return Frame(
                image, held.number, held.seconds, held.time, held.opening, self._source.stills
            )

    def close(self) -> None:
        """End the thread; if it is in a call that doesn't return, leave it behind."""
        with self._changed:
            self._stopped.set()
            self._over = True
            self._held = None
            self._changed.notify_all()
            if self._pictures is not None:
                self._pictures.interrupt()
        _open.discard(self)
        self._thread.join(JOIN)
        if self._thread.is_alive():
            _left.add(self._thread)
            logger.info(
                "%s: the library that reads it has not returned, and is left behind",
                self._source.name,
            )

    # The following runs in the caller's thread.

    def _next_held(self) -> _Held:
        with self._changed:
            self._wanted = True
            self._changed.notify_all()
            try:
                while True:
                    held = self._held
                    if held is not None:
                        self._held = None
                        if self._pace == "all":
                            # The thread has been waiting, so the source was not silent.
                            self._heard = time.monotonic()
                        self._changed.notify_all()
                        if held.seconds >= self._due:
                            if not isinstance(held.picture, Arrival):
                                self._due = held.seconds + self._every - ROUNDING
                            return held
                    elif self._over:
                        fault, self._fault = self._fault, None
                        if fault is not None:
                            raise fault
                        raise StopIteration
                    else:
                        self._look_at_clock()
                        self._changed.wait(LOOK)
            finally:
                self._wanted = False

    def _look_at_clock(self) -> None:
        """Raise an error, or log a message, if there has been no picture for too long."""
        now = time.monotonic()
        name = self._source.name
        since = self._heard if self._failing_since is None else self._failing_since
        silent = now - since
        if self._source.stills and not self._down:
            return
        waited = now - max(self._start, self._asked)
        if not self._any and not self._down and waited >= self._open_timeout + GRACE:
            self._end(
                f"{name}: no picture has arrived within {self._open_timeout:g} seconds: check the "
                "address, whether the camera is on, and whether another program shows its picture; "
                "--open-timeout sets how long to wait"
            )
        if self._give_up is not None and silent >= self._give_up:
            self._end(f"{name}: no picture has arrived for {silent:.0f} seconds: given up")
        if silent < FIRST_SILENCE:
            self._next_notice = FIRST_SILENCE
        elif silent >= self._next_notice and not self._down:
            logger.warning("%s: no picture has arrived for %.0f seconds", name, silent)
            self._next_notice = silent + min(silent, MOST_SILENCE)

    def _end(self, message: str) -> None:
        self._stopped.set()
        self._over = True
        raise VideoError(message)

    # The following runs in the reader's thread, `_decoded` in both threads.

    def _run(self) -> None:
        fault: BaseException | None = None
        try:
            self._read()
        except DroppedError as error:
            fault = VideoError(f"{self._source.name}: {error}")
        except BaseException as error:  # it is raised in the caller's thread
            fault = error
        with self._changed:
            self._over = True
            if not self._stopped.is_set():
                self._fault = fault
            self._changed.notify_all()

    def _read(self) -> None:
        backoff = Backoff()
        opening = 0
        while not self._stopped.is_set():
            try:
                pictures = self._source.open(self._stopped)
                with self._changed:
                    self._pictures = pictures
                try:
                    self._take_all(pictures, opening, backoff)
                    return
                finally:
                    with self._changed:
                        self._pictures = None
                    pictures.close()
            except DroppedError as error:
                if self._stopped.is_set():
                    return
                if not self._source.live or not self._opened:
                    raise
                opening += not self._down
                self._wait(str(error), backoff.seconds())

    def _wait(self, reason: str, seconds: float) -> None:
        what = "can't be reached" if self._down else "has dropped"
        logger.warning(
            "%s %s: %s; next attempt in %.1f seconds", self._source.name, what, reason, seconds
        )
        with self._changed:
            self._down = True
        self._stopped.wait(seconds)

    def _take_all(self, pictures: Pictures, opening: int, backoff: Backoff) -> None:
        before, started = -math.inf, None
        self._opened |= self._source.stills
        while not self._stopped.is_set() and (arrival := pictures.take()) is not None:
            now = time.monotonic()
            if self._down:
                logger.warning(
                    "%s is back after %.1f seconds", self._source.name, now - self._heard
                )
                backoff.reset()
            if pictures.plays and arrival.position is not None:
                self._seconds = max(self._seconds, arrival.position)
                if self._pace == "newest":
                    started = now - self._seconds if started is None else started
                    self._stopped.wait(max(0.0, started + self._seconds - now))
            else:
                self._seconds = max(self._seconds, now - self._start)
            self._opened = True
            with self._changed:
                self._heard, self._down = time.monotonic(), False
                number, self._count = self._count, self._count + 1
            held = _Held(arrival, number, self._seconds, time.time(), opening)
            self._offer(held, arrival, slow=now - before >= SLOW)
            before = now
        # A picture that was held when the source ended is still handed out.

    def _offer(self, held: _Held, arrival: Arrival, *, slow: bool) -> None:
        with self._changed:
            if self._pace == "all":
                self._changed.wait_for(lambda: self._held is None or self._stopped.is_set())
            if self._stopped.is_set() or held.seconds < self._due:
                return
            if arrival.keeps:
                self._held = held
                self._changed.notify_all()
                return
            if self._pace == "newest" and not self._wanted and not slow:
                self._held = None  # it is older than this one
                return
        image = self._decoded(arrival, held.seconds)
        if image is not None:
            with self._changed:
                self._held = _Held(image, held.number, held.seconds, held.time, held.opening)
                self._changed.notify_all()

    def _decoded(self, arrival: Arrival, seconds: float) -> Image | None:
        """Decode a picture; if it can't be used, log the reason and return None."""
        try:
            image = arrival.decode()
            reason = self._damage.reason(image, seconds)
        except VanishedError:
            return None
        except DamagedError as error:
            reason = str(error)
        with self._changed:
            if reason is None:
                self._failing_since = None
                return image
            if self._failing_since is None:
                self._failing_since = time.monotonic()
        self._notices.warn("damaged", f"a damaged picture was left out: {reason}")
        return None

    def _compare_size(self, image: Image) -> None:
        height, width = image.shape[:2]
        if self._size is not None and self._size != (width, height):
            logger.warning(
                "%s: the size of the pictures has changed from %d × %d to %d × %d",
                *(self._source.name, *self._size, width, height),
            )
        self._size = width, height
