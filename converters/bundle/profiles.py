"""Apply a profile of models.toml to a bundle's stages and manifest."""

from __future__ import annotations

from dataclasses import replace

from edgeocr.bundle.manifest import Orientation, PageStage, Profile, Recognition
from edgeocr.memory import limit as memory

from ..catalog.entries import ProfileEntry
from ..model.stages import Stage
from .shapes import with_shapes


def applied(profile: ProfileEntry, stage: Stage) -> Stage:
    """Return a stage with the profile's providers, picture size and batches.

    Args:
        profile: The profile.
        stage: The stage with its sets of input shapes. Where the profile lowers the picture size,
            the set is computed again.
    """
    if profile.providers is not None:
        stage = replace(stage, providers=profile.providers)
    if isinstance(stage, (Orientation, Recognition)):
        return stage if profile.batches is None else replace(stage, batches=profile.batches)
    if isinstance(stage, PageStage):
        return stage
    most = profile.max_pixels
    if most is not None and most < stage.resize.max_pixels:
        rule = replace(stage.resize, max_pixels=most, sizes=[])
        return with_shapes(replace(stage, resize=rule))
    return stage


def settings(profile: ProfileEntry) -> Profile:
    """Return the manifest's `profile`: what the profile sets for the whole bundle."""
    limit = memory.parse(profile.memory_limit)
    return Profile(profile.name, threads=profile.threads, memory_limit=limit)


def in_words(profile: ProfileEntry) -> str:
    """Say in one line what a profile sets."""
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
