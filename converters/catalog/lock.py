"""models.lock: the sha256 of files that nobody has published one of, as they were first fetched.

A line for each file, its hash and its URL. It is kept in the repository, so that all who fetch the
file get the same.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..errors import FetchError

HEAD = """\
# The sha256 of files that nobody has published one of, as they were first fetched, and their URLs.
# `python -m converters fetch` adds lines. Where a publisher has changed a file, remove its line.
"""


class Lock:
    """The lock file at `path`, which may not be there yet."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def get(self, url: str) -> str | None:
        """The hash of the file that was first fetched from `url`, None for a new one.

        Raises `FetchError` that names a line that is none of this format.
        """
        return self._read().get(url)

    def remember(self, url: str, sha256: str) -> None:
        """Write a hash; the file is replaced as a whole."""
        hashes = {**self._read(), url: sha256}
        lines = "".join(f"{hashes[url]}  {url}\n" for url in sorted(hashes))
        partial = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        try:
            partial.write_text(HEAD + lines, encoding="utf-8")
            partial.replace(self.path)
        finally:
            partial.unlink(missing_ok=True)

    def _read(self) -> dict[str, str]:
        hashes = {}
        text = self.path.read_text(encoding="utf-8") if self.path.is_file() else ""
        for number, line in enumerate(text.splitlines(), 1):
            if not line or line.startswith("#"):
                continue
            found = re.fullmatch(r"([0-9a-f]{64})  (\S+)", line)
            if found is None:
                raise FetchError(f"{self.path}, line {number}: no sha256 and URL: {line!r:.80}")
            hashes[found[2]] = found[1]
        return hashes
