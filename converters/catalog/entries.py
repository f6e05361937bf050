"""models.toml → typed entries."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from edgeocr.bundle import fields as typed
from edgeocr.memory import limit as memory
from edgeocr.runtime.providers import PROVIDERS

from ..errors import CatalogError
from . import models_toml

CATALOG = Path(__file__).parents[2] / "models.toml"

Task: TypeAlias = Literal["detection", "orientation", "recognition", "spotting"]
Algorithm: TypeAlias = Literal["DB", "EAST", "SAST", "PGNet", "CTC", "Attention", "SRN", "CLS"]
Size: TypeAlias = Literal["tiny", "small", "medium", "mobile", "server"]

TASKS: dict[str, Task] = {
    "DB": "detection",
    "EAST": "detection",
    "SAST": "detection",
    "CLS": "orientation",
    "CTC": "recognition",
    "Attention": "recognition",
    "SRN": "recognition",
    "PGNet": "spotting",
}
# These name characters.
READING: tuple[Task, ...] = ("recognition", "spotting")
# Stages of a bundle in the order in which a page goes through them.
STAGES: tuple[Task, ...] = ("detection", "orientation", "recognition", "spotting")
# A model's own settings, as PaddleOCR exports them since v5.
SETTINGS = "inference.yml"


@dataclass(frozen=True)
class SourceFile:
    """One published file; a .tar is unpacked.

    sha256: None where nobody has published it; then models.lock has it, see `lock`.
    source: URL of the publisher's copy.
    mirrors: other places of the same bytes: URLs, or `pypi:PACKAGE==VERSION!path/in/wheel`.
    """

    name: str
    sha256: str | None
    source: str
    mirrors: list[str] = field(default_factory=list)

    @property
    def is_archive(self) -> bool:
        return self.name.endswith(".tar")


@dataclass(frozen=True)
class Normalize:
    """What a network wants of an image: (pixel * scale - mean) / std per channel of `colour`."""

    colour: Literal["BGR", "RGB", "GREY"]
    mean: list[float]
    std: list[float]
    scale: float = 1 / 255


@dataclass(frozen=True)
class CharsetSource:
    """Where a recognition network's characters are: `file` of the entry, a list or inference.yml.

    space: the network has one more class, the space, after the listed characters.
    """

    file: str
    space: bool


@dataclass(frozen=True)
class Figures:
    """What the publisher measured on `dataset`, by metric: percent, but megabytes."""

    source: str
    values: dict[str, float]
    dataset: str | None = None


@dataclass(frozen=True)
class Entry:
    """One model. `stage` holds the fields that its stage gets in a bundle's manifest.

    languages: BCP 47 codes.
    normalize, stage, charset: what is absent or empty here the model's own inference.yml says; see
        `settings.resolve`.
    contents: what the files hold; a training checkpoint has to be exported before it can be
        converted.
    checkpoint: URL of a training checkpoint that is published beside the inference model.
    visual_order: the network reads a right-to-left script in the order of the picture.
    """

    name: str
    title: str
    series: str
    task: Task
    algorithm: Algorithm
    size: Size
    languages: list[str]
    format: Literal["paddle-legacy", "paddle-pir", "onnx"]
    licence: str
    authors: str
    files: list[SourceFile]
    normalize: Normalize | None = None
    stage: dict[str, Any] = field(default_factory=dict)
    charset: CharsetSource | None = None
    contents: Literal["inference", "checkpoint"] = "inference"
    aliases: list[str] = field(default_factory=list)
    checkpoint: str | None = None
    figures: Figures | None = None
    visual_order: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left for the model's own inference.yml to say."""
        has_charset = self.charset is not None or self.task not in READING
        return self.normalize is not None and bool(self.stage) and has_charset


@dataclass(frozen=True)
class BundleEntry:
    """A bundle: a model for each of its stages, as `parts.part` takes it."""

    name: str
    description: str
    detection: str | None = None
    orientation: str | None = None
    recognition: str | None = None
    spotting: str | None = None

    @property
    def models(self) -> dict[Task, str]:
        """The stages that it has."""
        return {task: model for task in STAGES if (model := getattr(self, task)) is not None}

    @property
    def problem(self) -> str | None:
        """What makes it no bundle, in words."""
        if not self.models.keys() - {"orientation"}:
            return "it needs a model for detection, recognition or spotting"
        if self.spotting is not None and len(self.models) > 1:
            return "spotting reads alone, without a model for another stage"
        return None


@dataclass(frozen=True)
class ProfileEntry:
    """Settings of a bundle for a class of device; what is absent the models say.

    providers: what "auto" tries, in this order.
    threads: CPU threads. memory_limit: what the process may hold, as in "400MB".
    max_pixels: pictures are found at no more, nor at more than the model says.
    batches: the numbers of crops in a run on providers that want few shapes.
    """

    name: str
    description: str
    providers: list[str] | None = None
    threads: Annotated[int, typed.Range(1)] | None = None
    memory_limit: str | None = None
    max_pixels: Annotated[int, typed.Range(4096)] | None = None
    batches: list[Annotated[int, typed.Range(1)]] | None = None


@dataclass(frozen=True)
class Catalog:
    """All of models.toml."""

    models: dict[str, Entry]
    bundles: dict[str, BundleEntry]
    profiles: dict[str, ProfileEntry] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        """Whether a model has this name or alias."""
        return any(name in (entry.name, *entry.aliases) for entry in self.models.values())

    def model(self, name: str) -> Entry:
        """The entry of that name or alias; raises `CatalogError` when there is none."""
        for entry in self.models.values():
            if name in (entry.name, *entry.aliases):
                return entry
        close = get_close_matches(name, self.models, n=3, cutoff=0.4)
        hint = f"did you mean {', '.join(close)}? " if close else ""
        raise CatalogError(
            f"models.toml has no model {name!r}; {hint}`python -m converters list` shows them all"
        )

    def bundle(self, name: str) -> BundleEntry:
        """The bundle of that name; raises `CatalogError` when there is none."""
        if name not in self.bundles:
            known = ", ".join(self.bundles)
            raise CatalogError(f"models.toml has no bundle {name!r}; it has {known}")
        return self.bundles[name]

    def profile(self, name: str) -> ProfileEntry:
        """The profile of that name; raises `CatalogError` when there is none."""
        if name not in self.profiles:
            known = ", ".join(self.profiles)
            raise CatalogError(f"models.toml has no profile {name!r}; it has {known}")
        return self.profiles[name]


@cache
def load(path: Path = CATALOG) -> Catalog:
    """Read models.toml; raises `CatalogError` that names the wrong field."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        data: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        catalog = typed.parse(Catalog, models_toml.expand(data))
        for problem in _problems(catalog):
            raise typed.FieldError(problem)
    except (OSError, ValueError) as error:
        raise CatalogError(f"{path.name}: {error}") from error
    return catalog


def _problems(catalog: Catalog) -> Iterator[str]:
    """What the types of the fields don't say, each with the field's path."""
    names: set[str] = set()
    for entry in catalog.models.values():
        for name in (entry.name, *entry.aliases):
            if name in names:
                yield f"models.{entry.name}: another model has the name or alias {name}"
            names.add(name)
        for what in _entry_problems(entry):
            yield f"models.{entry.name}.{what}"
    for bundle in catalog.bundles.values():
        for task, name in bundle.models.items():
            if name not in catalog or catalog.model(name).task != task:
                yield f"bundles.{bundle.name}.{task}: {name} is no {task} model"
        if problem := bundle.problem:
            yield f"bundles.{bundle.name}: {problem}"
    for profile in catalog.profiles.values():
        for what in _profile_problems(profile):
            yield f"profiles.{profile.name}.{what}"


def _profile_problems(profile: ProfileEntry) -> Iterator[str]:
    providers = profile.providers
    if providers is not None and (not providers or len(set(providers)) < len(providers)):
        yield "providers: none, or one twice"
    for provider in providers or ():
        if provider not in PROVIDERS:
            yield f"providers: {provider!r} is none of {', '.join(PROVIDERS)}"
    if profile.memory_limit is not None:
        try:
            if not memory.parse(profile.memory_limit):
                yield "memory_limit: leave it out where there is none"
        except ValueError as error:
            yield f"memory_limit {error}"
    batches = profile.batches
    if batches is not None and (not batches or batches != sorted(set(batches))):
        yield f"batches must ascend, it is {batches}"


def _entry_problems(entry: Entry) -> Iterator[str]:
    if TASKS[entry.algorithm] != entry.task:
        yield f"task: {entry.algorithm} is for {TASKS[entry.algorithm]}"
    if entry.charset is not None and entry.task not in READING:
        yield f"charset: {entry.task} has none"
    if not entry.languages:
        yield "languages: none"
    files = [file.name for file in entry.files]
    if not files or len(set(files)) < len(files):
        yield "files: none, or two of one name"
    for i, file in enumerate(entry.files):
        if not re.fullmatch(r"\w[\w.-]*", file.name):
            yield f"files[{i}].name: {file.name!r} is no plain file name"
        if file.sha256 is not None and not re.fullmatch("[0-9a-f]{64}", file.sha256):
            yield f"files[{i}].sha256: neither 64 hex digits nor {models_toml.UNPUBLISHED!r}"
    if entry.charset is not None and entry.charset.file not in files:
        yield f"charset.file: {entry.charset.file} is none of the files and no dictionary"
    if not entry.is_complete and SETTINGS not in files:
        yield f"normalize, stage or charset is missing, and there is no {SETTINGS} that says it"
    if entry.normalize is not None:
        channels = 1 if entry.normalize.colour == "GREY" else 3
        if {len(entry.normalize.mean), len(entry.normalize.std)} != {channels}:
            yield f"normalize: mean and std of {entry.normalize.colour} have {channels} values"
