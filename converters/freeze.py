"""Entries of a bundle → the frozen bundle, a folder or a file."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from edgeocr import images
from edgeocr.bundle import archive, signature
from edgeocr.bundle.archive import MANIFEST, SIGNATURE
from edgeocr.bundle.bundle import Bundle
from edgeocr.bundle.provenance import Accuracy, Precision

from .accuracy import measure as accuracies
from .bundle import assembly, parts
from .bundle.assembly import Assembly
from .catalog.entries import READING, BundleEntry, Catalog
from .catalog.fetch import Fetcher
from .charset import character_sets
from .errors import ConverterError
from .precision import choice as precision

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is made of a bundle's models.

    charset: what they are to read, see `character_sets.choose`; all they know when empty.
    precision: what graphs are to compute in. calibrate: folder of pictures that show the ranges of
        values, for int8. max_loss: points of Hmean, hundredths, that lower precision may cost; None
        for `precision.MAX_LOSS`.
    accuracy: folder with a Label.txt; what the bundle reads of it is recorded.
    profile: name of a profile of models.toml.
    sign: a private key to sign it with, see `edgeocr.signature`.
    """

    charset: tuple[str, ...] = ()
    precision: Precision = "fp32"
    calibrate: Path | None = None
    accuracy: Path | None = None
    max_loss: float | None = None
    profile: str | None = None
    sign: Path | None = None


NOTHING_MORE = Plan()


def freeze(
    bundle: BundleEntry, catalog: Catalog, target: Path, say: Say, plan: Plan = NOTHING_MORE
) -> Bundle:
    """Fetch, translate, check and write a bundle; returns it opened.

    target: `NAME.edgeocr` for one file, anything else for a new folder. It appears only when the
        bundle is complete and opens.

    Raises a child of `ConverterError` for whatever stops it, `SignatureError` for a key that can't
    sign. What can be known before anything is fetched is refused before.
    """
    _check(bundle, catalog, target, plan)
    profile = None if plan.profile is None else catalog.profile(plan.profile)
    made = Assembly(bundle.name, bundle.description, profile=profile)
    with Fetcher() as fetcher:
        for task, source in bundle.models.items():
            part = parts.part(source, task, catalog, fetcher, say)
            made = made.with_part(part, plan.charset)
            _say_kept(made, task, say)
    if plan.precision != "fp32":
        reduced = precision.reduce(
            made,
            plan.precision,
            calibrate=plan.calibrate,
            accuracy=plan.accuracy,
            max_loss=precision.MAX_LOSS if plan.max_loss is None else plan.max_loss,
            say=say,
        )
        for stage, less in reduced.items():
            made = made.with_graph(stage, less.graph, plan.precision, less.quantization)
    if plan.accuracy is not None:
        measured = accuracies.measure(made.draft(), plan.accuracy)
        say(f"{bundle.name}: {_in_words(measured)}")
        made = replace(made, accuracy=measured)
    say(f"{bundle.name}: writing {target}")
    return write(made.complete(), target, plan.sign)


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


def _check(bundle: BundleEntry, catalog: Catalog, target: Path, plan: Plan) -> None:
    """Before the work, so that it isn't done in vain."""
    if bundle.problem is not None:
        raise ConverterError(f"{bundle.name}: {bundle.problem}")
    _check_writable(target)
    for task, source in bundle.models.items():
        if (entry := parts.check(source, task, catalog)) is not None:
            assembly.licence(entry.name, entry.licence)
    if plan.charset and not any(task in bundle.models for task in READING):
        raise ConverterError(f"{bundle.name}: --charset needs a model that reads, it has none")
    character_sets.check(plan.charset)
    if plan.profile is not None:
        catalog.profile(plan.profile)
    if plan.max_loss is not None and plan.precision == "fp32":
        raise ConverterError("--max-loss is for --precision int8 or fp16")
    if plan.calibrate is not None:
        if plan.precision != "int8":
            raise ConverterError("--calibrate is for --precision int8")
        if not plan.calibrate.is_dir():
            raise ConverterError(f"{plan.calibrate}: no folder of pictures to calibrate on")
        if not any(path.suffix.lower() in images.SUFFIXES for path in plan.calibrate.iterdir()):
            raise ConverterError(f"{plan.calibrate}: no pictures in this folder to calibrate on")
    if plan.accuracy is not None:
        accuracies.read_labels(plan.accuracy)
    if plan.sign is not None:
        signature.sign(b"", plan.sign)


def _check_writable(target: Path) -> None:
    existing = next(folder for folder in target.absolute().parents if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise ConverterError(f"{target}: {existing} can't be written to")
    if not target.name or target.name == "..":
        raise ConverterError(f"{target}: a bundle needs a name, such as reader.edgeocr")
    if target.is_dir() and target.suffix == ".edgeocr":
        raise ConverterError(f"{target}: it is a folder, where one file is to be written")
    if target.is_dir() and any(target.iterdir()):
        raise ConverterError(f"{target}: the folder is not empty; remove it or choose another")
    if target.exists() and not target.is_dir() and target.suffix != ".edgeocr":
        raise ConverterError(
            f"{target}: it is a file, where a folder is to be written; for one file say "
            f"{target}.edgeocr"
        )


def _say_kept(made: Assembly, task: str, say: Say) -> None:
    """How much of a charset stays."""
    full = made.provenance[-1].full_classes
    if full is not None:
        stage = made.stages[task]
        kept = stage["charset"]["classes"]
        say(f"{stage['model']}: charset pruned from {full} to {kept} classes")


def _in_words(measured: Accuracy) -> str:
    return (
        f"of {measured.pictures} pictures with {measured.lines} lines: detection's Hmean "
        f"{measured.detection_hmean:.4f}, Hmean {measured.hmean:.4f}, CER {measured.cer:.4f}"
    )
