"""Change, pack and write the files of bundles for tests; `Files` has their content by name."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from edgeocr.bundle import archive, signature
from edgeocr.bundle.archive import MANIFEST, SIGNATURE

Files = dict[str, bytes]
# An ONNX file of version 8 with operators of version 17, a graph without nodes, and a comment.
STUB = b"\x08\x08" + b"\x42\x02\x10\x11" + b"\x3a\x06\x12\x04stub" + b"\x32\x38" + b"no nodes" * 7
# The same with a model version.
OTHER_STUB = STUB + b"\x28\x01"


def sealed(files: Files) -> Files:
    """Return the files with a manifest that has their sizes and hashes."""
    manifest = json.loads(files[MANIFEST])
    manifest["files"] = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for name, content in files.items()
        if name not in (MANIFEST, SIGNATURE)
    }
    return files | {MANIFEST: json.dumps(manifest).encode()}


def with_manifest(files: Files, change: Callable[[dict[str, Any]], object]) -> Files:
    """Return the files with a changed manifest, whose hashes stay as they are."""
    manifest = json.loads(files[MANIFEST])
    change(manifest)
    return files | {MANIFEST: json.dumps(manifest, sort_keys=True).encode()}


def with_signature(files: Files, key: Path) -> Files:
    """Return the files with a signature by a private key."""
    return files | {SIGNATURE: signature.sign(files[MANIFEST], key)}


def stubs(files: Files) -> Files:
    """Return the bundle with graphs of a few bytes, which compute nothing."""
    return sealed(files | {name: STUB for name in files if name.endswith(".onnx")})


def folder(files: Mapping[str, bytes], path: Path) -> Path:
    """Write the files to a folder and return its path."""
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def packed(files: Mapping[str, bytes], path: Path) -> Path:
    """Write the files to a bundle's file and return its path."""
    archive.write(files, path)
    return path


def unpacked(stream: BinaryIO) -> Files:
    """Return the files of a bundle's file, in their order."""
    opened = archive.Archive(stream)
    return {name: opened.read(name) for name in opened.sizes}


def zipped(entries: Iterable[tuple[str, bytes]], target: Path | BinaryIO, **changes: Any) -> None:
    """Pack entries in their order with `zipfile`, which gives a bundle's form if they are sorted.

    Args:
        entries: Names and contents.
        target: The path or stream to write to.
        changes: Attributes of `zipfile.ZipInfo` to set for every entry.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as opened:
        for name, content in entries:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            for field, value in changes.items():
                setattr(info, field, value)
            opened.writestr(info, content)


def fingerprint(public: Path) -> str:
    """Return the sha256 of a public key in DER, computed without edgeocr."""
    der = base64.b64decode("".join(public.read_text().splitlines()[1:-1]))
    return hashlib.sha256(der).hexdigest()
