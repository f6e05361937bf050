"""Convert folders that somebody could have, up to the translation, which is replaced."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from converters import convert as conversions
from converters.__main__ import main
from converters.errors import ConverterError
from tests.support.mistakes import READER
from tests.support.paths import ZOO_EXPORTS

# Words of Python, NumPy and protobuf, which say nothing to a user.
FOREIGN = ("struct", "unpack", "DecodeError", "codec", "Traceback", "Expecting", "Error(")
Convert = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that copies an export of the zoo."""

    def copy(name: str = READER, form: str = "pir", to: str = "mine") -> Path:
        return shutil.copytree(ZOO_EXPORTS / name / form, tmp_path / to)

    return copy


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys) -> Convert:
    """Return a function that converts, expects one line of an error, and returns the line."""

    def too_late(*_: Any) -> Any:
        raise AssertionError("the translation has begun")

    def convert(source: Path, *options: str) -> str:
        monkeypatch.setattr(conversions, "translate", too_late)
        out = tmp_path / "out"
        before = sorted(tmp_path.rglob("*"))
        assert main(["convert", str(source), "-o", str(out), *options]) == 1
        shown = capsys.readouterr()
        assert shown.out == "" and shown.err.count("\n") == 1
        assert shown.err.startswith("error: ") and sorted(tmp_path.rglob("*")) == before
        assert not any(word in shown.err for word in FOREIGN)
        return shown.err.removeprefix("error: ").rstrip("\n")

    return convert


@pytest.fixture
def accepted(tmp_path, monkeypatch, capsys) -> Callable[..., bool]:
    """Return a function that tells whether a conversion gets as far as the translation."""

    class Reached(ConverterError):
        pass

    def reached(*_: Any, **_wanted: Any) -> Any:
        raise Reached("the translation has begun")

    def convert(source: Path, *options: str) -> bool:
        monkeypatch.setattr(conversions, "translate", reached)
        assert main(["convert", str(source), "-o", str(tmp_path / "out"), *options]) == 1
        return "the translation has begun" in capsys.readouterr().err

    return convert
