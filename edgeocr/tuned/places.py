"""Where the tuned file of a bundle may be."""

from __future__ import annotations

import os
from pathlib import Path

from ..bundle.bundle import Bundle

SUFFIX = ".tuned.json"
# Hexadecimal digits of the bundle's digest that name a file in the user's cache.
DIGITS = 12


def places(bundle: Bundle) -> list[Path]:
    """List where the file of a bundle may be, the preferred place first.

    It is beside the bundle, unless that is the one in the package, or in the user's cache.
    """
    found, path = [], bundle.path
    if path.name in ("", ".."):  # the working folder, for one: a file in it would damage it
        path = path.resolve()
    if path != Bundle.default_path():
        found.append(path.parent / (path.name.removesuffix(".edgeocr") + SUFFIX))
    if (folder := cache_folder()) is not None:
        found.append(folder / f"{bundle.digest[:DIGITS]}{SUFFIX}")
    return found


def cache_folder() -> Path | None:
    """Return the folder in the user's cache; None for a user without a home folder."""
    try:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        return None
    return Path(cache) / "edgeocr" / "tuned"
