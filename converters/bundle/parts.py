"""The models that a bundle is made of: for each stage one of models.toml, or one in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgeocr.bundle.manifest import Recognition
from edgeocr.bundle.provenance import SourceFile

from ..catalog.entries import READING, Algorithm, Catalog, CharsetSource, Entry, Task
from ..catalog.fetch import Fetcher, model_folder, sha256
from ..convert import Conversion, convert
from ..errors import ConverterError, ModelFormatError
from ..model import dictionary as dictionaries
from ..model import families, known, network
from ..model.declaration import declaration
from ..model.dictionary import Dictionary
from ..model.known import Statement
from ..model.paddle_model import PaddleModel, identify
from ..model.settings import require_inference, resolve
from ..model.stages import Stage, stage_of
from ..paddle.declared import Declaration
from .shapes import with_shapes

# What a bundle records as author and licence of weights whose folder doesn't state them.
UNSTATED = "not stated"


@dataclass(frozen=True)
class Part:
    """A converted model with what a manifest says about it.

    Attributes:
        task: The stage that the model is for.
        name: The model's name.
        title: The model's name for people.
        authors: Who made the model.
        licence: The SPDX identifier of its licence, None where nobody has stated one.
        files: The files that it was converted from.
        stage: The stage with its sets of input shapes.
        characters: The characters of a network that reads, in class order; None for others.
        conversion: The converted graphs.
    """

    task: Task
    name: str
    title: str
    authors: str
    licence: str | None
    files: list[SourceFile]
    stage: Stage
    characters: list[str] | None
    conversion: Conversion


def part(
    source: str,
    task: Task,
    catalog: Catalog,
    fetcher: Fetcher,
    dictionary: Dictionary | None = None,
) -> Part:
    """Find, fetch and convert the model of a stage.

    Args:
        source: NAME of models.toml; a folder with a network and its inference.yml; or NAME=FOLDER
            for a folder with an export of that model.
        task: The stage.
        catalog: What models.toml says.
        fetcher: Fetches a model's files.
        dictionary: The characters that a network which reads was trained with, where they aren't
            those of models.toml or of its inference.yml.

    Raises:
        ConverterError: There is no such model, or it is for another stage.
    """
    said = Statement(dictionary=dictionary if task in READING else None)
    if (named := _named(source, catalog)) is not None:
        entry, folder = named
        return _of_entry(entry, task, catalog, fetcher, folder, said)
    model = identify(Path(source))
    found = network.find_entry(catalog, model)
    if found is not None:
        return _of_entry(found, task, catalog, fetcher, Path(source), said)
    return _of_folder(Path(source), model, task, catalog, said)


def check(source: str, task: Task, catalog: Catalog) -> Entry | None:
    """Return the entry that a source names, None for a folder without a name before it.

    Raises:
        ConverterError: `part` would refuse the source whatever the model's files hold.
    """
    if (named := _named(source, catalog)) is None:
        identify(Path(source))
        return None
    entry, folder = named
    _require_task(entry.name, entry.task, task)
    if folder is None:
        require_inference(entry)
    else:
        identify(folder)
    return entry


def _named(source: str, catalog: Catalog) -> tuple[Entry, Path | None] | None:
    """Return the entry and folder of NAME or NAME=FOLDER, None where it is a path."""
    name, separator, folder = source.partition("=")
    if source not in catalog and (Path(source).exists() or Path(name).name != name):
        return None
    return catalog.model(name), Path(folder) if separator else None


def _of_entry(
    entry: Entry,
    task: Task,
    catalog: Catalog,
    fetcher: Fetcher,
    folder: Path | None,
    said: Statement,
) -> Part:
    _require_task(entry.name, entry.task, task)
    if folder is None:
        require_inference(entry)
    if folder is None and entry.contents == "inference":
        files = entry.files
        folder = fetcher.fetch(entry)
        sources = [SourceFile(f.name, f.source, fetcher.sha256(entry, f)) for f in files]
    else:
        folder = folder or model_folder(entry)
        model = identify(folder)
        _require_any_size(folder, task, declaration(model))
        sources = _local_files(model)
    with_dictionary = folder
    own = said.dictionary
    if own is None and entry.charset is not None and not (folder / entry.charset.file).is_file():
        listed = [file for file in entry.files if file.name == entry.charset.file]
        with_dictionary = fetcher.fetch(replace(entry, files=listed))
        sources += [SourceFile(f.name, f.source, fetcher.sha256(entry, f)) for f in listed]
    if own is None:
        entry = resolve(entry, folder)
    else:
        entry = known.resolved(entry, folder, declaration(identify(folder)), own, [])
        sources.append(_local_file(own.path))
    conversion = convert(folder, catalog, entry=entry, said=said)
    return Part(
        task,
        entry.name,
        entry.title,
        entry.authors,
        entry.licence,
        sources,
        _stage(entry.name, entry.stage, conversion),
        _characters(with_dictionary, entry.algorithm, entry.charset),
        conversion,
    )


def _of_folder(
    folder: Path, model: PaddleModel, task: Task, catalog: Catalog, said: Statement
) -> Part:
    if model.settings is None:
        raise ModelFormatError(
            f"{folder}: there is no inference.yml beside {model.graph.name}, which would say how "
            "to prepare the network's input and read its output. Write NAME=FOLDER with the model "
            "of models.toml that this is an export of"
        )
    declared = declaration(model)
    settings = known.own_settings(model.settings, declared, said.dictionary, [])
    _require_task(str(folder), settings.task, task)
    _require_any_size(folder, task, declared)
    name = settings.model or network.name_of(folder)
    if settings.task in READING and settings.charset is None:
        raise ModelFormatError(
            f"{model.settings}: PostProcess.character_dict is missing; name the dictionary that "
            "the network was trained with: --dictionary FILE"
        )
    conversion = convert(folder, catalog, said=said)
    return Part(
        task,
        name,
        name,
        UNSTATED,
        None,
        [*_local_files(model), _local_file(model.settings), *_dictionaries(said)],
        _stage(name, settings.stage, conversion),
        _characters(folder, settings.algorithm, settings.charset),
        conversion,
    )


def _require_task(name: str, found: Task, wanted: Task) -> None:
    if found != wanted:
        raise ConverterError(f"{name} is a {found} model, it can't be the {wanted} stage")


def _require_any_size(folder: Path, task: Task, declared: Declaration) -> None:
    if (why := network.fixed_shape(task, declared)) is not None:
        raise ModelFormatError(f"{folder}: {why}")


def _local_files(model: PaddleModel) -> list[SourceFile]:
    return [_local_file(path) for path in model.files]


def _local_file(path: Path) -> SourceFile:
    """Describe a file of this machine, without its folder, which means nothing elsewhere."""
    return SourceFile(path.name, f"a local file, {path.name}", sha256(path))


def _dictionaries(said: Statement) -> list[SourceFile]:
    return [] if said.dictionary is None else [_local_file(said.dictionary.path)]


def _characters(
    folder: Path, algorithm: Algorithm, source: CharsetSource | None
) -> list[str] | None:
    if source is None:
        return None
    return families.characters(algorithm, dictionaries.characters(folder, source))


def _stage(name: str, settings: Mapping[str, Any], conversion: Conversion) -> Stage:
    """Return a stage with its sets of input shapes, where sizes that the graph fixes are kept."""
    known = conversion.network
    stage = stage_of(known.task, name, known.algorithm, settings)
    batch, _, _, width = conversion.interface.image.shape
    if isinstance(stage, Recognition) and batch is not None:
        stage = replace(stage, batches=[batch])
    if isinstance(stage, Recognition) and width is not None and stage.width is None:
        stage = replace(stage, width=width, max_width=width)
    return with_shapes(stage)
