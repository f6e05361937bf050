"""Run `edgeocr` in a process of its own, as a shell does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.paths import ROOT

# Longer than any of these processes takes on a slow machine; one that hangs fails its test.
PATIENCE = 60


def arguments(*words: str | Path) -> list[str]:
    """Return the command and its arguments."""
    return [sys.executable, "-m", "edgeocr", *map(str, words)]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a process that imports this checkout."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **(extra or {})}


def start(*words: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Start `edgeocr` with pipes for standard output and error."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    return subprocess.Popen(
        arguments(*words), env=environment(), encoding="utf-8", **{**pipes, **options}
    )


def shell(
    redirections: str, words: Sequence[str | Path], **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """Run `edgeocr` with the redirections of a shell, such as `>&- 2>&-`."""
    return subprocess.run(
        ["sh", "-c", f'exec "$0" "$@" {redirections}', *arguments(*words)],
        env=environment(variables),
        capture_output=True,
        timeout=PATIENCE,
    )
