"""Write a file so that it appears complete or not at all, also if several processes write it."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger(__name__)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Put what the `with` block writes in the place of a file once the block has ended.

    If the block raises an exception, the file stays as it was.

    Args:
        path: The file, which need not exist yet.

    Yields:
        The path to write to, in the same folder. No other process or thread gets the same one.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes and threads out of their `locked` blocks for the same path.

    A file that is read, changed and replaced in such a block loses nothing that another process
    writes. The lock is a hidden file beside `path`. The system releases it when the process that
    holds it ends, however it ends. The `with` block must not lock the same path again. In a folder
    that this process can't write to, nothing is locked, because it can't change anything there.

    Args:
        path: The file or folder, which need not exist; the folder that holds it must.

    Raises:
        OSError: The lock file can't be created or locked.
    """
    if not os.access(path.parent, os.W_OK):
        yield
        return
    lock = path.with_name(f".{path.name}.lock")
    descriptor = _acquired(lock, path)
    try:
        yield
    finally:
        # A process that opened this file before it was removed notices that, and opens a new one.
        # Windows doesn't remove an open file, so the empty file stays there.
        with contextlib.suppress(PermissionError):
            lock.unlink(missing_ok=True)
        os.close(descriptor)


def _acquired(lock: Path, path: Path) -> int:
    """Open and lock the lock file of a path; return its descriptor."""
    told = False
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not _lock(descriptor, wait=False):
                if not told:
                    logger.info("%s: waiting for another process that is changing it", path)
                told = True
                _lock(descriptor, wait=True)
            if _is_same(descriptor, lock):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_same(descriptor: int, lock: Path) -> bool:
    """Tell whether the open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(descriptor), lock.stat())
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, *, wait: bool) -> bool:
        """Lock the first byte of an open file; LK_LOCK gives up after ten seconds."""
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            except OSError:
                if not wait:
                    return False
            else:
                return True

else:
    import fcntl

    def _lock(descriptor: int, *, wait: bool) -> bool:
        """Lock an open file; tell whether that succeeded."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True
