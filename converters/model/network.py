"""What a conversion must know about a network beside its weights, and how it finds out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..catalog.entries import TASKS, Algorithm, Catalog, Entry, Normalize, Task
from ..catalog.fetch import sha256
from ..errors import ModelFormatError
from ..graph.interface import SRN_PREDICTION, Interface, algorithm
from .inference_yml import ModelSettings
from .paddle_model import PaddleModel

# Values of `Network.known_by` for a network that was found in the catalogue.
BY_NAME, BY_HASH = "its name in models.toml", "its sha256 in models.toml"
# The strides of detectors with extra stages for large text; all others have 32.
MULTIPLES: dict[Algorithm, int] = {"SAST": 128, "PGNet": 128}
IMAGENET = Normalize("BGR", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
HALF = Normalize("BGR", [0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
IMAGENET_RGB = Normalize("RGB", IMAGENET.mean, IMAGENET.std)
# SRN was trained on plain grey values from 0 to 255.
GREY = Normalize("GREY", [0.0], [1.0], scale=1.0)


@dataclass(frozen=True)
class Network:
    """What is known about a network."""

    name: str
    task: Task
    algorithm: Algorithm
    normalize: Normalize
    height: int | None
    """Height of the input in pixels if the settings fix it; None if not."""
    width: int | None
    """Width of the input in pixels if the settings fix it; None if not."""
    multiple: int
    """Where height and width vary, they must be multiples of this number of pixels."""
    published: bool
    """Whether the weights are the catalogue's own, so that differences can be judged strictly."""
    classes: int | None
    """The number of classes of a network that reads, if the settings state it."""
    known_by: str
    """How all this was found out, in words, for the report."""

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


def of_graph(name: str, interface: Interface) -> Network:
    """Describe a network by its graph's inputs and outputs, with PaddleOCR's usual normalization.

    Raises:
        ModelFormatError: If no text network has such inputs and outputs.
    """
    kind = algorithm(interface)
    task = TASKS[kind]
    special = {"SRN": GREY, "PGNet": IMAGENET_RGB}
    return Network(
        name,
        task,
        kind,
        special.get(kind, IMAGENET if task == "detection" else HALF),
        None,
        None,
        MULTIPLES.get(kind, 32),
        published=False,
        classes=None,
        known_by="the graph's inputs and outputs; normalization as in PaddleOCR's configuration",
    )


def find_entry(catalog: Catalog, model: PaddleModel) -> Entry | None:
    """Return the entry whose published files these are, by their hashes, or None."""
    found = {sha256(path) for path in model.files}
    for entry in catalog.models.values():
        if found <= {file.sha256 for file in entry.files}:
            return entry
    return None


def check_fits(network: Network, interface: Interface) -> None:
    """Check that what is known about a network agrees with its graph.

    Raises:
        ModelFormatError: If the algorithm or the number of classes contradicts the graph.
    """
    shown = algorithm(interface)
    reading = {"CTC", "Attention"}  # their outputs look the same
    if shown != network.algorithm and not {shown, network.algorithm} <= reading:
        raise ModelFormatError(
            f"{network.name}: {network.known_by} says {network.algorithm}, but this graph has "
            f"the inputs and outputs of {shown}"
        )
    classes = _classes(interface, shown)
    if None not in (network.classes, classes) and classes != network.classes:
        raise ModelFormatError(
            f"{network.name}: {network.known_by} says {network.classes} classes, but the network "
            f"has {classes}: it was trained on other characters"
        )


def _classes(interface: Interface, shown: Algorithm) -> int | None:
    """Return a graph's number of classes, or None if it doesn't read or leaves it open."""
    if shown == "PGNet":
        (number,) = interface.outputs_by_channels().keys() - {1, 2, 4}
        return number
    if TASKS[shown] != "recognition":
        return None
    return interface.outputs[SRN_PREDICTION if shown == "SRN" else 0].shape[-1]


def name_of(folder: Path) -> str:
    """Name a network after its folder, or after the parent of a folder with a generic name."""
    resolved = folder.resolve()
    generic = {"inference", "legacy", "pir", "model", "infer"}
    return resolved.parent.name if resolved.name.lower() in generic else resolved.name
