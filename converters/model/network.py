"""What a conversion must know about a network beside its weights, and how it finds out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeocr.bundle.fields import Positive

from ..catalog.entries import TASKS, Algorithm, Catalog, Entry, Normalize, Task
from ..catalog.fetch import sha256
from ..errors import ModelFormatError
from ..graph.warping import SEEN
from ..paddle.declared import Declaration, Shape
from . import interfaces
from .families import FAMILIES, HALF, IMAGENET
from .inference_yml import ModelSettings
from .paddle_model import PaddleModel
from .page_yml import SCALED

# Values of `Network.known_by` for a network that was found in the catalogue.
BY_NAME, BY_HASH = "its name in models.toml", "its sha256 in models.toml"
# The strides of detectors with extra stages for large text; all others have 32.
MULTIPLES: dict[Algorithm, int] = {"SAST": 128, "PGNet": 128}
# What `Network.known_by` says beside the source of the algorithm where no source states more.
USUAL = "; normalization as in PaddleOCR's configuration"
IMAGENET_RGB = Normalize("RGB", IMAGENET.mean, IMAGENET.std)


@dataclass(frozen=True)
class Network:
    """What is known about a network."""

    name: str
    task: Task
    algorithm: Algorithm
    normalize: Normalize
    height: Positive | None
    """Height of the input in pixels if the settings fix it; None if not."""
    width: Positive | None
    """Width of the input in pixels if the settings fix it; None if not."""
    multiple: Positive
    """Where height and width vary, they must be multiples of this number of pixels."""
    published: bool
    """Whether the weights are the catalogue's own, so that differences can be judged strictly."""
    classes: int | None
    """The number of classes of a network that reads, if the settings state it."""
    known_by: str
    """How all this was found out, in words, for the report."""

    @property
    def source(self) -> str:
        """What says which algorithm the network is for, in words."""
        return self.known_by.removesuffix(USUAL)

    @property
    def amplifies_rounding(self) -> bool:
        """Whether rounding can become large differences of outputs.

        Untrained weights do that; and so does unwarping, which reads between the pixels of sharp
        edges.
        """
        return not self.published or self.algorithm == "UVDoc"

    @property
    def is_of_catalog(self) -> bool:
        """Whether this is a model of the catalogue; its name alone would not prove it."""
        return self.known_by in (BY_NAME, BY_HASH)


def of_entry(entry: Entry, model: PaddleModel, known_by: str) -> Network:
    """Describe the network of an entry of the catalogue.

    Args:
        entry: An entry that `settings.resolve` has completed.
        model: The model's files.
        known_by: How the entry was found, `BY_NAME` or `BY_HASH`.
    """
    assert entry.normalize is not None
    stage = entry.stage
    hashes = {file.sha256 for file in entry.files}
    resize = stage.get("resize", {})
    return Network(
        entry.name,
        entry.task,
        entry.algorithm,
        entry.normalize,
        stage.get("height"),
        stage.get("width"),
        resize.get("multiple", MULTIPLES.get(entry.algorithm, 32)),
        all(sha256(path) in hashes for path in model.files),
        stage.get("charset", {}).get("classes"),
        known_by,
    )


def of_settings(name: str, settings: ModelSettings) -> Network:
    """Describe a network by its inference.yml; `name` is used if that states none."""
    stage = settings.stage
    return Network(
        settings.model or name,
        settings.task,
        settings.algorithm,
        settings.normalize,
        stage.get("height"),
        stage.get("width"),
        stage.get("resize", {}).get("multiple", MULTIPLES.get(settings.algorithm, 32)),
        published=False,
        classes=stage.get("charset", {}).get("classes"),
        known_by="its inference.yml",
    )


def of_algorithm(
    name: str, algorithm: Algorithm, known_by: str, classes: int | None = None
) -> Network:
    """Describe a network of which the algorithm is known, with PaddleOCR's usual normalization.

    Args:
        name: The network's name.
        algorithm: Its algorithm.
        known_by: How the algorithm was found out, in words.
        classes: The number of classes of a network that reads, if the caller's dictionary says it.
    """
    height, width = SEEN if algorithm == "UVDoc" else (None, _width(algorithm))
    return Network(
        name,
        TASKS[algorithm],
        algorithm,
        _usual_normalization(algorithm),
        height,
        width,
        MULTIPLES.get(algorithm, 32),
        published=False,
        classes=classes,
        known_by=f"{known_by}{USUAL}",
    )


def _width(algorithm: Algorithm) -> int | None:
    """Return the width to which an algorithm's networks stretch every line; None if lines vary."""
    return FAMILIES[algorithm].width if algorithm in FAMILIES else None


def _usual_normalization(algorithm: Algorithm) -> Normalize:
    """Return the normalization of PaddleOCR's configurations of an algorithm."""
    if algorithm in ("PGNet", "CT", "PageCLS"):
        return IMAGENET_RGB
    if algorithm == "UVDoc":
        return SCALED
    family = FAMILIES.get(algorithm)
    if family is not None:
        return family.normalize
    return IMAGENET if TASKS[algorithm] == "detection" else HALF


def find_entry(catalog: Catalog, model: PaddleModel) -> Entry | None:
    """Return the entry whose published files these are, by their hashes, or None."""
    found = {sha256(path) for path in model.files}
    for entry in catalog.models.values():
        if found <= {file.sha256 for file in entry.files}:
            return entry
    return None


def check_fits(network: Network, declared: Declaration) -> None:
    """Check that what is known about a network agrees with its inputs and outputs.

    Args:
        network: What is known.
        declared: The network's inputs and outputs, as its program declares them or its graph shows
            them.

    Raises:
        ModelFormatError: The algorithm, the number of classes, or the size or colour of the image
            contradicts them.
    """
    inputs, outputs = declared.inputs, declared.outputs
    if (why := interfaces.misfit(network.algorithm, inputs, outputs)) is not None:
        raise ModelFormatError(f"{network.name}: {network.source} says {network.algorithm}; {why}")
    if (why := _input_misfit(network, inputs)) is not None:
        raise ModelFormatError(f"{network.name}: {network.source} says {why}")
    classes = interfaces.classes(network.algorithm, outputs)
    if None not in (network.classes, classes) and classes != network.classes:
        raise ModelFormatError(
            f"{network.name}: {network.source} says {network.classes} classes, but the network "
            f"has {classes}: it was trained on other characters"
        )


def _input_misfit(network: Network, inputs: Sequence[Shape]) -> str | None:
    """Say how what is known about the image contradicts the first input; None if it doesn't."""
    if not inputs or len(inputs[0]) != 4:
        return None  # `graph.interface.examine` refuses this
    _, taken, *fixed = inputs[0]
    colour = network.normalize.colour
    if taken not in (1 if colour == "GREY" else 3, None):
        number = "1 channel" if colour == "GREY" else "3 channels"
        return f"{colour}, {number}, but the network takes {taken}"
    if network.task == "unwarping":
        return None  # its settings are the size of the picture that its inner network sees
    sides = (("height", network.height), ("width", network.width))
    for (what, stated), size in zip(sides, fixed, strict=True):
        if None not in (stated, size) and stated != size:
            return f"that the {what} of the input is {stated}, but the network takes {size}"
    return None


def fixed_shape(task: Task, declared: Declaration) -> str | None:
    """Say that a network's input has one shape where the runtime gives it others; None if not.

    A detector sees pictures of many sizes. Crops are turned many at a time, and all other networks
    run on one picture or crop, at least on CPUs.

    Args:
        task: The stage of a bundle that the network is for.
        declared: The network's inputs, as its program declares them.
    """
    if not declared.inputs or len(declared.inputs[0]) != 4:
        return None  # `graph.interface.examine` refuses this
    batch, _, height, width = declared.inputs[0]
    fixed = []
    if batch is not None and (batch > 1 or task == "orientation"):
        fixed.append(f"{batch} at a time")
    if task in ("detection", "spotting") and (height, width) != (None, None):
        fixed.append(f"{height or 'any'} x {width or 'any'} pixels")
    if not fixed:
        return None
    return (
        f"the network takes only pictures of a fixed shape ({', '.join(fixed)}), and no bundle "
        f"could use it for {task}. Export it with open sizes (-1)"
    )


def name_of(folder: Path) -> str:
    """Name a network after its folder, or after the parent of a folder with a generic name."""
    resolved = folder.resolve()
    generic = {"inference", "legacy", "pir", "model", "infer"}
    return resolved.parent.name if resolved.name.lower() in generic else resolved.name
