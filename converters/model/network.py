"""What a conversion has to know of a network beside its weights, and how it is found out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..catalog.entries import TASKS, Algorithm, Catalog, Entry, Normalize, Task
from ..catalog.fetch import sha256
from ..errors import ModelFormatError
from ..graph.interface import SRN_PREDICTION, Signature, algorithm
from .inference_yml import ModelSettings
from .paddle_model import PaddleModel

# How a network was found in the catalogue: `Network.known_by`.
BY_NAME, BY_HASH = "its name in models.toml", "its sha256 in models.toml"
# Strides of the detectors; what has extra stages for large text needs more.
MULTIPLES: dict[Algorithm, int] = {"SAST": 128, "PGNet": 128}
IMAGENET = Normalize("BGR", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
HALF = Normalize("BGR", [0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
IMAGENET_RGB = Normalize("RGB", IMAGENET.mean, IMAGENET.std)
# SRN was trained on grey values as they are.
GREY = Normalize("GREY", [0.0], [1.0], scale=1.0)


@dataclass(frozen=True)
class Network:
    """A network's interface.

    height, width: of its input where the entry fixes them, None otherwise.
    multiple: what height and width are multiples of, where they vary.
    published: its weights are ones of the catalogue, so that differences can be judged strictly.
    classes: of a recognition network, where the entry says it.
    known_by: how all this was found out, for the report.
    """

    name: str
    task: Task
    algorithm: Algorithm
    normalize: Normalize
    height: int | None
    width: int | None
    multiple: int
    published: bool
    classes: int | None
    known_by: str

    @property
    def is_of_catalog(self) -> bool:
        """Whether it is a model of the catalogue: a name alone may be anybody's."""
        return self.known_by in (BY_NAME, BY_HASH)


def of_entry(entry: Entry, model: PaddleModel, known_by: str) -> Network:
    """The network of a resolved entry, which `settings.resolve` has completed."""
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
    """The network that an inference.yml describes."""
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


def of_graph(name: str, signature: Signature) -> Network:
    """The network that a graph's inputs and outputs show, with PaddleOCR's normalization for it.

    Raises `ModelFormatError` when they are none of a text network.
    """
    kind = algorithm(signature)
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
    """The entry whose published files these are, found by their hashes."""
    found = {sha256(path) for path in model.files}
    for entry in catalog.models.values():
        if found <= {file.sha256 for file in entry.files}:
            return entry
    return None


def check_fits(network: Network, signature: Signature) -> None:
    """Raise `ModelFormatError` when what is known contradicts what the graph shows."""
    shown = algorithm(signature)
    reading = {"CTC", "Attention"}  # whose outputs are alike
    if shown != network.algorithm and not {shown, network.algorithm} <= reading:
        raise ModelFormatError(
            f"{network.name}: {network.known_by} says {network.algorithm}, but this graph's inputs "
            f"and outputs are {shown}'s"
        )
    classes = _classes(signature, shown)
    if None not in (network.classes, classes) and classes != network.classes:
        raise ModelFormatError(
            f"{network.name}: {network.known_by} says {network.classes} classes, the network has "
            f"{classes}: these characters are not the ones that it was trained on"
        )


def _classes(signature: Signature, shown: Algorithm) -> int | None:
    """How many classes a network that reads has; None for one that doesn't."""
    if shown == "PGNet":
        (number,) = signature.outputs_by_channels().keys() - {1, 2, 4}
        return number
    if TASKS[shown] != "recognition":
        return None
    return signature.outputs[SRN_PREDICTION if shown == "SRN" else 0].shape[-1]


def name_of(folder: Path) -> str:
    """A name for a network that has none: its folder's, or with the folder above where needed."""
    resolved = folder.resolve()
    generic = {"inference", "legacy", "pir", "model", "infer"}
    return resolved.parent.name if resolved.name.lower() in generic else resolved.name
