"""Manifests in a bundle that is intact otherwise."""

from __future__ import annotations

import json

from edgeocr import Bundle
from edgeocr.bundle.archive import MANIFEST
from tests.fuzz.targets import bundles
from tests.support.packing import packed


def seeds() -> list[bytes]:
    """Return the embedded bundle's manifest, indented and not."""
    manifest = bundles.files()[MANIFEST]
    return [manifest, json.dumps(json.loads(manifest), separators=(",", ":")).encode()]


def read(content: bytes) -> None:
    """Open a bundle with this manifest."""
    Bundle.open(packed(bundles.files() | {MANIFEST: content}, bundles.place()))
