"""What the tests of commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgeocr.cli.main import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs `edgeocr bundle` and returns exit code, output and errors."""

    def command(*arguments: str | Path) -> tuple[int, str, str]:
        code = main(["bundle", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command
