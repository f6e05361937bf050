"""Read published character lists and write them as a bundle's charset file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..catalog.entries import CharsetSource
from ..errors import ModelFormatError
from . import inference_yml

# The classes that stand for no character, as a stage's charset names them.
SPECIAL = ("blank", "begin", "end")


def characters(folder: Path, source: CharsetSource) -> list[str]:
    """Read a network's characters.

    Args:
        folder: The folder of the model.
        source: Which file of the folder lists them: a dictionary with one character per line, or
            an inference.yml with a `character_dict`.

    Returns:
        The characters in the order of their classes, without special classes such as the blank.

    Raises:
        ModelFormatError: If the file is missing, isn't UTF-8, or lists no characters.
    """
    path = folder / source.file
    if path.suffix in (".yml", ".yaml"):
        listed = inference_yml.characters(path)
    else:
        # `splitlines` would also split at characters of the list, such as U+2028.
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ModelFormatError(
                f"{path}: a dictionary must be UTF-8 with one character per line ({error.reason} "
                f"at byte {error.start})"
            ) from error
        except FileNotFoundError as error:
            raise ModelFormatError(f"{path}: the dictionary is missing") from error
        listed = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    if source.space:
        listed = [*listed, " "]
    if not listed or any("\n" in item for item in listed):
        raise ModelFormatError(f"{path}: lists no characters, or a line feed as one of them")
    return listed


def classes(listed: list[str], charset: dict[str, Any]) -> int:
    """Count the classes of a network that reads these characters.

    Args:
        listed: The characters.
        charset: The `charset` fields of the stage, which name the special classes.
    """
    return len(listed) + sum(name in charset for name in SPECIAL)


def content(listed: list[str]) -> bytes:
    """Write a charset file: UTF-8, one character per line."""
    return ("\n".join(listed) + "\n").encode()
