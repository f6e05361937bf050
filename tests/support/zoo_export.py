"""Export networks of the zoo in a process of its own, with the Paddle of this environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.zoo.names import EVERY

# Parameters of a test for each network and format: Paddle 2.6.2 writes legacy, Paddle 3 PIR.
MARKS = {"legacy": pytest.mark.paddle, "pir": pytest.mark.pir}
EACH = [pytest.param(name, form, marks=MARKS[form]) for name, form in EVERY]


def export(form: str, output: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the script, which writes what goes wrong to the standard output that is returned."""
    command = [sys.executable, "-m", "tests.zoo.export", "--format", form, "--output", str(output)]
    return subprocess.run(
        [*command, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
