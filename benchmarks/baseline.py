"""The record that later versions are compared with, and the conditions of its count."""

from __future__ import annotations

import json
import platform
import re
import subprocess
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np

from edgeocr.runtime.onnx_runtime import import_onnxruntime

from . import machine
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
        try:
            read = cls(**json.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise RegressError(
                f"{path}: {error.strerror}; record a new baseline with --update"
            ) from None
        except (ValueError, TypeError) as error:  # TypeError: other fields, or not an object
            raise RegressError(f"{path} is not a baseline: {error}") from None
        # The commit becomes an argument of git, so it must not be anything else, such as an option.
        valid = {
            "job": isinstance(read.job, str),
            "commit": isinstance(read.commit, str) and re.fullmatch("[0-9a-f]{40,64}", read.commit),
            "instructions": read.instructions is None
            or (type(read.instructions) is int and read.instructions > 0),
            "texts": isinstance(read.texts, list),
            "conditions": isinstance(read.conditions, dict),
        }
        if invalid := [field for field, is_valid in valid.items() if not is_valid]:
            raise RegressError(f"{path} is not a baseline: invalid {', '.join(invalid)}")
        return read

    def write(self, path: Path) -> None:
        """Write the baseline as JSON.

        Raises:
            RegressError: The file can't be written.
        """
        try:
            path.write_text(
                json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
            )
        except OSError as error:
            raise RegressError(f"{path}: {error.strerror}") from None


def changes(baseline: Baseline, found: dict[str, str]) -> list[str]:
    """List in words which of the conditions of a count differ from the baseline's.

    Args:
        baseline: The baseline.
        found: The conditions here.
    """
    before = {"job": baseline.job, **baseline.conditions}
    now = {"job": JOB, **found}
    names = dict.fromkeys([*now, *before])
    return [
        f"{name} is {now.get(name, 'unknown')}, was {before.get(name, 'unknown')}"
        for name in names
        if now.get(name) != before.get(name)
    ]


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
