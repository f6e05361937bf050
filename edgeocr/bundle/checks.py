"""What the types of a manifest's fields don't say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..runtime.providers import PROVIDERS
from .manifest import Manifest, Recognition, Spotting


def problems(manifest: Manifest) -> Iterator[str]:
    """Each fault, with the path of its field."""
    stages = manifest.stages
    present = {name: stage for name, stage in vars(stages).items() if stage is not None}
    if not present.keys() - {"orientation"}:
        yield "stages has neither detection nor recognition nor spotting"
    if stages.spotting is not None and len(present) > 1:
        others = ", ".join(name for name in present if name != "spotting")
        yield f"stages has {others} beside spotting, which reads alone"
    for origin in manifest.provenance:
        if origin.stage not in present:
            yield f"provenance of a stage that is not there, {origin.stage}"
    for name, stage in present.items():
        yield from _unnamed(manifest, name, stage.graph)
        yield from _shape_problems(stage, f"stages.{name}")
    if stages.orientation is not None:
        degrees = stages.orientation.degrees
        if len(degrees) < 2 or any(turn % 90 for turn in degrees):
            yield (
                f"stages.orientation.degrees must be two or more multiples of 90, it is {degrees}"
            )
    if stages.recognition is not None:
        yield from _width_problems(stages.recognition)
    if stages.reading is not None:
        where = "recognition" if stages.recognition else "spotting"
        yield from _charset_problems(stages.reading, f"stages.{where}.charset")
        yield from _unnamed(manifest, where, stages.reading.charset.file)


def _charset_problems(stage: Recognition | Spotting, where: str) -> Iterator[str]:
    charset = stage.charset
    wanted = {"begin", "end"} if stage.algorithm in ("Attention", "SRN") else {"blank"}
    given = {name for name in ("blank", "begin", "end") if getattr(charset, name) is not None}
    for name in sorted(wanted - given):
        yield f"field {where}.{name} is missing, {stage.algorithm} needs it"
    for name in sorted(given - wanted):
        yield f"field {where}.{name} is given, {stage.algorithm} has none"
    for name in sorted(given):
        if getattr(charset, name) >= charset.classes:
            yield f"{where}.{name} is none of its classes"
    if len(set(charset.special)) < len(charset.special):
        yield f"{where}: begin and end are the same class"


def _width_problems(stage: Recognition) -> Iterator[str]:
    widths = stage.stretch_widths
    if widths is not None and (not widths or widths != sorted(widths) or widths[-1] != stage.width):
        yield (
            "stages.recognition.stretch_widths must ascend to the stage's width "
            f"{stage.width}, it is {widths}"
        )


def _shape_problems(stage: Any, where: str) -> Iterator[str]:
    for provider in stage.providers or ():
        if provider not in PROVIDERS:
            yield f"{where}.providers has {provider!r}, which is none of {', '.join(PROVIDERS)}"
    if (resize := getattr(stage, "resize", None)) is not None:
        if len({tuple(size) for size in resize.sizes}) < len(resize.sizes):
            yield f"{where}.resize.sizes has one twice"
        for size in resize.sizes:
            if len(size) != 2 or any(side % resize.multiple for side in size):
                yield (
                    f"{where}.resize.sizes must be [height, width] in multiples of "
                    f"{resize.multiple}, one is {size}"
                )
    batches, widths = getattr(stage, "batches", []), getattr(stage, "widths", [])
    for name, numbers in (("batches", batches), ("widths", widths)):
        if numbers != sorted(set(numbers)):
            yield f"{where}.{name} must ascend, it is {numbers}"
    if isinstance(stage, Recognition):
        yield from _width_set_problems(stage, where)


def _width_set_problems(stage: Recognition, where: str) -> Iterator[str]:
    widths, step = stage.widths, stage.multiple
    if bool(widths) != bool(stage.batches):
        yield f"{where} has widths without batches, or batches without widths"
    elif widths and stage.width is not None:
        if widths != [stage.width]:
            yield f"{where}.widths must be [{stage.width}], the stage's width, it is {widths}"
    elif widths:
        most = max(stage.max_width + stage.margin, stage.min_width)
        if widths[-1] < most or any(width % step for width in widths):
            yield f"{where}.widths must reach {most} in multiples of {step}, it is {widths}"


def _unnamed(manifest: Manifest, stage: str, file: str) -> Iterator[str]:
    if file not in manifest.files:
        yield f"stage {stage} names {file!r}, which is not among its files"
