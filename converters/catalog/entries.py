"""Read models.toml into typed entries."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, get_args

from edgeocr.bundle import fields as typed
from edgeocr.memory import limit as memory
from edgeocr.runtime.providers import PROVIDERS

from ..errors import CatalogError
from . import models_toml

CATALOG = Path(__file__).parents[2] / "models.toml"
T = TypeVar("T")

Task: TypeAlias = Literal[
    "page_orientation", "unwarping", "detection", "orientation", "recognition", "spotting"
]
Algorithm: TypeAlias = Literal[
    "DB", "EAST", "SAST", "PSE", "FCE", "CT", "CLS", "PageCLS", "UVDoc",
    "CTC", "Attention", "SRN", "NRTR", "SAR", "SATRN", "RobustScanner", "ViTSTR", "ABINet",
    "PARSeq", "CPPD", "VisionLAN", "RFL", "SPIN", "PREN", "PGNet",
]  # fmt: skip
Size: TypeAlias = Literal["tiny", "small", "medium", "mobile", "server"]

TASKS: dict[str, Task] = {
    "DB": "detection",
    "EAST": "detection",
    "SAST": "detection",
    "PSE": "detection",
    "FCE": "detection",
    "CT": "detection",
    "CLS": "orientation",
    "PageCLS": "page_orientation",
    "UVDoc": "unwarping",
    "CTC": "recognition",
    "Attention": "recognition",
    "SRN": "recognition",
    "NRTR": "recognition",
    "SAR": "recognition",
    "SATRN": "recognition",
    "RobustScanner": "recognition",
    "ViTSTR": "recognition",
    "ABINet": "recognition",
    "PARSeq": "recognition",
    "CPPD": "recognition",
    "VisionLAN": "recognition",
    "RFL": "recognition",
    "SPIN": "recognition",
    "PREN": "recognition",
    "PGNet": "spotting",
}
# Algorithms of PaddleOCR for which no network can be converted → why.
IMPOSSIBLE: dict[str, str] = {
    "DRRG": "PaddleOCR can't export such a network: it computes graphs of text components with "
    "NumPy on the way, which Paddle can't trace, so there is no program to convert",
    "SEED": "PaddleOCR can't export such a network: its head keeps five texts at a time, and looks "
    "up in lists of Python which of them have ended, which Paddle can't trace, so there is no "
    "program to convert",
}
# Tasks whose networks read text, and therefore have a charset.
READING: tuple[Task, ...] = ("recognition", "spotting")
# The stages of a bundle, in the order in which a page passes through them.
STAGES: tuple[Task, ...] = get_args(Task)
# The file with a model's own settings, which PaddleOCR exports beside it since v5.
SETTINGS = "inference.yml"


@dataclass(frozen=True)
class SourceFile:
    """One published file; a .tar is unpacked."""

    name: str
    sha256: str | None
    """Its hash; None if no publisher states one, and then models.lock has it, see `lock`."""
    source: str
    """URL of the publisher's copy."""
    mirrors: list[str] = field(default_factory=list)
    """Other locations of the same bytes: URLs, or `pypi:PACKAGE==VERSION!path/in/wheel`."""

    @property
    def is_archive(self) -> bool:
        """Whether the file is an archive, to be unpacked."""
        return self.name.endswith(".tar")


@dataclass(frozen=True)
class Normalize:
    """How a network's input is computed: (pixel * scale - mean) / std for each channel."""

    colour: Literal["BGR", "RGB", "GREY"]
    """The order of the channels."""
    mean: list[float]
    """One value per channel."""
    std: list[float]
    """One value per channel."""
    scale: float = 1 / 255


@dataclass(frozen=True)
class CharsetSource:
    """Where the characters of a network are listed."""

    file: str
    """A file of the entry: a dictionary with one character per line, or an inference.yml."""
    space: bool
    """Whether the network has one more class, the space, after the listed characters."""


@dataclass(frozen=True)
class Figures:
    """What the publisher measured."""

    source: str
    """Where the publisher states the figures."""
    values: dict[str, float]
    """Metric → figure: sizes in megabytes, everything else in percent."""
    dataset: str | None = None
    """The data that the publisher measured on."""


@dataclass(frozen=True)
class Entry:
    """One model of the catalogue.

    If `normalize`, `stage` or `charset` is missing or lacks fields, the model's own inference.yml
    supplies them; see `converters.model.settings.resolve`.
    """

    name: str
    title: str
    series: str
    task: Task
    algorithm: Algorithm
    size: Size
    languages: list[str]
    """BCP 47 codes."""
    format: Literal["paddle-legacy", "paddle-pir", "onnx"]
    licence: str
    authors: str
    files: list[SourceFile]
    normalize: Normalize | None = None
    stage: dict[str, Any] = field(default_factory=dict)
    """The fields that the model's stage gets in a bundle's manifest."""
    charset: CharsetSource | None = None
    contents: Literal["inference", "checkpoint"] = "inference"
    """What the files hold; a training checkpoint must be exported before it can be converted."""
    aliases: list[str] = field(default_factory=list)
    checkpoint: str | None = None
    """URL of a training checkpoint that is published beside the inference model."""
    figures: Figures | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the entry alone says everything, without the model's own inference.yml."""
        has_charset = self.charset is not None or self.task not in READING
        return self.normalize is not None and bool(self.stage) and has_charset


@dataclass(frozen=True)
class BundleEntry:
    """A bundle: for each of its stages the name or folder of a model; see `bundle.parts`."""

    name: str
    description: str
    page_orientation: str | None = None
    unwarping: str | None = None
    detection: str | None = None
    orientation: str | None = None
    recognition: str | None = None
    spotting: str | None = None

    @property
    def models(self) -> dict[Task, str]:
        """The bundle's stages and the model of each, in the order of `STAGES`."""
        return {task: model for task in STAGES if (model := getattr(self, task)) is not None}

    @property
    def problem(self) -> str | None:
        """Why these stages make no bundle, in words; None if they do."""
        if not self.models.keys() & {"detection", "recognition", "spotting"}:
            return "it needs a model for detection, recognition or spotting"
        found_or_read = self.models.keys() & {"detection", "orientation", "recognition"}
        if self.spotting is not None and found_or_read:
            others = " and ".join(task for task in STAGES if task in found_or_read)
            return f"a spotting model finds and reads on its own; leave out {others}"
        return None


@dataclass(frozen=True)
class ProfileEntry:
    """Settings of a bundle for a class of device; None leaves a setting as the models have it."""

    name: str
    description: str
    providers: list[str] | None = None
    """The execution providers that "auto" tries, in this order."""
    threads: Annotated[int, typed.Range(1)] | None = None
    """The number of CPU threads."""
    memory_limit: str | None = None
    """The memory that the process may hold, such as "400MB"."""
    max_pixels: Annotated[int, typed.Range(4096)] | None = None
    """The most pixels that detection works on; the model's own limit holds too."""
    batches: list[Annotated[int, typed.Range(1)]] | None = None
    """The batch sizes of recognition on providers that run a fixed set of input shapes."""


@dataclass(frozen=True)
class Catalog:
    """The whole of models.toml."""

    models: dict[str, Entry]
    bundles: dict[str, BundleEntry]
    profiles: dict[str, ProfileEntry] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        """Tell whether a model has this name or alias."""
        return any(name in (entry.name, *entry.aliases) for entry in self.models.values())

    def model(self, name: str) -> Entry:
        """Return the model of that name or alias.

        Raises:
            CatalogError: If no model has it; the message suggests similar names.
        """
        for entry in self.models.values():
            if name in (entry.name, *entry.aliases):
                return entry
        close = get_close_matches(name, self.models, n=3, cutoff=0.4)
        hint = f"did you mean {', '.join(close)}? " if close else ""
        raise CatalogError(
            f"models.toml has no model {name!r}; {hint}`python -m converters list` shows all models"
        )

    def bundle(self, name: str) -> BundleEntry:
        """Return the bundle of that name.

        Raises:
            CatalogError: If there is none; the message lists the bundles.
        """
        return _named("bundle", name, self.bundles)

    def profile(self, name: str) -> ProfileEntry:
        """Return the profile of that name.

        Raises:
            CatalogError: If there is none; the message lists the profiles.
        """
        return _named("profile", name, self.profiles)


def _named(kind: str, name: str, entries: dict[str, T]) -> T:
    if name not in entries:
        known = ", ".join(entries)
        raise CatalogError(f"models.toml has no {kind} {name!r}; its {kind}s are {known}")
    return entries[name]


@cache
def load(path: Path = CATALOG) -> Catalog:
    """Read models.toml.

    Args:
        path: The file.

    Returns:
        Its contents, checked.

    Raises:
        CatalogError: If it can't be read or a field is wrong; the message names the field.
    """
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
    """List mistakes that the types of the fields don't rule out, each with the field's path."""
    names: set[str] = set()
    for entry in catalog.models.values():
        for name in (entry.name, *entry.aliases):
            if name in names:
                yield f"models.{entry.name}: another model already has the name or alias {name}"
            names.add(name)
        for what in _entry_problems(entry):
            yield f"models.{entry.name}.{what}"
    for bundle in catalog.bundles.values():
        for task, name in bundle.models.items():
            if name not in catalog or catalog.model(name).task != task:
                yield f"bundles.{bundle.name}.{task}: {name} is not a {task} model of this file"
        if problem := bundle.problem:
            yield f"bundles.{bundle.name}: {problem}"
    for profile in catalog.profiles.values():
        for what in _profile_problems(profile):
            yield f"profiles.{profile.name}.{what}"


def _profile_problems(profile: ProfileEntry) -> Iterator[str]:
    providers = profile.providers
    if providers is not None and (not providers or len(set(providers)) < len(providers)):
        yield "providers must list at least one provider, and none twice"
    for provider in providers or ():
        if provider not in PROVIDERS:
            yield f"providers: {provider!r} must be one of {', '.join(PROVIDERS)}"
    if profile.memory_limit is not None:
        try:
            if not memory.parse(profile.memory_limit):
                yield "memory_limit: leave it out instead of setting no limit"
        except ValueError as error:
            yield str(error)
    batches = profile.batches
    if batches is not None and (not batches or batches != sorted(set(batches))):
        yield f"batches must be in ascending order, not {batches}"


def _entry_problems(entry: Entry) -> Iterator[str]:
    if TASKS[entry.algorithm] != entry.task:
        yield f"task: {entry.algorithm} is an algorithm for {TASKS[entry.algorithm]}"
    if entry.charset is not None and entry.task not in READING:
        yield f"charset: a {entry.task} model has none"
    if not entry.languages:
        yield "languages must not be empty"
    files = [file.name for file in entry.files]
    if not files or len(set(files)) < len(files):
        yield "files must list at least one file, and no name twice"
    for i, file in enumerate(entry.files):
        if not re.fullmatch(r"\w[\w.+-]*", file.name):
            yield f"files[{i}].name: {file.name!r} must be a file name without a folder"
        if file.sha256 is not None and not re.fullmatch("[0-9a-f]{64}", file.sha256):
            yield f"files[{i}].sha256 must be 64 hex digits or {models_toml.UNPUBLISHED!r}"
    if entry.charset is not None and entry.charset.file not in files:
        yield f"charset.file: {entry.charset.file} is neither one of the files nor a dictionary"
    if not entry.is_complete and SETTINGS not in files:
        yield f"normalize, stage or charset is missing, and no {SETTINGS} is listed to supply it"
    if entry.normalize is not None:
        channels = 1 if entry.normalize.colour == "GREY" else 3
        if {len(entry.normalize.mean), len(entry.normalize.std)} != {channels}:
            colour = entry.normalize.colour
            yield f"normalize: mean and std must have {channels} values for {colour}"
