"""The libraries of the extra `ray`, which are imported when they are used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import MissingLibraryError


def library(name: str) -> Any:
    """Import a module of the extra `ray`.

    Args:
        name: The module's dotted name, such as "pyarrow.fs".

    Raises:
        MissingLibraryError: The library is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingLibraryError(name.partition(".")[0], "ray") from error
