"""Refuse to write where something of the user's would be lost."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from ..errors import OutputError
from .devices import is_device, output_errors

# Tells from the first bytes of a file whether edgeocr wrote it.
Ours: TypeAlias = Callable[[bytes], bool]
# How many bytes of the beginning of a file an `Ours` function is given.
START = 1 << 16


class OutputGuard:
    """A check of every output of a command before it is written.

    Nothing that the command reads may be written to, by whatever name or link. Another file may be
    replaced if it is empty or edgeocr wrote it, or if the user allows that for all files.
    """

    def __init__(self, *, overwrite: bool = False) -> None:
        """Create a guard; `protect` adds the files that must not be replaced.

        Args:
            overwrite: Whether files that edgeocr did not write may be replaced.
        """
        self._overwrite = overwrite
        self._paths: dict[str, str] = {}
        self._identities: dict[tuple[int, int], str] = {}
        self._folders: dict[str, str] = {}

    def protect(self, path: str | os.PathLike[str] | int, what: str) -> None:
        """Protect a file, or a folder with everything in it.

        Args:
            path: The file or folder, which need not exist and may have any name; or the descriptor
                of an open file.
            what: What the messages call it, such as "one of the sources".
        """
        try:
            status = os.stat(path)  # noqa: PTH116
            real = None if isinstance(path, int) else os.path.realpath(path)
        except (OSError, ValueError):  # whatever reads it will say what is wrong
            return
        if stat.S_ISDIR(status.st_mode) and real is not None:
            self._folders[real] = what
        elif stat.S_ISREG(status.st_mode):
            if real is not None:
                self._paths[real] = what
            self._identities[status.st_dev, status.st_ino] = what

    def check(self, path: Path, ours: Ours, writer: str) -> None:
        """Check that a file may be written.

        Args:
            path: The file.
            ours: Tells from the first 64 KiB of a file whether edgeocr wrote it.
            writer: What the messages call whoever writes, such as "--output".

        Raises:
            OutputError: The file is protected, exists and is not known to be edgeocr's, or can't be
                written.
        """
        device = is_device(path)
        with output_errors(path):
            try:
                status = os.stat(path)  # noqa: PTH116
            except FileNotFoundError:
                status = None
        if status is not None and stat.S_ISDIR(status.st_mode):
            raise OutputError(path, "it is a folder")
        what = self._protection(path, status)
        if what is not None:
            raise OutputError(path, f"is {what}: {writer} would overwrite it", refused=True)
        if device or status is None or not status.st_size or self._overwrite:
            return
        with output_errors(path), path.open("rb") as file:
            start = file.read(START)
        if not ours(start):
            raise OutputError(
                path,
                "exists, and nothing in it shows that edgeocr wrote it: choose another name, or "
                "replace it with --overwrite",
                refused=True,
            )

    def _protection(self, path: Path, status: os.stat_result | None) -> str | None:
        """Return what a file is, if it is protected."""
        real = os.path.realpath(path)
        for folder, what in self._folders.items():
            if real == folder or real.startswith(folder.rstrip(os.sep) + os.sep):
                return f"in {what}" if real != folder else what
        if real in self._paths:
            return self._paths[real]
        if status is None:
            return None
        if (found := self._identities.get((status.st_dev, status.st_ino))) is not None:
            return found
        if status.st_nlink > 1:  # it may be a hard link to a file in a protected folder
            for folder, what in self._folders.items():
                if any(os.path.samestat(status, each) for each in _files_in(folder)):
                    return f"in {what}"
        return None


def _files_in(folder: str) -> Iterator[os.stat_result]:
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                yield os.stat(os.path.join(parent, name))  # noqa: PTH116, PTH118
            except OSError:
                continue
