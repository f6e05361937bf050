"""Make a `Manifest` from decoded JSON: check types, then everything that types can't express."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..errors import BundleError
from ..runtime.providers import PROVIDERS
from ..version import __version__
from . import engines, fields, limits
from .manifest import (
    OLDEST_SCHEMA,
    SCHEMA,
    CropStage,
    ImageStage,
    Manifest,
    Orientation,
    PageOrientation,
    PageStage,
    Recognition,
    Resize,
    Spotting,
    Stage,
)

# The stages whose work a spotting network does alone.
FINDING_AND_READING = ("detection", "orientation", "recognition")


def parse(data: object) -> Manifest:
    """Make a manifest from decoded JSON and check all of it.

    Args:
        data: What manifest.json contains.

    Raises:
        BundleError: The schema or an algorithm is unknown, a field is missing or unknown, or a
            value is invalid. The message names the field by its path, for example
            `stages.detection.resize.multiple`, or the version that reads such a schema.
    """
    if not isinstance(data, dict) or type(data.get("schema")) is not int:
        raise BundleError("manifest.json has no schema number: this is not an edgeocr bundle")
    if not OLDEST_SCHEMA <= data["schema"] <= SCHEMA:
        raise BundleError(_unknown_schema(data["schema"], data.get("requires")))
    try:
        manifest = fields.parse(Manifest, data)
    except fields.FieldError as error:
        raise BundleError(f"manifest.json: {error}") from None
    for problem in _problems(manifest):
        raise BundleError(f"manifest.json: {problem}")
    return manifest


def _unknown_schema(schema: int, requires: object) -> str:
    found = (
        f"the bundle has schema {schema}, but edgeocr {__version__} reads schema "
        f"{OLDEST_SCHEMA} to {SCHEMA}"
    )
    if schema < OLDEST_SCHEMA:
        return f"{found}: freeze the bundle again with the converters of this version"
    named = isinstance(requires, str) and requires
    needed = f"edgeocr {requires!s:.20} or newer" if named else "a newer edgeocr"
    return f"{found}: it needs {needed}: upgrade edgeocr"


def _problems(manifest: Manifest) -> Iterator[str]:
    """Yield every fault of a manifest whose fields have the right types."""
    stages = manifest.stages
    present = stages.present
    if not present.keys() & {"detection", "recognition", "spotting"}:
        yield "stages has neither detection nor recognition nor spotting"
    if stages.spotting is not None and (
        others := ", ".join(each for each in present if each in FINDING_AND_READING)
    ):
        yield f"stages has {others} beside spotting, which finds and reads on its own"
    for origin in manifest.provenance:
        if origin.stage not in present:
            yield f"provenance names the stage {origin.stage}, which the bundle doesn't have"
    for name, stage in present.items():
        yield from _stage_problems(manifest, stage, f"stages.{name}")
    yield from engines.problems(manifest)


def _stage_problems(manifest: Manifest, stage: Stage, path: str) -> Iterator[str]:
    yield from _file_problems(manifest, stage.graph, f"{path}.graph")
    yield from _provider_problems(stage.providers, f"{path}.providers")
    yield from _variant_problems(manifest, stage, f"{path}.variants")
    if isinstance(stage, ImageStage):
        yield from _size_problems(stage.resize, f"{path}.resize.sizes")
    if isinstance(stage, CropStage):
        yield from _order_problems(stage.batches, f"{path}.batches")
        yield from _input_problems(stage, path)
    if isinstance(stage, PageStage) and stage.height * stage.width > limits.INPUT_PIXELS:
        yield f"{path} has an input of more than {limits.INPUT_PIXELS} pixels"
    if isinstance(stage, (Orientation, PageOrientation)):
        degrees = stage.degrees
        if len(degrees) < 2 or any(turn % 90 for turn in degrees):
            yield f"{path}.degrees must be two or more multiples of 90, not {degrees}"
    if isinstance(stage, PageOrientation):
        least, short = max(stage.height, stage.width), stage.short_side
        if short is not None and short < least:
            yield f"{path}.short_side must be at least {least}, the input's side, not {short}"
    if isinstance(stage, Recognition):
        yield from _order_problems(stage.widths, f"{path}.widths")
        yield from _width_problems(stage, path)
        yield from _space_problems(stage, path)
    if isinstance(stage, (Recognition, Spotting)):
        yield from _charset_problems(stage, f"{path}.charset")
        yield from _file_problems(manifest, stage.charset.file, f"{path}.charset.file")


def _provider_problems(providers: list[str] | None, path: str) -> Iterator[str]:
    for provider in providers or ():
        if provider not in PROVIDERS:
            yield f"{path} has {provider!r:.80}, which is none of {', '.join(PROVIDERS)}"


def _variant_problems(manifest: Manifest, stage: Stage, path: str) -> Iterator[str]:
    if len(stage.graphs) <= len(stage.variants):
        yield f"{path}: two graphs of the stage have the same precision"
    for i, variant in enumerate(stage.variants):
        yield from _file_problems(manifest, variant.graph, f"{path}[{i}].graph")
        yield from _provider_problems(variant.providers, f"{path}[{i}].providers")


def _file_problems(manifest: Manifest, file: str, path: str) -> Iterator[str]:
    if file not in manifest.files:
        yield f"{path} is {file!r:.80}, which is not among the bundle's files"


def _order_problems(numbers: list[int], path: str) -> Iterator[str]:
    if numbers != sorted(set(numbers)):
        yield f"{path} must ascend, but is {numbers}"


def _size_problems(resize: Resize, path: str) -> Iterator[str]:
    if len({tuple(size) for size in resize.sizes}) < len(resize.sizes):
        yield f"{path} has the same size twice"
    for size in resize.sizes:
        if len(size) != 2 or any(side % resize.multiple for side in size):
            yield f"{path} must be [height, width] in multiples of {resize.multiple}, not {size}"
        elif math.prod(size) > limits.INPUT_PIXELS:
            yield f"{path} has {size}, more than {limits.INPUT_PIXELS} pixels"


def _input_problems(stage: CropStage, path: str) -> Iterator[str]:
    if isinstance(stage, Orientation):
        widest = stage.width
    else:
        assert isinstance(stage, Recognition)
        widest = stage.width or max(stage.max_width + stage.margin, stage.min_width)
    # Without fixed numbers of crops, orientation sees up to eight in a run.
    pixels = max(stage.batches, default=8) * stage.height * widest
    if pixels > limits.INPUT_PIXELS:
        yield f"{path} has inputs of {pixels} pixels; {limits.INPUT_PIXELS} are allowed"


def _charset_problems(stage: Recognition | Spotting, path: str) -> Iterator[str]:
    charset = stage.charset
    wanted, allowed = {
        "Attention": ({"end"}, {"begin", "end", "ignored"}),
        "SRN": ({"begin", "end"}, {"begin", "end"}),
    }.get(stage.algorithm, ({"blank"}, {"blank"}))
    given = {name for name in ("blank", "begin", "end") if getattr(charset, name) is not None}
    for name in sorted(wanted - given):
        yield f"field {path}.{name} is missing; {stage.algorithm} needs it"
    if charset.ignored:
        given.add("ignored")
    for name in sorted(given - allowed):
        yield f"field {path}.{name} is given, but {stage.algorithm} has no such class"
    for name in sorted(given - {"ignored"}):
        if getattr(charset, name) >= charset.classes:
            yield f"{path}.{name} must be below the number of classes, {charset.classes}"
    if any(number >= charset.classes for number in charset.ignored):
        yield f"{path}.ignored must be below the number of classes, {charset.classes}"
    if charset.ignored != sorted(charset.ignored):
        yield f"{path}.ignored must ascend, but is {charset.ignored}"
    if len(set(charset.special)) < len(charset.special):
        yield f"{path}: two of the special classes {charset.special} are the same class"


def _space_problems(stage: Recognition, path: str) -> Iterator[str]:
    if stage.spaces == "found" and stage.algorithm != "CTC":
        yield f'{path}.spaces can be "found" only with CTC, not with {stage.algorithm}'


def _width_problems(stage: Recognition, path: str) -> Iterator[str]:
    widths, stretched = stage.widths, stage.stretch_widths
    if stretched is not None and (
        not stretched or stretched != sorted(stretched) or stretched[-1] != stage.width
    ):
        yield (
            f"{path}.stretch_widths must ascend to the stage's width {stage.width}, "
            f"but is {stretched}"
        )
    if bool(widths) != bool(stage.batches):
        yield f"{path} has widths without batches, or batches without widths"
    elif widths and stage.width is not None:
        if widths != [stage.width]:
            yield f"{path}.widths must be [{stage.width}], the stage's width, not {widths}"
    elif widths:
        widest = max(stage.max_width + stage.margin, stage.min_width)
        if widths[-1] < widest or any(width % stage.multiple for width in widths):
            yield (
                f"{path}.widths must reach {widest} in multiples of {stage.multiple}, "
                f"but is {widths}"
            )
