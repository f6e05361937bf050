"""Find what `edgeocr tune` has kept about a bundle on this device.

Every `OCR` does this. Most devices have no such file, so nothing else is imported for that.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..bundle.bundle import Bundle
from ..runtime.options import RuntimeOptions
from .places import places

if TYPE_CHECKING:
    from .record import Entry

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """What is known about a bundle on this device.

    Attributes:
        path: The file that it comes from, or the one that is ignored; None without a file.
        entry: The entry for this device; None without one.
        ignored: Why the file is ignored, in words; None if it isn't, or there is none.
    """

    path: Path | None = None
    entry: Entry | None = None
    ignored: str | None = None

    def __str__(self) -> str:
        """Say which file is used, or why it isn't."""
        if self.path is None:
            return "nothing is known of this device: edgeocr tune finds out what is fastest on it"
        if self.entry is None:
            return f"{self.path} is ignored: {self.ignored}"
        return f"{self.path}, made {self.entry.when}"


def load(bundle: Bundle, options: RuntimeOptions) -> Found:
    """Look for what is known about a bundle on this device.

    A file that is damaged, of another device or out of date is ignored.

    Args:
        bundle: The bundle.
        options: The caller's options. With `tuned=False` nothing is looked for, and with a path
            only there.

    Raises:
        ProviderUnavailableError: There is a file, and ONNX Runtime can't be imported.
    """
    if isinstance(options.tuned, bool):
        where = places(bundle) if options.tuned else []
    else:
        where = [Path(options.tuned)]
    # `Path.is_file` raises an error in a folder that this user may not enter. In some containers,
    # HOME names the folder of another user.
    present = [path for path in where if os.path.isfile(path)]  # noqa: PTH113
    if not present:
        return Found()
    from .files import entry_of
    from .keys import key_of_this_device

    key = key_of_this_device(bundle.digest, options)
    ignored = []
    for path in present:
        entry = entry_of(path, key)
        if not isinstance(entry, str):
            return Found(path, entry)
        ignored.append(Found(path, ignored=entry))
        logger.info("%s", ignored[-1])
    return ignored[0]
