"""Read and write tuned files."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from ..bundle.bundle import Bundle
from ..bundle.fields import FieldError, parse
from ..bundle.strict_json import decode
from ..errors import EdgeOCRError, OutputError
from ..outputs.replacement import write_file
from .keys import difference
from .places import places
from .record import SCHEMA, Entry, Key, TunedFile

logger = logging.getLogger(__name__)

# An entry with four stages and thirty candidates each has some 50 kilobytes if each one failed: an
# error has at most 1000 characters. Only the newest entries are kept.
MOST_ENTRIES = 16
MOST_BYTES = 1 << 20


def entry_of(path: Path, key: Key) -> Entry | str:
    """Return the entry of a key in a file, or why the file is ignored, in words."""
    try:
        entries = _read(path)
    except (OSError, EdgeOCRError, FieldError) as error:
        return _damage(error)
    for entry in entries:
        if entry.key == key:
            return entry
    return _mismatch(entries, key)


def update(bundle: Bundle, key: Key, change: Callable[[Entry | None], Entry]) -> Path:
    """Change the entry of a key, at the first place that can be written to.

    Entries of the same device with other versions are replaced, and those of other devices stay.
    Two processes that do this at once don't lose each other's entries.

    Args:
        bundle: The bundle.
        key: The key.
        change: Takes the entry as it is, or None, and returns the new one. It may be called more
            than once.

    Returns:
        The file.

    Raises:
        EdgeOCRError: There is no place that can be written to.
    """
    problems = []
    for path in places(bundle):
        try:
            if path.parent != bundle.path.parent:
                path.parent.mkdir(parents=True, exist_ok=True)
            with _locked(path.parent):
                _change(path, key, change)
        except (OSError, OutputError) as error:
            logger.info("what was measured can't be kept in %s: %s", path, error)
            problems.append(str(error))
        else:
            return path
    raise EdgeOCRError(
        "what was measured can't be kept: "
        + ("; ".join(problems) or "there is no home folder for a cache")
        + ": make the bundle's folder writable, or set XDG_CACHE_HOME to a folder that is"
    )


def _change(path: Path, key: Key, change: Callable[[Entry | None], Entry]) -> None:
    try:
        entries = _read(path)
    except FileNotFoundError:
        entries = []
    except (EdgeOCRError, FieldError) as error:
        logger.info("%s is replaced: %s", path, _damage(error))
        entries = []
    current = next((entry for entry in entries if entry.key == key), None)
    others = [entry for entry in entries if not entry.key.same_device(key)]
    kept = [*others[-(MOST_ENTRIES - 1) :], change(current)]
    write_file(path, content_of(kept))


def content_of(entries: list[Entry]) -> bytes:
    """Return the content of a tuned file with some entries."""
    record = asdict(TunedFile(SCHEMA, entries))
    return (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode()


def _read(path: Path) -> list[Entry]:
    with path.open("rb") as stream:
        content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise FieldError(f"it has more than {MOST_BYTES} bytes")
    decoded = decode(content, path.name)
    if isinstance(decoded, dict) and decoded.get("schema") != SCHEMA:
        raise FieldError(f"it has schema {decoded.get('schema')!r:.80}, not {SCHEMA}")
    entries = parse(TunedFile, decoded).entries
    if not all(entry.is_sound for entry in entries):
        raise FieldError("a time in it is impossible")
    return entries


def _damage(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"it can't be read: {error.strerror or error}"
    return f"it is damaged: {error}"


def _mismatch(entries: list[Entry], key: Key) -> str:
    """Say why none of the entries counts, by the one that is nearest to this device."""
    if not entries:
        return "it has no entry"
    near = max(
        entries,
        key=lambda entry: [
            entry.key.bundle == key.bundle,
            entry.key.device == key.device,
            entry.key.cpus == key.cpus,
            entry.key.gpus == key.gpus,
            entry.key.options == key.options,
        ],
    )
    return difference(near.key, key)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other processes from changing the files of a folder, where the system can do that."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a network file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
