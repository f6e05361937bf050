"""The folder that `convert` or `npu` writes: all of its files, or none of them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Mapping
from pathlib import Path

from edgeocr.outputs.replacement import write_file

from .atomic import replace_folder
from .catalog.conversions import REPORT
from .errors import ConverterError

PLAIN, EDGE, PAGE = "plain.onnx", "edge.onnx", "report.md"
# All files of a conversion.
FILES = (PLAIN, EDGE, REPORT, PAGE)


def check(folder: Path, files: Collection[str] = FILES, of: str = "a conversion") -> None:
    """Check that a folder can be written, before any work is done.

    Args:
        folder: The folder to write, which may hold files of these names but nothing else.
        files: The names of the files that will be written.
        of: What the files are, for the error.

    Raises:
        ConverterError: It can't be written; the message says why.
    """
    found = _listed(folder, of)
    if others := [name for name in found if name not in files and not name.startswith(".")]:
        named = ", ".join(others[:4]) + (", …" if len(others) > 4 else "")
        raise ConverterError(
            f"{folder}: the folder holds other files than {of}'s ({named}); name a new one"
        )


def _listed(folder: Path, of: str) -> list[str]:
    """Return the names of the files in a folder that can be written, none if it doesn't exist yet.

    Raises:
        ConverterError: The folder can't be written; the message says why.
    """
    try:
        found = sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        found = []
    except NotADirectoryError:
        raise ConverterError(
            f"{folder}: this is a file, or lies below one, but {of} is written as a folder"
        ) from None
    except OSError as error:
        raise ConverterError(f"{folder}: {error.strerror}") from None
    existing = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not os.access(existing, os.W_OK):
        raise ConverterError(f"{folder}: {existing} can't be written to")
    return found


def write(folder: Path, files: Mapping[str, bytes], last: str = REPORT) -> list[Path]:
    """Write a folder in the place of an earlier one; return the paths of its files.

    Args:
        folder: The folder.
        files: Name → content.
        last: The name of the file by which readers know that the folder is complete.

    Raises:
        ConverterError: They can't be written; the folder is as it was.
    """
    try:
        replace_folder(folder, files, last)
    except OSError as error:
        raise ConverterError(f"{folder}: can't be written: {error.strerror or error}") from error
    if PLAIN in files:
        with contextlib.suppress(OSError):
            kept_plain(folder).unlink()  # of an attempt that failed
    return [folder / name for name in files]


def keep_plain(folder: Path, plain: bytes) -> Path:
    """Write the plain graph of a conversion that failed beside its folder; return the file."""
    path = kept_plain(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, plain)
    return path


def kept_plain(folder: Path) -> Path:
    """Return where the plain graph of a failed conversion is kept."""
    named = folder if folder.name not in ("", "..") else folder.resolve()
    return named.with_name(f"{named.name}.{PLAIN}")
