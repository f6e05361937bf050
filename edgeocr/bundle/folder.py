"""Read a bundle's folder."""

from __future__ import annotations

import os
import stat
from itertools import islice
from pathlib import Path

from ..errors import BundleError
from . import limits
from .archive import MANIFEST, check_name


class Folder:
    """The files in a bundle's folder; a file is read when its content is asked for.

    Attributes:
        sizes: The number of bytes of each file, by name; empty if the folder has no manifest.
    """

    def __init__(self, folder: Path) -> None:
        """List the files of a folder and of the folders in it.

        Args:
            folder: The folder.

        Raises:
            BundleError: There is a symbolic link, something that is neither a file nor a folder, an
                invalid name, or more files or folders than a bundle may have.
            OSError: A folder can't be read.
        """
        self._folder = folder
        self.sizes: dict[str, int] = {}
        if not (folder / MANIFEST).is_file():
            return  # not a bundle: it may be a large folder, so its files are not listed
        folders, waiting = 0, [""]
        while waiting:
            prefix = waiting.pop()
            for entry, status in _entries(folder / prefix):
                name = prefix + entry
                check_name(name)
                if stat.S_ISDIR(status.st_mode):
                    folders += 1
                    waiting.append(f"{name}/")
                elif stat.S_ISREG(status.st_mode):
                    self.sizes[name] = status.st_size
                elif stat.S_ISLNK(status.st_mode):
                    raise BundleError(f"{name} is a symbolic link, which could leave the bundle")
                else:
                    raise BundleError(f"{name} is neither a file nor a folder")
                limits.check_number(max(len(self.sizes), folders))

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            BundleError: The file has another size than it had when the folder was listed.
            OSError: The file can't be read.
        """
        with (self._folder / name).open("rb") as stream:
            content = stream.read(self.sizes[name] + 1)
        if len(content) != self.sizes[name]:
            raise BundleError(f"{name} changed its size while the bundle was being opened")
        return content


def _entries(folder: Path) -> list[tuple[str, os.stat_result]]:
    """Return the names in a folder in sorted order, each with its status; links aren't followed."""
    with os.scandir(folder) as entries:
        # One entry above the limit is listed, too, so that the caller notices it and refuses.
        found = [
            (entry.name, entry.stat(follow_symlinks=False))
            for entry in islice(entries, limits.FILES + 1)
        ]
    limits.check_number(len(found))
    return sorted(found, key=lambda pair: pair[0])
