"""The stages of a bundle, as the types that its manifest declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from edgeocr.bundle import fields as typed
from edgeocr.bundle.manifest import Charset, Detection, Orientation, Recognition, Spotting, Stages

from ..catalog.entries import Task
from ..errors import ModelFormatError

Stage: TypeAlias = Detection | Orientation | Recognition | Spotting


def stage_of(task: Task, model: str, algorithm: str, settings: Mapping[str, Any]) -> Stage:
    """Make a stage of the settings that models.toml or an inference.yml has for a model.

    Args:
        task: The stage.
        model: The model's name. Its characters become the bundle's `charsets/MODEL.txt`.
        algorithm: The network's algorithm, such as "DB".
        settings: The stage's fields in the manifest, except `algorithm`, `graph`, `model` and the
            charset's `file`.

    Raises:
        ModelFormatError: A setting is missing, unknown or of the wrong type.
    """
    fields = {
        **settings,
        "algorithm": algorithm,
        "graph": f"graphs/{task}.onnx",
        "model": model,
    }
    if "charset" in settings:
        fields["charset"] = {"file": f"charsets/{model}.txt", **settings["charset"]}
    try:
        stages: Stages = typed.parse(Stages, {task: fields}, "stages")
    except typed.FieldError as error:
        raise ModelFormatError(f"{model}: {error}") from None
    stage: Stage = getattr(stages, task)
    return stage


def with_stage(stages: Stages, task: str, stage: Stage) -> Stages:
    """Return the stages with one of them added or replaced."""
    return Stages(**{**vars(stages), task: stage})


def charset_of(stage: Stage) -> Charset | None:
    """Return the charset of a stage that reads, None for another stage."""
    return stage.charset if isinstance(stage, (Recognition, Spotting)) else None


def with_charset(stage: Stage, charset: Charset) -> Stage:
    """Return a stage that reads with another charset; another stage stays as it is."""
    if isinstance(stage, (Recognition, Spotting)):
        return replace(stage, charset=charset)
    return stage
