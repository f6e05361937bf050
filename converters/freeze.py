"""Entries of a bundle → the frozen bundle, a folder or a file."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgeocr import archive, signature
from edgeocr.archive import MANIFEST, SIGNATURE
from edgeocr.bundle import Bundle
from edgeocr.manifest import REQUIRES, SCHEMA
from edgeocr.provenance import Origin
from edgeocr.version import __version__

from . import charset, sbom
from .catalog import BundleEntry, Catalog
from .errors import ConverterError
from .fetch import Fetcher
from .parts import UNSTATED, Part, part

# Texts of the licences that models come under; edgeocr's own is the same Apache licence.
LICENCES = {"Apache-2.0": Path(__file__).parent.parent / "LICENSE"}


def freeze(
    bundle: BundleEntry, catalog: Catalog, target: Path, say: Callable[[str], None]
) -> Bundle:
    """Fetch, translate, check and write a bundle; returns it opened.

    target: `NAME.edgeocr` for one file, anything else for a new folder. It appears only when the
        bundle is complete and opens.

    Raises a child of `ConverterError` for whatever stops it.
    """
    if bundle.problem is not None:
        raise ConverterError(f"{bundle.name}: {bundle.problem}")
    _check_writable(target)
    stages: dict[str, Any] = {}
    provenance: list[Origin] = []
    files: dict[str, bytes] = {}
    for source in bundle.models.values():
        name, _, _ = source.partition("=")
        if name in catalog:
            _licence(name, catalog.model(name).licence)
    with Fetcher(say) as fetcher:
        for task, source in bundle.models.items():
            made = part(source, task, catalog, fetcher, say)
            if made.licence is not None:
                files[f"licences/{made.licence}.txt"] = _licence(made.name, made.licence)
            stages[task], inside = _stage(made)
            files |= inside
            provenance.append(_origin(made))
    made_by = {"edgeocr": __version__, "onnx": version("onnx")}
    files[sbom.FILE] = sbom.build(
        bundle.name, bundle.description, stages, provenance, files, made_by
    )
    manifest = {
        "schema": SCHEMA,
        "requires": REQUIRES,
        "name": bundle.name,
        "description": bundle.description,
        "stages": stages,
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for name, content in files.items()
        },
        "made_by": made_by,
        "provenance": [_without_none(asdict(origin)) for origin in provenance],
    }
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    say(f"{bundle.name}: writing {target}")
    return write({MANIFEST: text.encode(), **files}, target)


def write(files: dict[str, bytes], target: Path, sign: Path | None = None) -> Bundle:
    """Write a bundle atomically and open it; the same files give the same bytes.

    sign: a private key to sign it with, see `edgeocr.signature`.
    """
    if sign is not None:
        files = files | {SIGNATURE: signature.sign(files[MANIFEST], sign)}
    target.parent.mkdir(parents=True, exist_ok=True)
    as_file = target.suffix == ".edgeocr"
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as temporary:
        draft = Path(temporary) / target.name
        if as_file:
            archive.write(files, draft)
        else:
            for name, content in files.items():
                path = draft / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        Bundle.open(draft)
        if not as_file and target.is_dir():
            shutil.rmtree(target)
        os.replace(draft, target)  # noqa: PTH105 - Path.replace is the same
    return Bundle.open(target)


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return value


def _check_writable(target: Path) -> None:
    """Before the work, so that it isn't done in vain."""
    existing = next(folder for folder in target.absolute().parents if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise ConverterError(f"{target}: {existing} can't be written to")
    if target.is_dir() and any(target.iterdir()):
        raise ConverterError(f"{target}: the folder is not empty; remove it or choose another")


def _licence(name: str, licence: str) -> bytes:
    if licence not in LICENCES:
        raise ConverterError(
            f"{name}: no text of its licence {licence} to put into the bundle; "
            "add one to converters/freeze.py"
        )
    # As text: a checkout on Windows has other line ends, a bundle must not.
    return LICENCES[licence].read_text("utf-8").encode()


def _stage(made: Part) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The stage in the manifest, and its files."""
    graph = f"graphs/{made.task}.onnx"
    files = {graph: made.conversion.edge}
    stage = {
        "algorithm": made.conversion.network.algorithm,
        "graph": graph,
        "model": made.name,
        **made.stage,
    }
    if made.characters is not None:
        path = f"charsets/{made.name}.txt"
        files[path] = charset.content(made.characters)
        stage["charset"] = {"file": path, **made.stage["charset"]}
    return stage, files


def _origin(made: Part) -> Origin:
    return Origin(
        stage=made.task,
        model=made.name,
        title=made.title,
        authors=made.authors,
        licence=made.licence or UNSTATED,
        format=made.conversion.model.format,
        files=made.files,
        translator=made.conversion.translation.translator,
        parity=made.conversion.checks,
        repairs=[repair.name for repair in made.conversion.translation.repairs],
        rewrites=[rewrite.name for rewrite in made.conversion.rewrites],
    )
