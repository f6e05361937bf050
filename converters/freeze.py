"""Freeze a bundle: fetch and convert its models, and write it as a folder or a file."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from edgeocr import images
from edgeocr.accuracy import label_file
from edgeocr.bundle import signature
from edgeocr.bundle.bundle import Bundle
from edgeocr.bundle.provenance import Accuracy, Loss, Precision
from edgeocr.bundle.storing import store

from .accuracy import measure as accuracies
from .bundle import assembly, parts
from .bundle.assembly import Assembly
from .bundle.stages import charset_of
from .catalog.entries import READING, BundleEntry, Catalog, Task
from .catalog.fetch import Fetcher
from .charset import selection
from .errors import ConverterError, PrecisionError
from .model.dictionary import Dictionary
from .precision import choice
from .precision.judging import Reduced

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """How a bundle is made from its models.

    Attributes:
        charset: The characters that the bundle reads, as `selection.choose` takes them. Empty for
            all characters that its network knows.
        precision: What the graphs compute in.
        variants: Precisions in which stages that gain by them get a graph beside the one in fp32.
            Empty for bundles with one graph for each stage.
        weights: What the file stores float32 weights in.
        calibrate: For int8: a folder of pictures that show the ranges of values. None for the
            repository's pictures.
        accuracy: A folder with a Label.txt; the manifest records what the bundle reads of it.
        max_loss: The points of Hmean (hundredths) that a lower precision may lose. None for
            `choice.MAX_LOSS`.
        profile: The name of a profile of models.toml.
        sign: The private key to sign the bundle with, see `edgeocr.bundle.signature`.
        dictionary: The characters that the network which reads was trained with, where they aren't
            those of models.toml or of its inference.yml.
    """

    charset: tuple[str, ...] = ()
    precision: Precision = "fp32"
    variants: tuple[Precision, ...] = ()
    weights: Literal["fp32", "fp16"] = "fp32"
    calibrate: Path | None = None
    accuracy: Path | None = None
    max_loss: float | None = None
    profile: str | None = None
    sign: Path | None = None
    dictionary: Dictionary | None = None

    @property
    def allowed_loss(self) -> float:
        """The points of Hmean (hundredths) that a lower precision may lose."""
        return choice.MAX_LOSS if self.max_loss is None else self.max_loss

    def recorded_loss(self, less: Reduced) -> Loss | None:
        """The loss to record of a graph: none unless the caller names the pictures to judge by."""
        return None if self.accuracy is None else less.loss


NOTHING_MORE = Plan()


def freeze(
    bundle: BundleEntry, catalog: Catalog, target: Path, plan: Plan = NOTHING_MORE
) -> Bundle:
    """Fetch, convert, check and write a bundle; return it opened.

    Faults that can be known before anything is fetched are raised before.

    Args:
        bundle: The bundle's name and models.
        catalog: What models.toml says.
        target: `NAME.edgeocr` for one file, any other path for a new folder. It appears only when
            the bundle is complete and opens.
        plan: How the bundle is made from its models.

    Raises:
        ConverterError: Freezing failed; the class of the error says in which step.
        SignatureError: The key can't sign.
    """
    _check(bundle, catalog, target, plan)
    profile = None if plan.profile is None else catalog.profile(plan.profile)
    made = Assembly(bundle.name, bundle.description, profile=profile)
    with Fetcher() as fetcher:
        for task, source in bundle.models.items():
            part = parts.part(source, task, catalog, fetcher, plan.dictionary)
            made = made.with_part(part, plan.charset)
            _log_pruned(made, task)
    if plan.precision != "fp32":
        graphs = _reduced(made, plan.precision, plan)
        made = _with_graphs(made, graphs, plan.precision, plan)
    if plan.weights == "fp16":
        made = _with_half_weights(made, plan)
    if plan.accuracy is not None:
        made = replace(made, accuracy=_measured(made, plan.accuracy))
    if plan.variants:
        made = _with_variants(made, plan)
    logger.info("%s: writing %s", bundle.name, target)
    return write(made.complete(), target, plan.sign)


def write(files: dict[str, bytes], target: Path, sign: Path | None = None) -> Bundle:
    """Write a bundle atomically and return it opened; the same files give the same bytes.

    Args:
        files: Path in the bundle → content, the manifest included.
        target: `NAME.edgeocr` for one file, any other path for a new folder.
        sign: The private key to sign the bundle with, None for an unsigned bundle.

    Raises:
        ConverterError: The target can't be written; it is as it was.
    """
    try:
        return store(files, target, as_file=target.suffix == ".edgeocr", sign=sign)
    except OSError as error:
        raise ConverterError(f"{target}: can't be written: {error.strerror or error}") from error


def _check(bundle: BundleEntry, catalog: Catalog, target: Path, plan: Plan) -> None:
    """Raise what can be known to be wrong before any work is done."""
    if bundle.problem is not None:
        raise ConverterError(f"{bundle.name}: {bundle.problem}")
    _check_writable(target)
    for task, source in bundle.models.items():
        if (entry := parts.check(source, task, catalog)) is not None:
            assembly.licence(entry.name, entry.licence)
    if plan.charset and not any(task in bundle.models for task in READING):
        raise ConverterError(
            f"{bundle.name}: --charset needs a model that reads, this bundle has none"
        )
    if plan.dictionary is not None:
        if not any(task in bundle.models for task in READING):
            raise ConverterError(
                f"{bundle.name}: --dictionary needs a model that reads, this bundle has none"
            )
        if not plan.dictionary.path.is_file():
            raise ConverterError(f"{plan.dictionary.path}: the dictionary is missing")
    selection.check(plan.charset)
    if plan.profile is not None:
        catalog.profile(plan.profile)
    if plan.variants and (plan.precision, plan.weights) != ("fp32", "fp32"):
        raise ConverterError("--variants excludes --precision and --weights")
    precisions = {plan.precision, *plan.variants}
    if plan.max_loss is not None and precisions == {"fp32"} and plan.weights == "fp32":
        raise ConverterError(
            "--max-loss is for --precision int8 or fp16, --weights fp16 and --variants"
        )
    if plan.weights == "fp16" and plan.precision == "fp16":
        raise ConverterError("--precision fp16 stores weights in fp16 already; leave out --weights")
    if plan.calibrate is not None:
        if "int8" not in precisions:
            raise ConverterError("--calibrate is for --precision int8 and --variants fp32,int8")
        if not plan.calibrate.is_dir():
            raise ConverterError(
                f"{plan.calibrate}: there is no such folder of pictures to calibrate with"
            )
        if not any(path.suffix.lower() in images.SUFFIXES for path in plan.calibrate.iterdir()):
            raise ConverterError(
                f"{plan.calibrate}: this folder contains no pictures to calibrate with"
            )
    if plan.accuracy is not None:
        label_file.read(plan.accuracy / label_file.LABELS)
    if plan.sign is not None:
        signature.sign(b"", plan.sign)


def _check_writable(target: Path) -> None:
    """Raise `ConverterError` unless a bundle can be written to the target."""
    if not target.name or target.name == "..":
        raise ConverterError(f"{target}: a bundle needs a name, such as reader.edgeocr")
    existing = next(folder for folder in target.absolute().parents if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise ConverterError(f"{target}: {existing} can't be written to")
    if target.is_dir() and target.suffix == ".edgeocr":
        raise ConverterError(f"{target}: this is a folder, but NAME.edgeocr is written as a file")
    if target.is_dir() and any(target.iterdir()):
        raise ConverterError(f"{target}: the folder is not empty; remove it or choose another")
    if target.exists() and not target.is_dir() and target.suffix != ".edgeocr":
        raise ConverterError(
            f"{target}: this is a file, but the bundle is written as a folder; for a file write "
            f"{target}.edgeocr"
        )


def _reduced(made: Assembly, precision: Precision, plan: Plan) -> dict[str, Reduced]:
    """Return the graphs of the stages that gain by a precision."""
    return choice.reduce(
        made.draft,
        lambda graphs: _with_graphs(made, graphs, precision, plan).draft,
        precision,
        calibrate=plan.calibrate if precision == "int8" else None,
        accuracy=plan.accuracy,
        max_loss=plan.allowed_loss,
    )


def _with_graphs(
    made: Assembly, graphs: Mapping[str, Reduced], precision: Precision, plan: Plan
) -> Assembly:
    """Return the bundle with other graphs for some of its stages."""
    for stage, less in graphs.items():
        loss = plan.recorded_loss(less)
        made = made.with_graph(stage, less.graph, precision, less.quantization, loss)
    return made


def _with_variants(made: Assembly, plan: Plan) -> Assembly:
    """Return the bundle with further graphs of the stages that gain by the plan's variants.

    All are made of the graphs in float32, and compared with them, as they are for a bundle that has
    only graphs of this precision.
    """
    whole = made
    for precision in plan.variants:
        try:
            graphs = _reduced(made, precision, plan)
        except PrecisionError as error:
            raise PrecisionError(f"--variants: {error}; or leave {precision} out") from error
        for stage, less in graphs.items():
            loss = plan.recorded_loss(less)
            whole = whole.with_variant(stage, less.graph, precision, less.quantization, loss)
        if plan.accuracy is not None:
            measured = _measured(_with_graphs(made, graphs, precision, plan), plan.accuracy)
            accuracy = {**whole.variant_accuracy, precision: measured}
            whole = replace(whole, variant_accuracy=accuracy)
    return whole


def _measured(made: Assembly, labelled: Path) -> Accuracy:
    """Return what a bundle reads of labelled pictures, and log it."""
    measured = accuracies.measure(made.draft, labelled)
    logger.info("%s: %s", made.name, _in_words(measured))
    return measured


def _with_half_weights(made: Assembly, plan: Plan) -> Assembly:
    """Return the bundle with all weights stored in fp16."""

    def with_graphs(graphs: Mapping[str, Reduced]) -> Assembly:
        changed = made
        for stage, half in graphs.items():
            changed = changed.with_half_weights(stage, half.graph, plan.recorded_loss(half))
        return changed

    halved = choice.halve_weights(
        made.draft,
        lambda graphs: with_graphs(graphs).draft,
        accuracy=plan.accuracy,
        max_loss=plan.allowed_loss,
    )
    return with_graphs(halved)


def _log_pruned(made: Assembly, task: Task) -> None:
    """Log how many classes of a network stay if it was pruned."""
    full, stage = made.provenance[-1].full_classes, getattr(made.stages, task)
    if full is not None and (charset := charset_of(stage)) is not None:
        logger.info("%s: charset pruned from %d to %d classes", stage.model, full, charset.classes)


def _in_words(measured: Accuracy) -> str:
    """Say in a line what was measured."""
    return (
        f"of {measured.pictures} pictures with {measured.lines} lines: detection's Hmean "
        f"{measured.detection_hmean:.4f}, Hmean {measured.hmean:.4f}, CER {measured.cer:.4f}"
    )
