"""Let only one process tune at a time: two would disturb each other's measurements."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import EdgeOCRError
from ..tuned.places import cache_folder

logger = logging.getLogger(__name__)

NAME = "tune.lock"


@contextmanager
def only_tuning() -> Iterator[None]:
    """Keep other processes of this user from tuning during the block, where the system can.

    Raises:
        EdgeOCRError: Another process is tuning; the message has its number.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    folder = cache_folder()
    try:
        if folder is None:
            raise FileNotFoundError("there is no home folder")
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:  # two tunings at once are less likely than a read-only home folder
        logger.info("other tunings aren't kept away: %s", error)
        yield
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = os.read(descriptor, 20).decode("ascii", "replace").strip() or "unknown"
            raise EdgeOCRError(
                f"another process is tuning on this device already, process number {other}, and "
                "two would disturb each other's measurements: wait until it has ended"
            ) from None
        except OSError as error:  # a network file system without locks
            logger.info("other tunings aren't kept away: %s", error)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)  # this also ends the lock
