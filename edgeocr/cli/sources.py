"""The sources that a user names on the command line."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_ISDIR

from ..batch.sources import NamedSource
from ..errors import EdgeOCRError, ImageError
from .streams import standard_input


def expand(arguments: Iterable[str], *, recursive: bool = False) -> Iterator[NamedSource]:
    """Replace each folder by its pictures and PDF files, and "-" by standard input.

    Args:
        arguments: Files, folders, or "-". Files are not checked, and nothing is read from them: one
            that does not exist, or has an impossible name, fails when it is read.
        recursive: Whether the folders in a folder are searched, too. Links to folders are not
            followed, and folders whose names begin with a dot are left out.

    Yields:
        The sources. A folder that has no pictures, or can't be read, is a source with an error.
    """
    taken = False
    for argument in arguments:
        if argument == "-":
            yield _standard_input(taken)
            taken = True
        elif not argument:
            yield NamedSource(argument, argument, ImageError("the name of a source is empty"))
        elif _is_folder(argument):
            yield from _pictures_in(argument, recursive)
        else:
            yield NamedSource(argument, argument, stem=Path(argument).stem)


def pictures_to_repeat(
    arguments: Iterable[str] | None, parser: argparse.ArgumentParser
) -> list[str | EdgeOCRError] | None:
    """Return the pictures that a command reads many times, with an error for each bad source.

    Args:
        arguments: Files or folders; None if the user named none.
        parser: The command's parser.

    Raises:
        SystemExit: With code 2, after printing the usage, for standard input.
    """
    if arguments is None:
        return None
    named = list(arguments)
    if "-" in named:
        parser.error("each picture is read many times: name files instead of -")
    return [source.error or source.name for source in expand(named)]


def _standard_input(taken: bool) -> NamedSource:
    if taken:
        return NamedSource(
            "-", "-", ImageError("standard input has been read already: name - once")
        )
    try:
        return NamedSource("-", standard_input(), stem="stdin")
    except EdgeOCRError as error:
        return NamedSource("-", "-", ImageError(str(error)))


def _is_folder(argument: str) -> bool:
    try:
        return S_ISDIR(os.stat(argument).st_mode)  # noqa: PTH116
    except (OSError, ValueError):  # reading it says what is wrong
        return False


def _pictures_in(folder: str, recursive: bool) -> Iterator[NamedSource]:
    from ..images import EXTRA_SUFFIXES, SUFFIXES

    wanted = SUFFIXES | EXTRA_SUFFIXES
    seen = found = 0
    endings: set[str] = set()
    for files in _folders(folder, recursive):
        if isinstance(files, ImageError):
            yield NamedSource(str(files.source), str(files.source), files, of_folder=True)
            seen += 1
            continue
        endings |= {path.suffix.lower() for path in files if path.suffix}
        for path in files:
            if path.suffix.lower() in wanted:
                yield NamedSource(str(path), str(path), stem=path.stem, of_folder=True)
                found += 1
    if not found and not seen:
        known = " ".join(sorted(wanted))
        where = "in this folder or below it" if recursive else "in this folder itself"
        reason = f"{folder}: no pictures {where} ({known})"
        if others := sorted(endings):
            reason += (
                f"; it has {' '.join(others[:5])}: name such files to hear what to do with them"
            )
        yield NamedSource(folder, folder, ImageError(reason, source=folder), of_folder=True)


def _folders(folder: str, recursive: bool) -> Iterator[list[Path] | ImageError]:
    """Yield the sorted files of a folder, and of those in it, or why one can't be read."""
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        files: list[Path] = []
        inner: list[str] = []
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    if recursive and not entry.name.startswith(".") and _is_real_folder(entry):
                        inner.append(str(Path(here, entry.name)))
                    elif _may_be_file(entry):
                        files.append(Path(here, entry.name))
        except OSError as error:
            reason = f"{here}: the folder can't be read: {error.strerror or error}"
            yield ImageError(reason, source=here)
            continue
        yield sorted(files)
        waiting.extend(sorted(inner, reverse=True))


def _is_real_folder(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry of a folder is a folder and no link to one."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _may_be_file(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry of a folder is a file, or can't be examined, which reading reports."""
    try:
        return entry.is_file()
    except OSError:
        return True
