"""Write a file so that it appears complete or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Put what the `with` block writes in the place of a file once the block has ended.

    If the block raises an exception, the file stays as it was.

    Args:
        path: The file, which need not exist yet.

    Yields:
        The path to write to, in the same folder.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
