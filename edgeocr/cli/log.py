"""Print log messages to standard error while a command runs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def log_to_stderr(package: str, prefix: str = "") -> Iterator[None]:
    """Print what a package logs at level INFO and above to standard error while the block runs.

    Args:
        package: The package, whose modules log under their own names below it.
        prefix: What every line begins with.
    """
    logger, handler = logging.getLogger(package), logging.StreamHandler()
    handler.setFormatter(logging.Formatter(f"{prefix}%(message)s"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
