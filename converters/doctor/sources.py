"""Collect what a folder's files and settings say about its network, as far as they can be read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edgeocr.bundle.manifest import Recognition

from ..catalog.entries import READING, Algorithm, Catalog, CharsetSource, Entry, Normalize
from ..errors import ModelFormatError
from ..graph.interface import Interface
from ..model import (
    dictionary,
    families,
    inference_yml,
    interfaces,
    line_resizing,
    network,
    settings,
)
from ..model.families import FAMILIES
from ..model.inference_yml import ModelSettings
from ..model.known import NOTHING_SAID, shown
from ..model.network import Network
from ..model.paddle_model import PaddleModel
from ..model.stages import stage_of
from ..paddle.files import parse
from ..translate import Translation
from . import characters
from .facts import Folder, Kind, Listed, Seen

# How `Network.known_by` begins where the user names the algorithm.
USER = "--algorithm"


@dataclass(frozen=True)
class Sources:
    """What is known about a network before it reads anything.

    Attributes:
        network: What the network is.
        classes: The number of classes that its graph shows; None if it doesn't read.
        stage: The fields of its stage in a manifest, as the settings state them.
        listed: Its characters in the order of their classes, without the space that may follow.
        dictionary: The file that lists them.
        space: Whether a class for the space follows them; None while no source has said so and
            the number of classes has yet to decide.
        space_assumed: Whether only the number of classes has decided about the space.
        contradictions: Where sources contradict each other or the graph: what is wrong and, after
            a colon, what to do.
    """

    network: Network
    classes: int | None
    stage: dict[str, Any]
    listed: list[str] | None = None
    dictionary: Path | None = None
    space: bool | None = False
    space_assumed: bool = False
    contradictions: list[str] = field(default_factory=list)

    @property
    def charset(self) -> dict[str, Any]:
        """The `charset` fields of a stage for the network's classes.

        If the graph doesn't show how many there are, they are those of the listed characters.
        """
        if self.classes is None and self.listed is not None:
            family = FAMILIES[self.network.algorithm]
            return family.charset(len(self.listed) + bool(self.space))
        return charset(self.network.algorithm, self.classes or self.network.classes or 2)

    def symbols(self) -> tuple[str, ...]:
        """Return the character of each class of the network, "" where there is none."""
        fields, listed = self.charset, self.listed or []
        given = [fields.get(name) for name in dictionary.SPECIAL]
        special = [number for number in given if number is not None] + fields.get("ignored", [])
        whole = [*listed, " "] if self.space else listed
        ordered = families.characters(self.network.algorithm, whole)
        return characters.symbols(ordered, special, fields["classes"])

    def recognition(self) -> Recognition:
        """Return the stage of a recognition network.

        Raises:
            ModelFormatError: The settings are incomplete.
        """
        fields = {**self.stage, "charset": self.charset}
        made = stage_of("recognition", self.network.name, self.network.algorithm, fields)
        assert isinstance(made, Recognition)
        return made


def charset(algorithm: Algorithm, classes: int) -> dict[str, Any]:
    """Return the `charset` fields of a stage whose network has this number of classes in all."""
    family = FAMILIES[algorithm]
    return family.charset(max(classes - family.charset(0)["classes"], 1))


def read(
    folder: Path,
    model: PaddleModel,
    interface: Interface,
    catalog: Catalog,
    *,
    algorithm: Algorithm | None = None,
    ignore_settings: bool = False,
    given: Path | None = None,
) -> Sources | None:
    """Find out what a network is, also where its sources contradict each other.

    The first source that can be read counts: the entry of models.toml that has these files, the
    folder's inference.yml, what the user says, the graph itself. `converters.model.known` uses the
    same order but raises an error at the first contradiction.

    Args:
        folder: The folder.
        model: Its files.
        interface: The plain graph's interface.
        catalog: What models.toml says.
        algorithm: The algorithm that the user names.
        ignore_settings: Whether to leave out the folder's inference.yml.
        given: The user's dictionary, which replaces the folder's own.

    Returns:
        What is known; None if no source says what the network is.

    Raises:
        ModelFormatError: The user's dictionary, or the one that models.toml names, can't be used.
    """
    name = network.name_of(folder)
    wrong: list[str] = []
    found: Sources | None = None
    if (entry := network.find_entry(catalog, model)) is not None:
        found = _of_entry(entry, folder, model)
    elif model.settings is not None and not ignore_settings:
        try:
            own = inference_yml.read(model.settings)
        except ModelFormatError as error:
            wrong.append(f"{error}: correct the file, or convert with --ignore-yml")
        else:
            found = _of_settings(name, own, model.settings)
    if found is None:
        known = _of_graph(name, interface, algorithm)
        if known is None:
            return None
        found = Sources(known, None, default_stage(known, interface))
    shapes = interfaces.shapes(interface)
    if (why := interfaces.misfit(found.network.algorithm, *shapes)) is not None:
        wrong.append(f"{why}: {_other_algorithm(found)}")
    else:
        classes = interfaces.classes(found.network.algorithm, shapes[1])
        found = replace(found, classes=classes)
    if found.space is None and found.listed is not None:
        fits = _fits_with_space(found, found.listed)
        found = replace(found, space=fits, space_assumed=fits)
    if given is not None and found.network.task in READING:
        found = with_dictionary(found, given)
    wrong += _contradictions(found, interface)
    return replace(_with_sizes(found, interface), contradictions=wrong)


def _of_entry(entry: Entry, folder: Path, model: PaddleModel) -> Sources:
    whole = settings.resolve(entry, folder, counted=False)
    known = network.of_entry(whole, model, network.BY_HASH)
    found = Sources(known, known.classes, dict(whole.stage))
    source = whole.charset
    if source is None or not (folder / source.file).is_file():
        return found
    listed = dictionary.characters(folder, replace(source, space=False))
    return replace(found, listed=listed, dictionary=folder / source.file, space=source.space)


def _of_graph(name: str, interface: Interface, algorithm: Algorithm | None) -> Network | None:
    if algorithm is not None:
        return network.of_algorithm(name, algorithm, USER)
    return shown(name, interface, NOTHING_SAID, [])


def _with_sizes(found: Sources, interface: Interface) -> Sources:
    """Return what is known with the sizes that the graph fixes."""
    height, width = interface.image.shape[2:]
    stage = dict(found.stage)
    if found.network.task == "recognition":
        if height is not None:
            stage["height"] = height
        if width is not None:
            stage |= {"width": width, "max_width": width, "min_width": width}
    return replace(found, stage=stage)


def with_dictionary(found: Sources, path: Path) -> Sources:
    """Return what is known with the characters of another file.

    Raises:
        ModelFormatError: The file can't be used.
    """
    listed = characters_of(path)
    space = _fits_with_space(found, listed)
    return replace(found, listed=listed, dictionary=path, space=space, space_assumed=space)


def _fits_with_space(found: Sources, listed: list[str]) -> bool:
    fitting = FAMILIES[found.network.algorithm].charset(len(listed) + 1)["classes"]
    return bool(found.classes == fitting)


def characters_of(path: Path) -> list[str]:
    """Read the characters of a dictionary, or of an inference.yml.

    Raises:
        ModelFormatError: The file can't be used.
    """
    return dictionary.characters(path.parent, CharsetSource(path.name, space=False))


def default_stage(known: Network, interface: Interface) -> dict[str, Any]:
    """Return the usual settings for a network of which only the graph is known."""
    if known.task != "recognition":
        return {}
    height, width = interface.image.shape[2:]
    usual: dict[str, Any] = {
        "height": height or 48,
        "min_width": width or 320,
        "max_width": width or line_resizing.MAX_WIDTH,
    }
    usual |= {"margin": 0, "padding": line_resizing.PADDING, "multiple": 8}
    usual["minimum_score"] = line_resizing.MINIMUM_SCORE
    return usual if width is None else {**usual, "width": width}


def _of_settings(name: str, own: ModelSettings, path: Path) -> Sources:
    known = network.of_settings(name, own)
    listed = own.characters
    if listed is None and own.task in READING:
        listed = inference_yml.ALPHANUMERIC
    space = own.charset is not None and own.charset.space
    found = Sources(known, known.classes, dict(own.stage), listed, path, space)
    # Without a word about the space, the network's classes decide, as in a conversion.
    return replace(found, space=None) if own.space_stated is None and listed is not None else found


def _other_algorithm(found: Sources) -> str:
    """Return what to do if a network has another algorithm than its source says."""
    if found.network.is_of_catalog:
        return "correct its entry in models.toml"
    if found.network.known_by.startswith(USER):
        return f"it has another algorithm than {found.network.algorithm}; name that one"
    return "correct PostProcess.name in inference.yml, or pass --ignore-yml and --algorithm"


def _contradictions(found: Sources, interface: Interface) -> list[str]:
    """Compare what the settings state with what the graph shows."""
    wrong = []
    for what, place in (("height", 2), ("width", 3)):
        stated, fixed = found.stage.get(what), interface.image.shape[place]
        if stated is not None and fixed is not None and stated != fixed:
            wrong.append(
                f"{found.network.known_by} says that the input is {stated} pixels in {what}, but "
                f"the graph takes {fixed}: set RecResizeImg.image_shape in inference.yml to what "
                "the network was exported with"
            )
    channels = interface.image.shape[1]
    colours = 1 if found.network.normalize.colour == "GREY" else 3
    if channels not in (colours, None):
        reads = found.network.task == "recognition"
        shape = f", and the first number of RecResizeImg.image_shape to {channels}" if reads else ""
        wrong.append(
            f"{found.network.known_by} says that pictures have {colours} "
            f"channel{'s' if colours > 1 else ''}, but the graph takes {channels}: set "
            f"DecodeImage.img_mode in inference.yml to {'GRAY' if channels == 1 else 'BGR'}{shape}"
        )
    return wrong


def kind(found: Sources) -> Kind:
    """Describe the kind of network."""
    known = found.network
    return Kind(known.name, known.task, known.algorithm, known.known_by, found.classes)


def listed(found: Sources) -> Listed | None:
    """Describe the network's characters; None if none are known."""
    if found.listed is None or found.dictionary is None:
        return None
    own = FAMILIES[found.network.algorithm].charset(len(found.listed) + bool(found.space))
    return characters.listed(
        found.dictionary,
        found.listed,
        own,
        bool(found.space),
        space_assumed=found.space_assumed,
    )


def seen(found: Sources, interface: Interface) -> Seen:
    """Describe how the network sees a picture."""
    known, stage = found.network, found.stage
    shape = [str(size or "?") for size in interface.image.shape]
    return Seen(
        known.normalize.colour,
        normalization(known.normalize),
        known.known_by,
        " x ".join(shape),
        (known.height, known.width),
        rule(stage),
        stage.get("multiple", known.multiple),
    )


def normalization(normalize: Normalize) -> str:
    """Say in words how an input is computed from pixels."""
    mean, std = (
        f"{values[0]:g}" if len(set(values)) == 1 else str([round(each, 4) for each in values])
        for values in (normalize.mean, normalize.std)
    )
    scale = "/ 255" if abs(normalize.scale - 1 / 255) < 1e-9 else f"x {normalize.scale:g}"
    return f"(pixel {scale} - {mean}) / {std}"


def rule(stage: Mapping[str, Any]) -> str:
    """Say in words how a picture is brought to the size of a network's input."""
    if "resize" in stage:
        resize = stage["resize"]
        bound = {
            "min": "the short side at least",
            "max": "the long side at most",
            "long": "the long side to",
            "short": "the short side to",
            "height": "the height at most",
        }
        words = bound.get(resize.get("limit"), "resized to")
        return (
            f"{words} {resize.get('limit_side')} pixels, at most {resize.get('max_pixels')} in all"
        )
    if stage.get("stretch") or stage.get("stretch_widths"):
        return f"stretched to {stage.get('stretch_widths') or stage.get('width')} pixels of width"
    if stage.get("width"):
        return f"keeps its proportions, padded to {stage['width']} pixels of width"
    if "height" not in stage:
        return "unknown"
    least, most = stage.get("min_width"), stage.get("max_width")
    return f"keeps its proportions, padded to {least} pixels of width, up to {most}"


def folder(model: PaddleModel, translation: Translation | None) -> Folder:
    """Describe the files of a model."""
    return Folder(
        str(model.graph.parent),
        model.format,
        {path.name: path.stat().st_size for path in model.described},
        written_by(model),
        {} if translation is None else translation.operators,
    )


def written_by(model: PaddleModel) -> str | None:
    """Return the program that wrote a network, None if the file doesn't state it.

    Raises:
        ModelFormatError: The file isn't a Paddle program.
    """
    if model.format == "paddle-legacy":
        number = int(parse(model.graph).version.version)
        parts = (number // 1_000_000, number // 1000 % 1000, number % 1000)
        return f"Paddle {'.'.join(map(str, parts))}" if number else None
    if model.format == "paddle-pir":
        with model.graph.open("rb") as stream:
            version = re.search(rb'"version"\s*:\s*(\d+)', stream.read(400))
        return f"Paddle 3 or later, PIR version {version[1].decode()}" if version else None
    import onnx

    loaded = onnx.load(model.graph, load_external_data=False)
    return " ".join(filter(None, (loaded.producer_name, loaded.producer_version))) or None
