"""Find out what a network is before it is translated, and refuse what contradicts it.

The sources are, in this order: what the user says, models.toml, and the folder's inference.yml.
If none of them says what the network is, its graph may show it after the translation; see
`interfaces.certain`. A source that is wrong is an error: none is silently ignored.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..catalog.entries import (
    READING,
    SETTINGS,
    TASKS,
    Algorithm,
    Catalog,
    CharsetSource,
    Entry,
)
from ..errors import ConverterError, ModelFormatError
from ..graph.interface import Interface
from ..paddle.declared import Declaration
from . import dictionary, inference_yml, interfaces, network, settings
from .dictionary import Dictionary
from .families import FAMILIES
from .inference_yml import ModelSettings
from .network import Network
from .paddle_model import PaddleModel

BY_DICTIONARY = (
    "--charset FILE (of freeze: --dictionary FILE) names the dictionary that the network was "
    "trained with"
)

# How many unusual things about a dictionary an error adds.
REASONS = 2


@dataclass(frozen=True)
class Statement:
    """What the user says about a model beyond its files."""

    algorithm: Algorithm | None = None
    """The algorithm, where no other source has it."""
    dictionary: Dictionary | None = None
    """The characters, where the model's own inference.yml has none or others."""
    ignore_settings: bool = False
    """Whether to leave out the model's own inference.yml."""


NOTHING_SAID = Statement()


def known(
    folder: Path,
    model: PaddleModel,
    declared: Declaration,
    catalog: Catalog,
    entry: Entry | None = None,
    said: Statement = NOTHING_SAID,
) -> tuple[Network | None, list[str]]:
    """Find out what a network is, and check that its sources agree with its files.

    Args:
        folder: The model's folder.
        model: The model's files.
        declared: What the files declare.
        catalog: What models.toml says.
        entry: The entry of models.toml that the model is an export of, if the user names one.
        said: What else the user says.

    Returns:
        The network, or None if only its graph can show what it is; and notes on what is unusual
        about a dictionary.

    Raises:
        ConverterError: A source can't be used or contradicts the network; the message says how to
            go on.
    """
    notes: list[str] = []
    by = network.BY_NAME
    if entry is None:
        entry, by = network.find_entry(catalog, model), network.BY_HASH
    if entry is not None:
        _require_same(said.algorithm, entry.algorithm, f"models.toml says of {entry.name}", "")
        entry = resolved(entry, folder, declared, said.dictionary, notes)
        found = network.of_entry(entry, model, by)
        network.check_fits(found, declared)
        return found, notes
    name = network.name_of(folder)
    if model.settings is not None and not said.ignore_settings:
        own = own_settings(model.settings, declared, said.dictionary, notes)
        without = ", or leave out the file with --ignore-yml"
        _require_same(said.algorithm, own.algorithm, f"{model.settings} says", without)
        found = network.of_settings(name, own)
        try:
            network.check_fits(found, declared)
        except ModelFormatError as error:
            raise ModelFormatError(
                f"{error}. Correct {model.settings}; --ignore-yml converts without it"
            ) from None
        return found, notes
    algorithm = said.algorithm
    if algorithm is not None:
        found = network.of_algorithm(name, algorithm, "--algorithm")
        network.check_fits(found, declared)
        if said.dictionary is not None:
            found = dataclasses.replace(
                found, classes=_classes(algorithm, declared, said.dictionary, notes)
            )
        return found, notes
    return None, notes


def shown(name: str, interface: Interface, said: Statement, notes: list[str]) -> Network | None:
    """Return the network that a graph is without doubt; None if it shows no certain sign.

    Args:
        name: The network's name.
        interface: The plain graph's interface.
        said: What the user says.
        notes: What is unusual about the user's dictionary is added to these.

    Raises:
        ModelFormatError: The user's dictionary doesn't fit the network.
    """
    certain = interfaces.certain(interface)
    if certain is None:
        return None
    algorithm, sign = certain
    number = None
    if said.dictionary is not None:
        inputs, outputs = interfaces.shapes(interface)
        number = _classes(algorithm, Declaration(inputs, outputs), said.dictionary, notes)
    return network.of_algorithm(name, algorithm, f"its graph: {sign}", number)


def check_signs(found: Network, interface: Interface) -> None:
    """Check that a graph shows no certain sign of another algorithm than the stated one.

    Args:
        found: What is known about the network.
        interface: The plain graph's interface.

    Raises:
        ModelFormatError: The graph is without doubt for another algorithm.
    """
    certain = interfaces.certain(interface)
    if certain is not None and certain[0] != found.algorithm:
        algorithm, sign = certain
        raise ModelFormatError(
            f"{found.name}: {found.source} says {found.algorithm}, but the graph is one for "
            f"{algorithm}: {sign}. Correct what says {found.algorithm}, or leave it out"
        )


def own_settings(
    path: Path, declared: Declaration, said: Dictionary | None, notes: list[str]
) -> ModelSettings:
    """Read a model's own inference.yml and check it against what its files declare.

    Args:
        path: The inference.yml.
        declared: What the model's files declare.
        said: The user's dictionary, which replaces the characters of the file; None to use these.
        notes: What is unusual about the dictionary is added to these.

    Raises:
        ModelFormatError: The file can't be used or contradicts the network.
    """
    without = "--ignore-yml converts without this file"
    try:
        own = inference_yml.read(path)
    except ModelFormatError as error:
        raise ModelFormatError(f"{error}. Correct the file; {without}") from error
    why = interfaces.misfit(own.algorithm, declared.inputs, declared.outputs)
    if why is not None:
        raise ModelFormatError(f"{path} says {own.algorithm}; {why}. Correct the file; {without}")
    if own.task not in READING:
        if said is not None:
            raise _no_characters(own.algorithm)
        labels, shown = own.stage.get("degrees"), declared.outputs[0][-1]
        if labels is not None and shown not in (len(labels), None):
            raise ModelFormatError(
                f"{path}: PostProcess.label_list has {len(labels)} labels, but the network has "
                f"{shown} classes. Correct the file; {without}"
            )
        return own
    number = interfaces.classes(own.algorithm, declared.outputs)
    if said is not None:
        listed, source = _said(said, own.algorithm, number, notes, own.space_stated)
        return with_characters(own, listed, source)
    if own.characters is None or own.charset is None:
        listed = inference_yml.ALPHANUMERIC
        what = f"{path} has no character_dict, and PaddleOCR's own list of digits and letters"
    else:
        listed, what = own.characters, f"{path}: PostProcess.character_dict"
    advice = f"{BY_DICTIONARY}; {without}"
    try:
        stated = own.space_stated
        space = dictionary.has_space(what, len(listed), own.algorithm, number, stated)
    except ModelFormatError as error:
        raise ModelFormatError(f"{error}. {advice}") from None
    if own.charset is None and number is None:  # nothing shows whether PaddleOCR's list fits
        return own
    if own.charset is None:
        taken = f"digits and small letters{' and the space' if space else ''}"
        notes.append(f"{path} has no character_dict: {taken} are read; {BY_DICTIONARY}")
    return with_characters(own, listed, CharsetSource(SETTINGS, space))


def with_characters(own: ModelSettings, listed: list[str], source: CharsetSource) -> ModelSettings:
    """Return settings with other characters.

    Args:
        own: The settings.
        listed: The characters, without the space that `source` adds.
        source: Where they are listed.
    """
    stage = _with_charset(own.stage, own.algorithm, listed, source)
    return dataclasses.replace(own, stage=stage, charset=source, characters=listed)


def resolved(
    entry: Entry, folder: Path, declared: Declaration, said: Dictionary | None, notes: list[str]
) -> Entry:
    """Complete an entry of models.toml with the model's inference.yml and the user's dictionary.

    Args:
        entry: The entry.
        folder: The model's folder.
        declared: What the model's files declare.
        said: The user's dictionary, which replaces that of the entry; None to use the entry's.
        notes: What is unusual about the dictionary is added to these.

    Raises:
        ModelFormatError: The sources contradict each other or the network.
    """
    if said is None:
        return settings.resolve(entry, folder)
    if entry.task not in READING:
        raise _no_characters(entry.algorithm)
    number = interfaces.classes(entry.algorithm, declared.outputs)
    listed, source = _said(said, entry.algorithm, number, notes)
    own = settings.resolve(dataclasses.replace(entry, charset=source), folder, counted=False)
    stage = _with_charset(own.stage, entry.algorithm, listed, source)
    return dataclasses.replace(own, stage=stage, charset=source)


def _with_charset(
    stage: dict[str, Any], algorithm: Algorithm, listed: list[str], source: CharsetSource
) -> dict[str, Any]:
    """Return the fields of a stage with those that follow from other characters replaced."""
    kept = {name: value for name, value in stage.items() if name != "visual_order"}
    charset = FAMILIES[algorithm].charset(len(listed) + source.space)
    return {**kept, "charset": charset, **inference_yml.visual_order(algorithm, listed)}


def _said(
    said: Dictionary,
    algorithm: Algorithm,
    classes: int | None,
    notes: list[str],
    own_space: bool | None = None,
) -> tuple[list[str], CharsetSource]:
    """Read the user's dictionary; return its characters, and the source that says so.

    `own_space` is what the model's own inference.yml says about a class for the space.
    """
    path = said.path.absolute()
    listed = dictionary.characters(path.parent, CharsetSource(path.name, space=False))
    unusual = dictionary.oddities(said.path, listed)
    stated = own_space if said.space is None else said.space
    try:
        space = dictionary.has_space(f"{said.path}", len(listed), algorithm, classes, stated)
    except ModelFormatError as error:
        reasons = unusual[:REASONS]  # an empty line at the end, for example
        if said.space is None and stated is not None:
            reasons.append(
                f"{SETTINGS} says use_space_char: {f'{stated}'.lower()}; --space or --no-space "
                "takes its place"
            )
        raise ModelFormatError(". ".join([f"{error}", *reasons])) from None
    notes += unusual
    if space and stated is None:
        notes.append(
            f"{said.path}: the last class is taken for the space, which makes the numbers of "
            "characters and classes fit. If the network was trained without use_space_char, the "
            "dictionary lacks a line. --space or --no-space states what is true"
        )
    return listed, CharsetSource(str(path), space)


def _classes(
    algorithm: Algorithm, declared: Declaration, said: Dictionary, notes: list[str]
) -> int:
    if TASKS[algorithm] not in READING:
        raise _no_characters(algorithm)
    number = interfaces.classes(algorithm, declared.outputs)
    listed, source = _said(said, algorithm, number, notes)
    counted: int = FAMILIES[algorithm].charset(len(listed) + source.space)["classes"]
    return counted


def _no_characters(algorithm: Algorithm) -> ConverterError:
    return ConverterError(
        f"--charset: a network for {algorithm} is for {TASKS[algorithm]} and has no characters; "
        "leave it out"
    )


def _require_same(said: Algorithm | None, stated: Algorithm, who: str, otherwise: str) -> None:
    if said not in (None, stated):
        raise ConverterError(
            f"--algorithm {said}: {who} {stated}; leave out --algorithm{otherwise}"
        )
