"""models.lock: the sha256 of files for which no publisher states one, as first fetched.

Each line holds a hash and a URL. The file is kept in the repository, so that everyone who fetches a
file gets the same bytes.
"""

from __future__ import annotations

import re
from pathlib import Path

from edgeocr.outputs.replacement import write_file

from ..atomic import locked
from ..errors import FetchError

HEAD = """\
# The sha256 and URL of files for which no publisher states a sha256, as they were first fetched.
# `python -m converters fetch` adds lines. If a publisher has changed a file, remove its line.
"""


class Lock:
    """The lock file at `path`, which need not exist yet."""

    def __init__(self, path: Path) -> None:
        """Use the lock file at `path`; nothing is read yet."""
        self.path = path

    def get(self, url: str) -> str | None:
        """Return the hash of the file that was first fetched from `url`, or None for a new URL.

        Raises:
            FetchError: If a line is not a hash and a URL; the message names the line.
        """
        return self._read().get(url)

    def remember(self, url: str, sha256: str) -> None:
        """Add a hash, and keep what other processes add at the same time.

        Raises:
            FetchError: If another hash is recorded for the URL, or the file is damaged.
        """
        with locked(self.path):
            hashes = self._read()
            if hashes.setdefault(url, sha256) != sha256:
                raise FetchError(
                    f"{self.path}: {hashes[url]} is recorded for {url}, but the file that was "
                    f"fetched has the sha256 {sha256}; if its publisher has changed it, remove "
                    "the line and fetch again"
                )
            lines = "".join(f"{hashes[url]}  {url}\n" for url in sorted(hashes))
            write_file(self.path, (HEAD + lines).encode())

    def _read(self) -> dict[str, str]:
        hashes: dict[str, str] = {}
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except UnicodeDecodeError as error:
            raise FetchError(f"{self.path}: not UTF-8 ({error}); restore the file") from error
        for number, line in enumerate(text.splitlines(), 1):
            if not line or line.startswith("#"):
                continue
            found = re.fullmatch(r"([0-9a-f]{64})  (\S+)", line)
            if found is None:
                raise FetchError(
                    f"{self.path}, line {number}: expected a sha256, two spaces and a URL, "
                    f"not {line!r:.80}"
                )
            hashes[found[2]] = found[1]
        return hashes
