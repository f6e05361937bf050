"""Read lists of characters exactly as PaddleOCR reads them, and count them against the classes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..catalog.entries import Algorithm, CharsetSource
from ..errors import ModelFormatError
from . import inference_yml
from .families import FAMILIES

# The classes that stand for no character and are one each, as a stage's charset names them.
SPECIAL = ("blank", "begin", "end")
BYTE_ORDER_MARK = "\ufeff"
# How many line numbers a note lists.
LISTED = 5


@dataclass(frozen=True)
class Dictionary:
    """The file with the characters that a user's network was trained with."""

    path: Path
    """One character per line, or an inference.yml with a `character_dict`."""
    space: bool | None = None
    """Whether the network has one more class, the space, after the file's characters; None to find
    it out by the network's number of classes."""


def characters(folder: Path, source: CharsetSource) -> list[str]:
    """Read a network's characters.

    A line ends with a line feed, or with a carriage return and a line feed. Nothing else is
    stripped: U+3000 and other spaces are characters.

    Args:
        folder: The folder of the model.
        source: Which file of the folder lists them: a dictionary with one character per line, or
            an inference.yml with a `character_dict`.

    Returns:
        The characters in the order of the file; `families.characters` puts them into that of the
        classes.

    Raises:
        ModelFormatError: If the file is missing, isn't UTF-8, or lists no characters.
    """
    path = folder / source.file
    is_yml = path.suffix in (".yml", ".yaml")
    listed = inference_yml.characters(path) if is_yml else _lines(path)
    if source.space:
        listed = [*listed, " "]
    if not any(listed):
        raise ModelFormatError(f"{path}: lists no characters")
    if any("\n" in item for item in listed):
        raise ModelFormatError(f"{path}: lists a line feed as one of its characters")
    return listed


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise ModelFormatError(
            f"{path}: a dictionary must be UTF-8 with one character per line; byte "
            f"{error.start} isn't"
        ) from error
    except FileNotFoundError as error:
        raise ModelFormatError(f"{path}: the dictionary is missing") from error
    except OSError as error:
        raise ModelFormatError(f"{path}: can't be read: {error.strerror}") from error
    if "\0" in text:
        raise ModelFormatError(
            f"{path}: a dictionary must be UTF-8 with one character per line; this one has zero "
            "bytes, as a text in UTF-16 does"
        )
    text = text.removeprefix(BYTE_ORDER_MARK)
    if not text:
        return []
    # `splitlines` would also split at characters of the list, such as U+2028.
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def oddities(path: Path, listed: list[str]) -> list[str]:
    """Say what is unusual about a dictionary.

    Whatever is unusual is a class all the same, as it is in PaddleOCR.

    Args:
        path: The file.
        listed: The characters that `characters` has read from it.
    """
    found = []
    with path.open("rb") as stream:
        if stream.read(3) == BYTE_ORDER_MARK.encode():
            found.append(
                "it begins with a byte order mark, which was left out; PaddleOCR takes it for a "
                "part of the first character"
            )
    lines: dict[str, list[int]] = {}
    for number, character in enumerate(listed, 1):
        lines.setdefault(character, []).append(number)
    if empty := lines.pop("", None):
        found.append(f"{_at(empty)} empty: a class that reads as nothing")
    if longer := [number for number, item in enumerate(listed, 1) if len(item) > 1]:
        several = f"{listed[longer[0] - 1]!r:.40}"
        found.append(f"{_at(longer)} longer than a character, as {several} is: one class each")
    for character, count in Counter(listed).items():
        if count > 1 and character:
            name = f"{character!r:.40} (U+{ord(character[0]):04X})"
            found.append(f"{name} is listed {count} times, in {_at(lines[character], '')}")
    return [f"{path}: {each}" for each in found]


def _at(numbers: list[int], verb: str | None = None) -> str:
    shown = ", ".join(map(str, numbers[:LISTED])) + (", …" if len(numbers) > LISTED else "")
    many = len(numbers) > 1
    verb = (" are" if many else " is") if verb is None else verb
    return f"line{'s' if many else ''} {shown}{verb}"


def has_space(
    what: str, number: int, algorithm: Algorithm, classes: int | None, space: bool | None = None
) -> bool:
    """Tell whether a network has a class for the space after the characters of its dictionary.

    Args:
        what: What lists the characters, for the error.
        number: The number of characters that it lists.
        algorithm: The network's algorithm, which decides on the special classes.
        classes: The network's number of classes; None if its files don't show it.
        space: What is said about the space; None to find it out.

    Raises:
        ModelFormatError: The characters don't fit the network's classes; the message says which
            numbers of characters would.
    """
    if classes is None:
        # PaddleX adds the space to the characters of every CTC network.
        return algorithm == "CTC" if space is None else space
    for added in (True, False) if space is None else (space,):
        if number + added + len(special_kinds(algorithm)) == classes:
            return added
    special = " + ".join(special_kinds(algorithm))
    without = classes - len(special_kinds(algorithm))
    stated = {None: "", True: " and the space", False: " without a space"}[space]
    counted = "1 character" if number == 1 else f"{number} characters"
    raise ModelFormatError(
        f"{what} has {counted}{stated}; the network has {classes} classes = {without} + {special}, "
        f"or {without - 1} + space + {special}"
    )


def special_kinds(algorithm: Algorithm) -> list[str]:
    """Return what each class that is no character of a dictionary stands for, in order."""
    family = FAMILIES[algorithm]
    return [*family.before, *family.after]


def classes(listed: list[str], charset: dict[str, Any]) -> int:
    """Count the classes of a network that reads these characters.

    Args:
        listed: The characters in class order, see `families.characters`.
        charset: The `charset` fields of the stage, which name the special classes.
    """
    special = sum(name in charset for name in SPECIAL)
    return len(listed) + special + len(charset.get("ignored", ()))


def content(listed: list[str]) -> bytes:
    """Write a charset file: UTF-8, one character per line."""
    return ("\n".join(listed) + "\n").encode()
