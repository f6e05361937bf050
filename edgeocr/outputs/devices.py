"""Outputs that are no files on a disk: terminals, pipes, /dev/null, and open descriptors."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import OutputError

# Folders whose files are the open descriptors of a process, on Linux and on other systems.
DESCRIPTORS = re.compile(r"/proc/\d+/fd|/proc/\d+/task/\d+/fd|/dev/fd")
# The number of links after which a system gives up; Linux takes 40.
MOST_LINKS = 40


def is_device(path: Path) -> bool:
    """Tell whether an output is written to as it is, and not replaced.

    That holds for whatever exists and is neither a file nor a folder, and for names of open
    descriptors such as /dev/stdout, even where a shell has connected them with a file.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # it does not exist, or checking it will say what is wrong
        return False
    if not stat.S_ISREG(mode):
        return not stat.S_ISDIR(mode)
    name = os.path.abspath(path)  # noqa: PTH100 - links are followed below, one at a time
    for _ in range(MOST_LINKS):
        folder = os.path.dirname(name)  # noqa: PTH120
        if DESCRIPTORS.fullmatch(os.path.realpath(folder)):
            return True
        try:
            name = os.path.join(folder, os.readlink(name))  # noqa: PTH115, PTH118
        except OSError:  # no link
            return False
    return False


class DeviceFile:
    """An open device or pipe, which gets everything as soon as it is written."""

    def __init__(self, path: Path) -> None:
        """Open the device. Opening a named pipe waits until another process reads from it.

        Raises:
            OutputError: It can't be opened for writing.
        """
        self._path = path
        with output_errors(path):
            # Appending, so that `>> file` followed by `--output /dev/stdout` keeps the file.
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)

    def write(self, content: bytes) -> None:
        """Write content.

        Raises:
            OutputError: It can't be written.
            BrokenPipeError: The process that reads from the pipe has ended.
        """
        with output_errors(self._path):
            write_all(self._descriptor, content)

    def commit(self) -> None:
        """Close the device."""
        self.discard()

    def discard(self) -> None:
        """Close the device."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of some content to a descriptor, in as many steps as the system takes.

    Raises:
        OSError: It can't be written.
    """
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turn the system's errors into an `OutputError` that names the output."""
    try:
        yield
    except BrokenPipeError:  # no fault: the reader of the pipe wants no more
        raise
    except (OSError, ValueError) as error:  # ValueError: the path has a null byte
        raise OutputError(path, getattr(error, "strerror", None) or str(error)) from error
