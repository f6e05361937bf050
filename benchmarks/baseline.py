"""The record that later versions are compared with, and the conditions of its count."""

from __future__ import annotations

import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np

from edgeocr.runtime.onnx_runtime import import_onnxruntime

from . import machine, recorded
from .engines.regress_worker import JOB


class RegressError(Exception):
    """The versions can't be compared; the message gives the reason and says what to do."""


@dataclass(frozen=True)
class Baseline:
    """The record that later versions are compared with.

    Attributes:
        job: `JOB` of the version that wrote the record.
        commit: Full name of the commit that was measured.
        instructions: Instructions of one read; None if valgrind could not count them.
        texts: The lines that were read.
        conditions: What else the count depends on, as `conditions` returns it.
    """

    job: str
    commit: str
    instructions: int | None
    texts: list[str]
    conditions: dict[str, str]

    @classmethod
    def load(cls, path: Path) -> Baseline:
        """Load a file that `write` wrote.

        Raises:
            RegressError: It can't be read, or is not a baseline.
        """
        return recorded.load(
            cls,
            path,
            RegressError,
            lambda read: {
                "instructions": read.instructions is None
                or (type(read.instructions) is int and read.instructions > 0),
                "conditions": isinstance(read.conditions, dict),
            },
        )

    def write(self, path: Path) -> None:
        """Write the baseline as JSON.

        Raises:
            RegressError: The file can't be written.
        """
        recorded.write(self, path, RegressError)


def changes(baseline: Baseline, found: dict[str, str]) -> list[str]:
    """List in words which of the conditions of a count differ from the baseline's.

    Args:
        baseline: The baseline.
        found: The conditions here.
    """
    before = {"job": baseline.job, **baseline.conditions}
    return recorded.differences(before, {"job": JOB, **found})


def conditions(valgrind: str | None) -> dict[str, str]:
    """Return the CPU and the versions of everything that a count depends on, valgrind included.

    Args:
        valgrind: Path of valgrind, or None.

    Raises:
        ProviderUnavailableError: ONNX Runtime is not installed.
    """
    described = machine.describe()
    return {
        "cpu": str(described["cpu"]),
        "architecture": str(described["architecture"]),
        "libc": " ".join(platform.libc_ver()),
        # Two builds of one version differ in their instructions.
        "python": f"{described['python']}, {platform.python_compiler()}",
        "numpy": np.__version__,
        "onnxruntime": import_onnxruntime().__version__,
        "opencv": cv2.__version__,
        "pyclipper": version("pyclipper"),
        "shapely": version("shapely"),
        "valgrind": "none"
        if valgrind is None
        else subprocess.run([valgrind, "--version"], capture_output=True, text=True).stdout.strip(),
    }
