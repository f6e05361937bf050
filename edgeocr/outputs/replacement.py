"""Replace a file by one that is complete, or leave it as it was."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from ..errors import OutputError
from .appending import append_whole
from .devices import DeviceFile, is_device, output_errors, write_all

# The names of files that are being written begin and end with these. Only a process that is killed
# (SIGKILL, or a loss of power) leaves such a file behind.
PREFIX, SUFFIX = ".edgeocr-", ".part"
# What `os.replace` reports for a file that can't be replaced but can be written: a file that is
# mounted by itself, as containers do, and a link across file systems.
NOT_REPLACEABLE = (errno.EBUSY, errno.EXDEV)
FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class Replacement:
    """A file that is written beside the one that it replaces, and takes its place once complete.

    A symbolic link stays, and the file that it leads to is replaced. The new file has the mode of
    the old one and, where the system allows it, its owner; a new name gets what the umask leaves.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        """Create the file under a temporary name in the same folder.

        Args:
            path: The file to replace, which need not exist.
            durable: Whether to wait until the content is on the disk before the old file goes, so
                that a loss of power leaves one of the two.

        Raises:
            OutputError: The folder is missing or can't be written to.
        """
        self._path, self._durable = path, durable
        with output_errors(path):
            self._target = Path(os.path.realpath(path))
        self._partial = self._target.with_name(f"{PREFIX}{os.urandom(8).hex()}{SUFFIX}")
        self._descriptor = -1
        try:
            with output_errors(path):
                self._descriptor = os.open(self._partial, FLAGS, 0o666)
        except BaseException:  # a signal may arrive when the file has just been created
            self.discard()
            raise

    def write(self, content: bytes) -> None:
        """Add content to the end of the file.

        Raises:
            OutputError: It can't be written, and the file has been discarded.
        """
        try:
            with output_errors(self._path):
                write_all(self._descriptor, content)
        except OutputError:
            self.discard()
            raise

    def commit(self) -> None:
        """Put the file in the place of the old one.

        Raises:
            OutputError: That failed: the old file is as it was, and this one has been discarded.
        """
        try:
            with output_errors(self._path):
                self._keep_mode()
                if self._durable:
                    os.fsync(self._descriptor)
                self._close()
                self._move()
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove the file unless it has taken its place; the old file stays as it was."""
        self._close()
        with suppress(OSError):
            self._partial.unlink(missing_ok=True)

    def _move(self) -> None:
        try:
            os.replace(self._partial, self._target)  # noqa: PTH105 - tests replace this function
        except OSError as error:
            if error.errno not in NOT_REPLACEABLE:
                raise
            shutil.copyfile(self._partial, self._target)

    def _keep_mode(self) -> None:
        """Give the new file the owner and the mode of the old one, if there is one."""
        with suppress(OSError):  # no old file, or a file system without modes
            old = self._target.stat()
            if hasattr(os, "chown"):
                with suppress(PermissionError):
                    os.chown(self._partial, old.st_uid, old.st_gid)
            # After the owner, since a change of owner clears bits of the mode.
            self._partial.chmod(stat.S_IMODE(old.st_mode))

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class GrowingFile:
    """A file to which lines are added, each of which other programs see as soon as it is written.

    The first line replaces an older file; until then the older file stays as it was. A line is
    there whole or not at all, unless the process is killed while it writes one.
    """

    def __init__(self, path: Path, *, keep: int = 0) -> None:
        """Make sure that the file can be created, without replacing an older one yet.

        Args:
            path: The file.
            keep: How many bytes of an older file stay; the rest of it is cut off at once.

        Raises:
            OutputError: The folder is missing or can't be written to.
        """
        self._path = path
        self._beginning: Replacement | None = None if keep else Replacement(path)
        self._descriptor = -1
        if keep:
            with output_errors(path):
                if path.stat().st_size > keep:
                    os.truncate(path, keep)

    def write(self, content: bytes) -> None:
        """Add a line.

        Raises:
            OutputError: It can't be written. The lines before it stay.
        """
        if self._beginning is not None:
            self._beginning.write(content)
            self._beginning.commit()
            self._beginning = None
            return
        with output_errors(self._path):
            if self._descriptor < 0:
                flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)
                self._descriptor = os.open(self._path, flags)
            append_whole(self._descriptor, content)

    def commit(self) -> None:
        """Close the file once its lines are on the disk; without a line, the older file stays.

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
        """Close the file; the lines that it has stay."""
        if self._beginning is not None:
            self._beginning.discard()
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def write_file(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a file so that it appears complete or not at all; a device is written to as it is.

    Args:
        path: The file.
        content: All of its content.
        durable: As for `Replacement`.

    Raises:
        OutputError: It can't be written; an older file is as it was.
    """
    file = DeviceFile(path) if is_device(path) else Replacement(path, durable=durable)
    try:
        file.write(content)
        file.commit()
    finally:
        file.discard()
