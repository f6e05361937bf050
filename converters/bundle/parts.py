"""What a bundle is frozen of: for each stage a model of the catalogue, or one in a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgeocr.bundle.provenance import SourceFile

from ..catalog.entries import READING, Catalog, CharsetSource, Entry, Task
from ..catalog.fetch import Fetcher, model_folder, sha256
from ..convert import Conversion, convert
from ..errors import ConverterError, ModelFormatError
from ..model import dictionary as charset
from ..model import inference_yml, network
from ..model.paddle_model import PaddleModel, identify
from ..model.settings import require_inference, resolve
from .shapes import with_shapes

# What a bundle says of weights whose folder doesn't say it.
UNSTATED = "not stated"


@dataclass(frozen=True)
class Part:
    """A converted model with what a manifest says of it.

    stage: the stage's fields, but for the names of files in the bundle.
    characters: those of a network that reads, in class order.
    licence: None where nobody has stated one.
    """

    task: Task
    name: str
    title: str
    authors: str
    licence: str | None
    files: list[SourceFile]
    stage: dict[str, Any]
    characters: list[str] | None
    conversion: Conversion


def part(
    source: str, task: Task, catalog: Catalog, fetcher: Fetcher, say: Callable[[str], None]
) -> Part:
    """Find, fetch and convert the model of a stage.

    source: NAME of the catalogue, a folder with a network and its inference.yml, or NAME=FOLDER: a
        folder with an export of that model.

    Raises `ConverterError` when there is nothing of that name, or something for another task.
    """
    if (named := _named(source, catalog)) is not None:
        entry, folder = named
        return _of_entry(entry, task, catalog, fetcher, say, folder)
    model = identify(Path(source))
    found = network.find_entry(catalog, model)
    if found is not None:
        return _of_entry(found, task, catalog, fetcher, say, Path(source))
    return _of_folder(Path(source), model, task, catalog, say)


def check(source: str, task: Task, catalog: Catalog) -> Entry | None:
    """The entry that a source names, None for a folder without a name before it.

    Raises `ConverterError` for what `part` refuses whatever the model's files hold.
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
    """The entry and the folder of NAME or NAME=FOLDER, None where a source is a folder."""
    if source not in catalog and Path(source).is_dir():
        return None
    name, separator, folder = source.partition("=")
    return catalog.model(name), Path(folder) if separator else None


def _of_entry(
    entry: Entry,
    task: Task,
    catalog: Catalog,
    fetcher: Fetcher,
    say: Callable[[str], None],
    folder: Path | None = None,
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
        sources = _local_files(identify(folder))
    dictionary = folder
    if entry.charset is not None and not (folder / entry.charset.file).is_file():
        listed = [file for file in entry.files if file.name == entry.charset.file]
        dictionary = fetcher.fetch(replace(entry, files=listed))
        sources += [SourceFile(f.name, f.source, fetcher.sha256(entry, f)) for f in listed]
    entry = resolve(entry, folder)
    conversion = convert(folder, catalog, say, entry=entry)
    characters = _characters(dictionary, entry.charset)
    return Part(
        task,
        entry.name,
        entry.title,
        entry.authors,
        entry.licence,
        sources,
        _completed(entry.stage, conversion),
        characters,
        conversion,
    )


def _of_folder(
    folder: Path, model: PaddleModel, task: Task, catalog: Catalog, say: Callable[[str], None]
) -> Part:
    if model.settings is None:
        raise ModelFormatError(
            f"{folder}: no inference.yml beside {model.graph.name}, so nothing says how to prepare "
            "its input and read its output. Write NAME=FOLDER with the model of models.toml that "
            "this is an export of"
        )
    settings = inference_yml.read(model.settings)
    _require_task(str(folder), settings.task, task)
    name = settings.model or network.name_of(folder)
    source = settings.charset
    if settings.task in READING and source is None:
        raise ModelFormatError(f"{model.settings}: no PostProcess.character_dict in it")
    conversion = convert(folder, catalog, say)
    if conversion.notes:  # the settings contradict the graph
        raise ModelFormatError(f"{folder}: {'; '.join(conversion.notes)}")
    files = [*_local_files(model), SourceFile(*_local(model.settings))]
    return Part(
        task,
        name,
        name,
        UNSTATED,
        None,
        files,
        _completed(settings.stage, conversion),
        _characters(folder, source),
        conversion,
    )


def _require_task(name: str, found: Task, wanted: Task) -> None:
    if found != wanted:
        raise ConverterError(f"{name} is a {found} model, it can't be the {wanted} stage")


def _local_files(model: PaddleModel) -> list[SourceFile]:
    return [SourceFile(*_local(path)) for path in model.files]


def _local(path: Path) -> tuple[str, str, str]:
    """Without its folder, which says nothing on another machine."""
    return path.name, f"a local file, {path.name}", sha256(path)


def _characters(folder: Path, source: CharsetSource | None) -> list[str] | None:
    return None if source is None else charset.characters(folder, source)


def _completed(stage: dict[str, Any], conversion: Conversion) -> dict[str, Any]:
    """The stage with the width that a recognition network is fixed to by its graph, and with its
    sets of input shapes.
    """
    task, width = conversion.network.task, conversion.signature.image.shape[3]
    if task == "recognition" and width is not None and "width" not in stage:
        stage = {**stage, "width": width, "max_width": width}
    return with_shapes(task, stage)
