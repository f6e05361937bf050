"""Changing the stages of a bundle."""

from __future__ import annotations

from dataclasses import replace

from edgeocr.bundle.manifest import Charset, Recognition, Spotting, Stages
from edgeocr.bundle.stage import Stage as Settings

from ..model.stages import Stage


def with_stage(stages: Stages, task: str, stage: Stage) -> Stages:
    """Return the stages with one of them added or replaced."""
    return Stages(**{**vars(stages), task: stage})


def charset_of(stage: Settings) -> Charset | None:
    """Return the charset of a stage that reads, None for another stage."""
    return stage.charset if isinstance(stage, (Recognition, Spotting)) else None


def with_charset(stage: Stage, charset: Charset) -> Stage:
    """Return a stage that reads with another charset; another stage stays as it is."""
    if isinstance(stage, (Recognition, Spotting)):
        return replace(stage, charset=charset)
    return stage
