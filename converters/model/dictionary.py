"""Published character lists → a bundle's charset file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..catalog.entries import CharsetSource
from ..errors import ModelFormatError
from . import inference_yml

# Classes of a network that are no characters, as fields of a stage's charset.
SPECIAL = ("blank", "begin", "end")


def characters(folder: Path, source: CharsetSource) -> list[str]:
    """The characters in class order, without the classes that are none.

    Reads PaddleOCR's dictionary (a character a line) or the `character_dict` of an
    inference.yml. Raises `ModelFormatError` when there is none in the file.
    """
    path = folder / source.file
    if path.suffix in (".yml", ".yaml"):
        listed = inference_yml.characters(path)
    else:
        # No splitlines: it would also split at characters such as U+2028.
        text = path.read_text(encoding="utf-8")
        listed = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    if source.space:
        listed = [*listed, " "]
    if not listed or any("\n" in item for item in listed):
        raise ModelFormatError(f"{path}: no characters, or a line feed among them")
    return listed


def classes(listed: list[str], charset: dict[str, Any]) -> int:
    """How many classes a network has for these characters; `charset` is the stage's."""
    return len(listed) + sum(name in charset for name in SPECIAL)


def content(listed: list[str]) -> bytes:
    """A charset file: UTF-8, one character a line."""
    return ("\n".join(listed) + "\n").encode()
