"""Check whether a parameter file belongs to a program and is whole, by shapes and sizes.

A parameter file has no table of contents: it is a sequence of tensors, sorted by the names of the
program's parameters. The check reads the descriptions of the tensors and skips their values, so
that it takes no time and no memory even for a file of many megabytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..errors import ModelFormatError
from .files import head_bytes, tensor_head

# The most bytes before a tensor's values: versions, levels of detail and a description of its axes.
HEAD_BYTES = 4096
# How many of its first bytes an error quotes if a file isn't a parameter file.
QUOTED_BYTES = 40
GIT_LFS = b"version https://git-lfs"


def check(path: Path, parameters: Mapping[str, tuple[int, ...]], program: str) -> None:
    """Check the tensors of a parameter file.

    Args:
        path: The file.
        parameters: Name → shape of each parameter that the program declares for this file.
        program: The name of the program's file, for the messages.

    Raises:
        ModelFormatError: The file is truncated, belongs to another network, or isn't a parameter
            file; the message says which.
    """
    size = path.stat().st_size
    names = sorted(parameters)
    place = 0
    with path.open("rb") as stream:
        for number, name in enumerate(names, 1):
            wanted = parameters[name]
            this = f"parameter {number} of {len(names)}, {name}"
            head = _read(stream, place)
            if (found := _described(head)) is None:
                if len(head) < len(head_bytes("float32", wanted)):
                    raise _truncated(path, size, place, names[number - 1 :], parameters, this)
                raise _no_parameter(path, head, place, this, program)
            length, kind, shape = found
            if shape != wanted:
                raise ModelFormatError(
                    f"{path}: the parameters belong to another network than {program}: {this}, has "
                    f"the shape {list(shape)} in this file, but {list(wanted)} in {program}. Put "
                    "the files of one export together"
                )
            begin, place = place, place + length + math.prod(shape) * kind.itemsize
            if place > size:
                raise _truncated(path, size, begin, names[number - 1 :], parameters, this)
    if place < size:
        raise ModelFormatError(
            f"{path}: the parameters belong to another network than {program}: the file has {size} "
            f"bytes, but the {len(names)} parameters of {program} take {place}. Put the files of "
            "one export together"
        )


def _read(stream: IO[bytes], place: int) -> bytes:
    stream.seek(place)
    return stream.read(HEAD_BYTES)


def _described(head: bytes) -> tuple[int, np.dtype[Any], tuple[int, ...]] | None:
    """Return the length of a tensor's head, its type and its shape; None if this is no tensor."""
    try:
        return tensor_head(head)
    except ValueError:
        return None


def _truncated(
    path: Path,
    size: int,
    place: int,
    missing: list[str],
    parameters: Mapping[str, tuple[int, ...]],
    this: str,
) -> ModelFormatError:
    # Most parameters are float32, and what a tensor of another type takes isn't known here.
    left = (
        len(head_bytes("float32", parameters[name])) + 4 * math.prod(parameters[name])
        for name in missing
    )
    return ModelFormatError(
        f"{path}: truncated: {size} of {place + sum(left)} bytes; the file ends before the end of "
        f"{this}. Copy, fetch or export it again"
    )


def _no_parameter(path: Path, head: bytes, place: int, this: str, program: str) -> ModelFormatError:
    if place:
        return ModelFormatError(
            f"{path}: damaged, or the parameters of another network than {program}: at byte "
            f"{place}, where {this}, should begin, there is no tensor. Fetch or export it again"
        )
    advice = "fetch or export it again"
    if head.startswith(GIT_LFS):
        advice = "it is a pointer of Git LFS, and `git lfs pull` fetches the file itself"
    return ModelFormatError(
        f"{path}: not a file of Paddle's parameters: it begins with {head[:QUOTED_BYTES]!r}; "
        f"{advice}"
    )
