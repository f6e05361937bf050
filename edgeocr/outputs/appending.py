"""Append to files so that each addition is written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from .devices import output_errors, write_all

FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)


class AppendedFile:
    """A file of lines to which more lines are added, like a log.

    Other programs see a line as soon as it is written. A line is written whole or not at all,
    unless the process is killed, or the power is lost, while it is being written. If the last line
    of a file was cut off in this way, the next addition begins on a new line.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or create an empty one.

        Raises:
            OutputError: The folder is missing, or the file can't be written to.
        """
        self._path = path
        with output_errors(path):
            self._descriptor = os.open(path, FLAGS, 0o666)
        self._cut_off = False
        try:
            with output_errors(path):
                if os.fstat(self._descriptor).st_size:
                    os.lseek(self._descriptor, -1, os.SEEK_END)
                    self._cut_off = os.read(self._descriptor, 1) != b"\n"
        except BaseException:
            self.discard()
            raise

    def write(self, content: bytes) -> None:
        """Add lines.

        Args:
            content: The lines, each with a newline at its end.

        Raises:
            OutputError: The lines can't be written. Those before them stay.
        """
        with output_errors(self._path):
            append_whole(self._descriptor, b"\n" + content if self._cut_off else content)
        self._cut_off = False

    def commit(self) -> None:
        """Close the file once its lines are on the disk.

        Raises:
            OutputError: The last lines did not reach the disk.
        """
        try:
            if self._descriptor >= 0:
                with output_errors(self._path):
                    os.fsync(self._descriptor)
        finally:
            self.discard()

    def discard(self) -> None:
        """Close the file; the lines in it stay."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def append_whole(descriptor: int, content: bytes) -> None:
    """Write all of the content, or nothing, to the end of a file that was opened for appending.

    Args:
        descriptor: The file.
        content: What to write.

    Raises:
        OSError: The content can't be written; the file is as it was before.
    """
    size = os.fstat(descriptor).st_size
    try:
        write_all(descriptor, content)
    except BaseException:
        os.ftruncate(descriptor, size)
        raise
