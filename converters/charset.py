"""Published character lists → a bundle's charset file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .catalog import CharsetSource
from .errors import ModelFormatError


def characters(folder: Path, source: CharsetSource) -> list[str]:
    """The characters in class order, without the blank.

    Reads PaddleOCR's dictionary (a character a line) or the `character_dict` of an
    inference.yml. Raises `ModelFormatError` when there is none in the file.
    """
    path = folder / source.file
    text = path.read_text(encoding="utf-8")
    if path.suffix in (".yml", ".yaml"):
        import yaml

        data: Any = yaml.safe_load(text)
        try:
            listed = data["PostProcess"]["character_dict"]
        except (KeyError, TypeError):
            raise ModelFormatError(f"{path}: no PostProcess.character_dict in it") from None
        if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
            raise ModelFormatError(f"{path}: PostProcess.character_dict is no list of strings")
    else:
        # No splitlines: it would also split at characters such as U+2028.
        listed = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    if source.space:
        listed = [*listed, " "]
    if not listed or any("\n" in item for item in listed):
        raise ModelFormatError(f"{path}: no characters, or a line feed among them")
    return listed


def content(listed: list[str]) -> bytes:
    """A charset file: UTF-8, one character a line."""
    return ("\n".join(listed) + "\n").encode()
