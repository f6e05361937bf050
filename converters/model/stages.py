"""Make a stage of a bundle from the settings of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from edgeocr.bundle import fields as typed
from edgeocr.bundle.manifest import (
    Detection,
    Orientation,
    PageOrientation,
    Recognition,
    Spotting,
    Stages,
    Unwarping,
)

from ..catalog.entries import Algorithm, Task
from ..errors import ModelFormatError
from .families import FAMILIES

Stage: TypeAlias = PageOrientation | Unwarping | Detection | Orientation | Recognition | Spotting


def stage_of(task: Task, model: str, algorithm: Algorithm, settings: Mapping[str, Any]) -> Stage:
    """Make a stage from the settings that models.toml or an inference.yml has for a model.

    Args:
        task: What the stage does.
        model: The model's name. Its characters become the bundle's `charsets/MODEL.txt`.
        algorithm: The network's algorithm, such as "DB".
        settings: The stage's fields in the manifest, except `algorithm`, `graph`, `model` and the
            charset's `file`.

    Raises:
        ModelFormatError: A setting is missing, unknown, of the wrong type or out of its range.
    """
    try:
        return checked(task, model, algorithm, settings)
    except typed.FieldError as error:
        raise ModelFormatError(f"{model}: {error}") from None


def checked(task: Task, model: str, algorithm: Algorithm, settings: Mapping[str, Any]) -> Stage:
    """Make a stage as `stage_of` does.

    Raises:
        FieldError: A setting is missing, unknown, of the wrong type or out of its range.
    """
    family = FAMILIES.get(algorithm)
    fields = {
        **settings,
        "algorithm": family.decoder if family is not None else algorithm,
        "graph": f"graphs/{task}.onnx",
        "model": model,
    }
    if "charset" in settings:
        fields["charset"] = {"file": f"charsets/{model}.txt", **settings["charset"]}
    stages: Stages = typed.parse(Stages, {task: fields}, "stages")
    stage: Stage = getattr(stages, task)
    return stage
