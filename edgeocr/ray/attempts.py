"""Tell which pictures end the process that reads them.

Ray starts a dead process again and repeats its task, for ever if a picture kills it each time. So
a file on the node says which pictures are being read: a process that finds such a file knows that
an earlier one has died with this picture.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import EdgeOCRError

# After this number of deaths on a node, a picture is no longer read there. Ray's memory monitor and
# the end of a node kill processes, too, so one or two deaths do not prove that the picture is at
# fault.
MOST_DEATHS = 3


class Attempts:
    """The pictures that are being read on this node by the processes of one job."""

    def __init__(self, job: str) -> None:
        """Make the folder, unless an earlier process of the job has made it.

        Args:
            job: A name that the processes of one job share, and no others.

        Raises:
            EdgeOCRError: The folder belongs to another user.
        """
        user = os.getuid() if hasattr(os, "getuid") else "user"
        own = Path(tempfile.gettempdir()) / f"edgeocr-ray-{user}"
        own.mkdir(mode=0o700, exist_ok=True)
        # Another user could have made it, with links to files that are none of the job's business.
        found = own.lstat()
        if not stat.S_ISDIR(found.st_mode) or (user != "user" and found.st_uid != user):
            raise EdgeOCRError(
                f"{own} is not a folder of this user: delete it, or set TMPDIR to another folder"
            )
        self._folder = own / job
        self._folder.mkdir(exist_ok=True)

    def deaths(self, key: str) -> int:
        """Return how many processes have died while they read a picture."""
        try:
            return (self._folder / key).stat().st_size
        except FileNotFoundError:
            return 0

    @contextmanager
    def reading(self, keys: Iterable[str]) -> Iterator[None]:
        """Count a death of these pictures if the process doesn't come to the end of the block."""
        paths = [self._folder / key for key in keys]
        for path in paths:
            with path.open("ab") as file:  # its size is the number of deaths
                file.write(b"x")
        try:
            yield
        finally:  # which is reached after an exception, too, but not if the process has died
            for path in paths:
                path.unlink(missing_ok=True)


def key_of(name: str, content: bytes) -> str:
    """Return the key of a picture, by its name and its content."""
    digest = hashlib.blake2b(content, digest_size=16)
    digest.update(name.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
