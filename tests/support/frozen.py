"""Bundles for tests, made by the converters without asking Paddle, also where it is installed."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from converters.catalog import entries as catalog
from converters.catalog.entries import BundleEntry
from converters.freeze import Plan, freeze, write
from converters.parity import paddle_reference
from edgeocr import Bundle
from edgeocr.bundle.bundle import MANIFEST


def frozen(target: Path, plan: Plan | None = None, **stages: str) -> Bundle:
    """Freeze models, named as `converters.parts.part` takes them, to a folder or file."""
    if sys.version_info >= (3, 13):
        pytest.skip("paddle2onnx 1.3.1 has no wheel for this Python")
    nothing = paddle_reference.PaddleMissingError("not asked")
    entry = BundleEntry(target.stem, "a bundle of the tests", **stages)
    with patch.object(paddle_reference, "run", side_effect=nothing):
        return freeze(entry, catalog.load(), target, lambda line: None, plan or Plan())


def stored(bundle: Bundle, target: Path, manifest: str | None = None) -> Bundle:
    """Write an opened bundle again, with another manifest if there is one."""
    files = {name: bundle.read(name) for name in bundle.manifest.files}
    files[MANIFEST] = (manifest or bundle.manifest_text).encode()
    return write(files, target)
