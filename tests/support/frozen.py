"""Freeze bundles for tests, without asking Paddle, also where Paddle is installed.

A model is converted once in a process, whatever bundles are frozen from it.
"""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

from converters.bundle import parts
from converters.catalog import entries as catalog
from converters.catalog.entries import BundleEntry, Catalog, Entry
from converters.convert import Conversion, convert
from converters.freeze import NOTHING_MORE, Plan, freeze, write
from converters.model.known import NOTHING_SAID, Statement
from converters.parity import paddle_reference
from edgeocr import Bundle
from edgeocr.bundle.archive import MANIFEST

_conversions: dict[tuple[Path, str | None, Statement], Conversion] = {}


def frozen(target: Path, plan: Plan = NOTHING_MORE, **stages: str) -> Bundle:
    """Freeze models to a folder or file.

    Args:
        target: The folder, or the file NAME.edgeocr.
        plan: How the bundle is made from its models.
        stages: Each stage's model, as `converters.bundle.parts.part` takes it.
    """
    nothing = paddle_reference.PaddleMissingError("not asked")
    entry = BundleEntry(target.stem, "a bundle of the tests", **stages)
    with (
        patch.object(paddle_reference, "run", side_effect=nothing),
        patch.object(parts, "convert", _converted_once),
    ):
        return freeze(entry, catalog.load(), target, plan)


def _converted_once(
    folder: Path,
    catalog: Catalog,
    *,
    entry: Entry | None = None,
    said: Statement = NOTHING_SAID,
) -> Conversion:
    key = folder, entry.name if entry else None, said
    if key not in _conversions:
        _conversions[key] = convert(folder, catalog, entry=entry, said=said)
    return _conversions[key]


def stored(bundle: Bundle, target: Path, manifest: str | None = None) -> Bundle:
    """Write an opened bundle again, with another manifest if one is given."""
    files = {name: bundle.read(name) for name in bundle.manifest.files}
    files[MANIFEST] = (manifest or bundle.manifest_text).encode()
    return write(files, target)
