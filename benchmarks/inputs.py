"""What commands take from their command line: numbers, and folders of pictures."""

from __future__ import annotations

import argparse
from pathlib import Path

from edgeocr.images import SUFFIXES


class MeasurementError(Exception):
    """A measurement can't be made; the message gives the reason."""


def positive(text: str) -> int:
    """Parse a number of a command line that must be at least 1.

    Raises:
        argparse.ArgumentTypeError: It is less.
    """
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {number}")
    return number


def find_pictures(folder: Path) -> list[Path]:
    """List the pictures of a folder by name.

    Raises:
        MeasurementError: There are none.
    """
    if not folder.is_dir():
        raise MeasurementError(f"{folder}: there is no such folder")
    folder = folder.resolve()
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        raise MeasurementError(f"{folder}: there are no pictures in this folder")
    return found
