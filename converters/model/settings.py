"""Complete an entry of models.toml with the settings in the model's own inference.yml."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from ..catalog.entries import READING, SETTINGS, Entry
from ..catalog.fetch import model_folder
from ..catalog.models_toml import merged
from ..errors import ModelFormatError
from . import dictionary, families, inference_yml
from .paddle_model import holds_model


def resolve(entry: Entry, folder: Path, *, counted: bool = True) -> Entry:
    """Complete an entry's `normalize`, `stage` and `charset`.

    Args:
        entry: An entry of models.toml; what it states wins.
        folder: The model's folder, whose inference.yml supplies what the entry leaves out.
        counted: Whether to compare the number of characters with the number of classes.

    Returns:
        The completed entry.

    Raises:
        ModelFormatError: If both leave something out, if they contradict each other, or if the
            number of characters doesn't fit the number of classes.
    """
    resolved = entry if entry.is_complete else _completed(entry, folder / SETTINGS)
    source = resolved.charset
    if counted and source is not None and (folder / source.file).is_file():
        stage = resolved.stage["charset"]
        listed = dictionary.characters(folder, source)
        made = dictionary.classes(families.characters(resolved.algorithm, listed), stage)
        if made != stage["classes"]:
            raise ModelFormatError(
                f"{folder / source.file}: its characters make {made} classes, but the network of "
                f"{entry.name} has {stage['classes']}; for a network that was trained on other "
                "characters, name their dictionary with --charset FILE"
            )
    return resolved


def require_inference(entry: Entry) -> None:
    """Refuse an entry of which only a training checkpoint is published.

    An export of the checkpoint that the user has put into the entry's cache folder is accepted.

    Raises:
        ModelFormatError: If there is nothing to convert; the message says how to export.
    """
    if entry.contents == "checkpoint" and not holds_model(model_folder(entry)):
        raise ModelFormatError(
            f"{entry.name}: only a training checkpoint is published, which has weights but no "
            "network. Export it with PaddleOCR's tools/export_model.py and convert the folder that "
            f"it writes with --as {entry.name}, or put its files into {model_folder(entry)}"
        )


def _completed(entry: Entry, path: Path) -> Entry:
    if not path.is_file():
        raise ModelFormatError(
            f"{path.parent}: {SETTINGS} is missing, and models.toml leaves the settings of "
            f"{entry.name} to it"
        )
    own = inference_yml.read(path)
    if own.algorithm != entry.algorithm:
        raise ModelFormatError(
            f"{path} is for {own.algorithm}, but {entry.name} is {entry.algorithm}"
        )
    source = entry.charset or own.charset
    if source is None and entry.task in READING:
        raise ModelFormatError(f"{path}: PostProcess.character_dict is missing")
    return dataclasses.replace(
        entry,
        normalize=entry.normalize or own.normalize,
        stage=merged(own.stage, entry.stage),
        charset=source,
    )
