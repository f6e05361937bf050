"""Pictures of events: the frame of each one as a JPEG file, with the line's outline drawn."""

from __future__ import annotations

import logging
import os
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import cv2

from ...errors import EdgeOCRError, OutputError, excerpt
from ...outputs.devices import output_errors
from ...outputs.replacement import write_file
from ...postprocess.geometry import Float32
from ...writers import jpeg, overlay
from ..events import Event

# This many bytes from the start of a file show whether edgeocr has drawn it.
START = 1 << 10
NAME = re.compile(r"\d{8}T\d{6}\.\d{3}Z-\d+-(appeared|changed|gone)(-\d+)?\.jpg")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Outline:
    """What is drawn of an event."""

    quad: Float32
    polygon: Float32 | None = None


class Snapshots:
    """A folder with a picture of each event, named after its time in UTC, its track and its kind.

    A picture that can't be written is no reason to stop: the cause is logged, and logged again only
    after pictures could be written in the meantime.
    """

    def __init__(self, folder: str | os.PathLike[str], keep: int | None = None) -> None:
        """Create the folder if it doesn't exist.

        Args:
            folder: The folder. Only one watch should write to it.
            keep: How many pictures to keep; older ones are removed, including those of earlier
                watches. Files that `Snapshots` didn't write are never touched. None to keep all.

        Raises:
            OutputError: The folder can't be created or listed.
            ValueError: `keep` is less than 1.
        """
        if keep is not None and keep < 1:
            raise ValueError(f"keep must be at least 1 picture, not {keep}")
        self._folder, self._keep = Path(folder), keep
        self._failing: set[str] = set()
        self._kept: deque[Path] = deque()
        with output_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            if keep is not None:
                self._kept.extend(sorted(_ours(self._folder.iterdir())))
                self._remove_old()

    def write(self, event: Event) -> str | None:
        """Write the picture of an event.

        Args:
            event: The event.

        Returns:
            The path of the file, in the folder as it was given; None if the event has no picture,
            or the picture can't be written.
        """
        if event.image is None:
            return None
        try:
            path = self._free_path(event)
            drawn = overlay.draw(event.image, [_Outline(event.quad)], texts=False)
            # Losing the last pictures in a power failure is better than waiting for slow SD cards.
            write_file(path, jpeg.encode(drawn), durable=False)
        except (EdgeOCRError, OSError, MemoryError, cv2.error) as error:
            self._report(error)
            return None
        if self._failing:
            logger.info("pictures of events are written to %s again", self._folder)
            self._failing.clear()
        if self._keep is not None:
            self._kept.append(path)
            self._remove_old()
        return str(path)

    def _free_path(self, event: Event) -> Path:
        """Return a path that is named after the event and doesn't exist yet."""
        moment = datetime.fromtimestamp(event.time, timezone.utc)
        time = f"{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03}Z"
        stem = f"{time}-{event.track}-{event.kind}"
        path, number = self._folder / f"{stem}.jpg", 2
        while os.path.lexists(path):
            path, number = self._folder / f"{stem}-{number}.jpg", number + 1
        return path

    def _remove_old(self) -> None:
        while self._keep is not None and len(self._kept) > self._keep:
            try:
                self._kept.popleft().unlink(missing_ok=True)
            except OSError as error:
                self._warn(f"old pictures of events in {self._folder} can't be removed", error)

    def _report(self, error: Exception) -> None:
        self._warn(f"pictures of events can't be written to {self._folder}", error)

    def _warn(self, what: str, error: Exception) -> None:
        # The message of an OutputError names the file, so it would be different for each event.
        cause = error.__cause__ if isinstance(error, OutputError) else error
        reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
        message = excerpt(f"{what}: {reason}")
        if message not in self._failing:
            self._failing.add(message)
            logger.warning("%s; the watch goes on", message)


def path_in(folder: Path) -> Path:
    """Return an example of a path in the folder, to check whether it may be written to."""
    return folder / "00000101T000000.000Z-1-appeared.jpg"


def _ours(paths: Iterable[Path]) -> Iterable[Path]:
    """Yield the files that `Snapshots` has written, known by their names and first bytes."""
    for path in paths:
        if NAME.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if jpeg.is_ours(file.read(START)):
                    yield path
