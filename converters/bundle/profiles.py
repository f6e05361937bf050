"""What a profile of models.toml sets in a bundle's manifest."""

from __future__ import annotations

from typing import Any

from edgeocr.memory import limit as memory

from ..catalog.entries import ProfileEntry, Task
from .shapes import with_shapes


def applied(profile: ProfileEntry, task: Task, stage: dict[str, Any]) -> dict[str, Any]:
    """A stage of the manifest with the profile's providers, size and batches.

    stage: with its sets of input shapes; those of a size that was lowered are made again.
    """
    stage = dict(stage)
    if profile.providers is not None:
        stage["providers"] = profile.providers
    most, rule = profile.max_pixels, stage.get("resize")
    if rule is not None and most is not None and most < rule["max_pixels"]:
        kept = {name: value for name, value in rule.items() if name != "sizes"}
        stage = with_shapes(task, {**stage, "resize": {**kept, "max_pixels": most}})
    if profile.batches is not None and "batches" in stage:
        stage["batches"] = profile.batches
    return stage


def settings(profile: ProfileEntry) -> dict[str, Any]:
    """The manifest's `profile`: what is of no stage."""
    found = {
        "name": profile.name,
        "threads": profile.threads,
        "memory_limit": memory.parse(profile.memory_limit),
    }
    return {name: value for name, value in found.items() if value is not None}


def in_words(profile: ProfileEntry) -> str:
    """What it sets, on a line."""
    said = [f"providers {', '.join(profile.providers)}"] if profile.providers else []
    if profile.threads is not None:
        said.append(f"{profile.threads} threads")
    if profile.memory_limit is not None:
        said.append(f"memory limit {profile.memory_limit}")
    if profile.max_pixels is not None:
        said.append(f"at most {profile.max_pixels} pixels")
    if profile.batches is not None:
        said.append(f"{', '.join(map(str, profile.batches))} lines in a run")
    return "; ".join(said)
