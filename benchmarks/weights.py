"""Prepare the weights of a bundle in models.toml for edgeocr and for its peers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from converters.catalog.entries import Catalog
from converters.catalog.fetch import Fetcher
from converters.errors import CatalogError
from converters.freeze import freeze
from converters.model import dictionary as charset
from converters.model.paddle_model import identify
from converters.translate import translate

from .engines.measure import Models


def prepare(name: str, catalog: Catalog, folder: Path) -> tuple[Path, Models]:
    """Write a bundle, and the plain graphs that it is made of, into a folder.

    Files that are there from an earlier call are used as they are.

    Args:
        name: Name of the bundle.
        catalog: The contents of models.toml.
        folder: The folder to write into.

    Returns:
        The path of the bundle, and the paths of the same weights for the peers.

    Raises:
        ConverterError: A model can't be converted, or the bundle lacks one that the peers need.
    """
    models = for_peers(name, catalog, folder)
    bundle = folder / f"{name}.edgeocr"
    if not bundle.is_file():
        freeze(catalog.bundle(name), catalog, bundle)
    return bundle, models


def for_peers(name: str, catalog: Catalog, folder: Path) -> Models:
    """Write the plain graphs that a bundle is made of into a folder, and return their paths.

    Graphs that are there from an earlier call are used as they are.

    Args:
        name: Name of the bundle.
        catalog: The contents of models.toml.
        folder: The folder to write into.

    Raises:
        ConverterError: A model can't be converted, or the bundle lacks one that the peers need.
    """
    entry = catalog.bundle(name)
    if entry.detection is None or entry.recognition is None:
        raise CatalogError(f"{name}: the peers need a model for detection and one for recognition")
    folder.mkdir(parents=True, exist_ok=True)
    models: Models = {"detection": "", "recognition": "", "charset": "", "orientation": None}
    with Fetcher() as fetcher:

        def plain(model: str) -> str:
            path = folder / f"{model}.onnx"
            if not path.is_file():
                path.write_bytes(translate(identify(fetcher.fetch(catalog.model(model)))).plain)
            return str(path)

        models["detection"] = plain(entry.detection)
        models["recognition"] = plain(entry.recognition)
        if entry.orientation is not None:
            models["orientation"] = plain(entry.orientation)
        recognition = catalog.model(entry.recognition)
        assert recognition.charset is not None
        # The peers append the space to the list themselves.
        listed = charset.characters(
            fetcher.fetch(recognition), replace(recognition.charset, space=False)
        )
        path = folder / f"{name}.txt"
        path.write_bytes(charset.content(listed))
        models["charset"] = str(path)
    return models
