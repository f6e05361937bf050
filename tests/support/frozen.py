"""Freeze bundles for tests, without asking Paddle, also where Paddle is installed.

A model is converted once in a process, whatever bundles are frozen from it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from converters.bundle import parts
from converters.catalog import entries as catalog
from converters.catalog.entries import BundleEntry, Catalog, Entry
from converters.convert import Conversion, convert
from converters.freeze import NOTHING_MORE, Plan, freeze, write
from converters.parity import paddle_reference
from edgeocr import Bundle
from edgeocr.bundle.bundle import MANIFEST

_conversions: dict[tuple[Path, str | None], Conversion] = {}


def frozen(target: Path, plan: Plan = NOTHING_MORE, **stages: str) -> Bundle:
    """Freeze models to a folder or file.

    Args:
        target: The folder, or the file NAME.edgeocr.
        plan: How the bundle is made from its models.
        stages: Each stage's model, as `converters.bundle.parts.part` takes it.
    """
    if sys.version_info >= (3, 13):
        pytest.skip("paddle2onnx 1.3.1 has no wheel for this Python")
    nothing = paddle_reference.PaddleMissingError("not asked")
    entry = BundleEntry(target.stem, "a bundle of the tests", **stages)
    with (
        patch.object(paddle_reference, "run", side_effect=nothing),
        patch.object(parts, "convert", _converted_once),
    ):
        return freeze(entry, catalog.load(), target, plan)


def _converted_once(folder: Path, catalog: Catalog, *, entry: Entry | None = None) -> Conversion:
    key = folder, entry.name if entry else None
    if key not in _conversions:
        _conversions[key] = convert(folder, catalog, entry=entry)
    return _conversions[key]


def stored(bundle: Bundle, target: Path, manifest: str | None = None) -> Bundle:
    """Write an opened bundle again, with another manifest if one is given."""
    files = {name: bundle.read(name) for name in bundle.manifest.files}
    files[MANIFEST] = (manifest or bundle.manifest_text).encode()
    return write(files, target)
