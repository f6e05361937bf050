"""Files of bundles, byte by byte."""

from __future__ import annotations

import functools
import io
import tempfile
import zipfile
from pathlib import Path

from edgeocr import Bundle
from edgeocr.bundle import archive
from tests.support.packing import Files, stubs
from tests.support.paths import EMBEDDED_BUNDLE


@functools.cache
def files() -> Files:
    """Return the embedded bundle's files with graphs of a few bytes."""
    with zipfile.ZipFile(EMBEDDED_BUNDLE) as opened:
        return stubs({name: opened.read(name) for name in opened.namelist()})


@functools.cache
def place() -> Path:
    """Return the path that each input is written to."""
    return Path(tempfile.mkdtemp(prefix="edgeocr-fuzz-")) / "own.edgeocr"


def seeds() -> list[bytes]:
    """Pack the embedded bundle, as `freeze` does and with another program."""
    packed, zipped = io.BytesIO(), io.BytesIO()
    archive.write(files(), packed)
    with zipfile.ZipFile(zipped, "w") as target:
        for name, content in files().items():
            target.writestr(name, content)
    return [packed.getvalue(), zipped.getvalue()]


def read(content: bytes) -> None:
    """Open a bundle and read what is in it."""
    place().write_bytes(content)
    opened = Bundle.open(place())
    for name in opened.manifest.files:
        opened.read(name)
