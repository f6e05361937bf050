"""What models.toml leaves to a model's own inference.yml."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from ..catalog.entries import READING, SETTINGS, Entry
from ..catalog.fetch import model_folder
from ..catalog.models_toml import merged
from ..errors import ModelFormatError
from . import dictionary as charset
from . import inference_yml
from .paddle_model import holds_model


def resolve(entry: Entry, folder: Path) -> Entry:
    """The entry with normalize, stage and charset: its own fields, else those of the folder's
    inference.yml.

    Raises `ModelFormatError` when both leave something out or contradict each other, and when the
    characters don't make the number of classes that the stage says.
    """
    resolved = entry if entry.is_complete else _completed(entry, folder / SETTINGS)
    source = resolved.charset
    if source is not None and (folder / source.file).is_file():
        stage = resolved.stage["charset"]
        made = charset.classes(charset.characters(folder, source), stage)
        if made != stage["classes"]:
            raise ModelFormatError(
                f"{folder / source.file}: its characters make {made} classes, the network of "
                f"{entry.name} has {stage['classes']}"
            )
    return resolved


def require_inference(entry: Entry) -> None:
    """Raises `ModelFormatError` when what is published of the entry can't be converted as it is.

    A checkpoint's export that somebody has put into the entry's cache folder is as good.
    """
    if entry.contents == "checkpoint" and not holds_model(model_folder(entry)):
        raise ModelFormatError(
            f"{entry.name}: what is published is a training checkpoint, which has weights but no "
            "network. Export it with PaddleOCR's tools/export_model.py and convert the folder that "
            f"it writes with --as {entry.name}, or put its files into {model_folder(entry)}"
        )


def _completed(entry: Entry, path: Path) -> Entry:
    if not path.is_file():
        raise ModelFormatError(
            f"{path.parent}: no {SETTINGS} here, and models.toml leaves the settings of "
            f"{entry.name} to it"
        )
    own = inference_yml.read(path)
    if own.algorithm != entry.algorithm:
        raise ModelFormatError(f"{path} is of {own.algorithm}, {entry.name} is {entry.algorithm}")
    source = entry.charset or own.charset
    if source is None and entry.task in READING:
        raise ModelFormatError(f"{path}: no PostProcess.character_dict in it")
    return dataclasses.replace(
        entry,
        normalize=entry.normalize or own.normalize,
        stage=merged(own.stage, entry.stage),
        charset=source,
    )
