"""Frames from a folder that fills up with pictures."""

from __future__ import annotations

import functools
import heapq
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from ... import images
from ...errors import EdgeOCRError
from ...stages.frames import frames_of
from .arrivals import Arrival, DamagedError, DroppedError, VanishedError

logger = logging.getLogger(__name__)

# The pause between two looks into the folder: LOOK seconds, or REST_PER_LOOK times the duration of
# a look if that is longer, so that a large folder doesn't keep a processor busy.
LOOK, REST_PER_LOOK = 0.25, 10
SUFFIXES = images.SUFFIXES | images.EXTRA_SUFFIXES


@dataclass(frozen=True, order=True)
class File:
    """A state of a file, in the order in which files are read.

    Attributes:
        modified: When it was written last, in nanoseconds since 1970.
        name: Its name in the folder.
        size: Its bytes.
    """

    modified: int
    name: str
    size: int


@dataclass
class Memory:
    """The files that were taken, remembered for as long as they are in the folder.

    Each state of a file is one 64-bit number. States that no longer exist are forgotten at the next
    look, so the memory depends on how many files are in the folder, not on how many there have
    been. A file that is written again has another state, and is taken again.

    Attributes:
        taken: The hash of each state.
    """

    taken: set[int] = field(default_factory=set)


class Folder:
    """The pictures of a folder: first those that are there, then each one that is added."""

    plays = False

    def __init__(self, path: str, name: str, memory: Memory, stopped: Event) -> None:
        """Open it.

        Args:
            path: The folder.
            name: Its name in messages.
            memory: What was taken before, when the folder was opened earlier.
            stopped: Ends all waiting.

        Raises:
            DroppedError: There is no such folder.
        """
        self._path, self._name, self._memory, self._stopped = path, name, memory, stopped
        self._growing: dict[str, File] = {}  # seen once, so maybe still being written
        self._ready: list[File] = []
        self._file = Path(path)  # whose frames come next
        self._frames: Iterator[images.Source] = iter(())
        self._pause = 0.0
        self._look()

    def take(self) -> Arrival | None:
        """Wait for the next picture; see `Pictures.take`."""
        while not self._stopped.is_set():
            for frame in self._frames:
                return Arrival(functools.partial(_decoded, frame, self._file), keeps=True)
            if self._ready:
                self._file = Path(self._path, heapq.heappop(self._ready).name)
                self._frames = iter(frames_of(self._file))
            elif not self._stopped.wait(self._pause):
                self._look()
        return None

    def interrupt(self) -> None:
        """Do nothing, because each wait ends when `stopped` is set."""

    def close(self) -> None:
        """Forget the files that were not read yet, so that they are found again."""
        self._memory.taken.difference_update(map(hash, self._ready))

    def _look(self) -> None:
        """Find new files that are complete, which means the same at two looks."""
        start = time.monotonic()
        taken, growing = set[int](), dict[str, File]()
        for file in self._files():
            if (state := hash(file)) in self._memory.taken:
                taken.add(state)
            elif self._growing.get(file.name) == file:
                heapq.heappush(self._ready, file)
                taken.add(state)
            else:
                growing[file.name] = file
        # A folder whose file system is not mounted is empty; its files come back later.
        if taken or growing:
            self._memory.taken = taken
        self._growing = growing
        self._pause = max(LOOK, REST_PER_LOOK * (time.monotonic() - start))

    def _files(self) -> Iterator[File]:
        try:
            with os.scandir(self._path) as entries:
                for entry in entries:
                    name = entry.name
                    # Programs write into a hidden file before they give it its name.
                    if name.startswith(".") or Path(name).suffix.lower() not in SUFFIXES:
                        continue
                    try:
                        if entry.is_file():
                            status = entry.stat()
                            yield File(status.st_mtime_ns, name, status.st_size)
                    except OSError:
                        continue  # it has vanished in the meantime
        except OSError as error:
            raise DroppedError(f"the folder can't be listed: {error.strerror}") from error


def _decoded(frame: images.Source, path: Path) -> images.Image:
    try:
        return images.load(frame)
    except EdgeOCRError as error:
        if not path.exists():
            raise VanishedError(str(error)) from error
        raise DamagedError(str(error)) from error
