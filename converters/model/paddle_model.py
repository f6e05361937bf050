"""Find the model in a folder by the names of its files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import ModelFormatError

# The names that Paddle's own tools, PaddleOCR's releases and Paddle 1 ("fluid") give the two files.
LEGACY_PAIRS = (
    ("inference.pdmodel", "inference.pdiparams"),
    ("model", "params"),
    ("__model__", "__params__"),
)
# Files of these kinds beside a program are not its parameters.
OTHER_SUFFIXES = {".info", ".yml", ".yaml", ".json", ".txt", ".md", ".onnx", ".pdmodel"}

# How many of a file's first bytes an error quotes.
QUOTED_BYTES = 24


@dataclass(frozen=True)
class PaddleModel:
    """A model on disk: Paddle's program and parameters, or a plain ONNX graph."""

    format: Literal["paddle-legacy", "paddle-pir", "onnx"]
    graph: Path
    """The program or the ONNX graph."""
    parameters: Path | None = None
    """The parameters' file; None for ONNX, or if each parameter has a file beside the program."""
    settings: Path | None = None
    """The inference.yml beside the graph, if there is anything of that name."""

    @property
    def files(self) -> list[Path]:
        """The files that make up the network, without its settings."""
        return [path for path in (self.graph, self.parameters) if path is not None]

    @property
    def described(self) -> list[Path]:
        """The files that reports list: the network's, and that of its settings if there is one."""
        settings = self.settings
        return self.files + ([settings] if settings is not None and settings.is_file() else [])

    @property
    def unused_program(self) -> Path | None:
        """The same export's program in PIR, where the one in the legacy format is converted.

        The last export has written the parameters, so that they may belong to either.
        """
        other = self.graph.with_suffix(".json")
        legacy = self.format == "paddle-legacy" and self.graph.suffix == ".pdmodel"
        return other if legacy and other.is_file() and _is_pir(other) else None


def identify(folder: Path) -> PaddleModel:
    """Find the model in a folder.

    Raises:
        ModelFormatError: If there is none; the message says what was looked for.
    """
    if folder.is_file():
        raise ModelFormatError(
            f"{folder} is a file; name the folder that holds the model's files, or for convert an "
            "archive of it (.tar, .tar.gz, .tgz)"
        )
    if not folder.is_dir():
        raise ModelFormatError(f"{folder}: there is neither a folder nor a model of that name")
    settings = folder / "inference.yml"
    found = _find(folder)
    # What can't be read, such as a folder of that name, is an error where it is read: it must not
    # pass for a model without settings.
    return PaddleModel(*found, settings if os.path.lexists(settings) else None)


def below(folder: Path) -> Path:
    """Return the folder that holds a model: the given one, or the only one up to two levels below.

    Raises:
        ModelFormatError: No folder holds a model, or several do.
    """
    if holds_model(folder):
        return folder
    found = _holding(folder)
    if not found:
        identify(folder)  # says what is wrong
    if len(found) > 1:
        listed = ", ".join(path.relative_to(folder).as_posix() for path in found)
        raise ModelFormatError(f"{folder}: several models, in {listed}; keep one per archive")
    return found[0]


def _holding(folder: Path) -> list[Path]:
    """Return the folders up to two levels below a folder that hold a model."""
    return [
        path
        for pattern in ("*", "*/*")
        for path in sorted(folder.glob(pattern))
        if path.is_dir() and holds_model(path)
    ]


def holds_model(folder: Path) -> bool:
    """Tell whether a folder, which need not exist, holds a model."""
    try:
        identify(folder)
    except ModelFormatError:
        return False
    return True


def _find(
    folder: Path,
) -> tuple[Literal["paddle-legacy", "paddle-pir", "onnx"], Path, Path | None]:
    for program, parameters in LEGACY_PAIRS:
        if (folder / program).is_file() and (folder / parameters).is_file():
            return "paddle-legacy", folder / program, folder / parameters
    if graphs := _files(folder, "*.pdmodel"):
        return "paddle-legacy", *_chosen(graphs)
    if graphs := [path for path in _files(folder, "*.json") if _is_pir(path)]:
        return "paddle-pir", *_chosen(graphs)
    for name in ("__model__", "model"):
        if (folder / name).is_file():
            return "paddle-legacy", folder / name, _single_file(folder / name)
    graphs = _files(folder, "*.onnx")
    if (folder / "inference.onnx") in graphs or len(graphs) == 1:
        return "onnx", (graphs[0] if len(graphs) == 1 else folder / "inference.onnx"), None
    if graphs:
        raise _several(graphs)
    raise _nothing(folder)


def _files(folder: Path, pattern: str) -> list[Path]:
    """Return the files, but not the folders, whose names have a pattern."""
    return sorted(path for path in folder.glob(pattern) if path.is_file())


def _chosen(graphs: list[Path]) -> tuple[Path, Path]:
    """Choose the graph that has parameters; inference.* and model.* go before other names."""
    whole = [path for path in graphs if path.with_suffix(".pdiparams").is_file()]
    if not whole:
        folder, graph = graphs[0].parent, graphs[0]
        missing = graph.with_suffix(".pdiparams").name
        raise ModelFormatError(f"{folder}: {graph.name} is here, but its {missing} is missing")
    for stem in ("inference", "model"):
        whole = [path for path in whole if path.stem == stem] or whole
    if len(whole) > 1:
        raise _several(whole)
    return whole[0], whole[0].with_suffix(".pdiparams")


def _several(graphs: list[Path]) -> ModelFormatError:
    names = ", ".join(path.name for path in graphs)
    return ModelFormatError(f"{graphs[0].parent}: several models, {names}; keep one per folder")


def _single_file(program: Path) -> Path | None:
    """Return the only parameter file beside a program, or None if each parameter has its own."""
    others = [
        path
        for path in program.parent.iterdir()
        if path.is_file() and path != program and path.suffix not in OTHER_SUFFIXES
        if not path.name.startswith(".")
    ]
    if not others:
        raise ModelFormatError(
            f"{program.parent}: {program.name} is here, but its parameters are missing"
        )
    return others[0] if len(others) == 1 else None


def _is_pir(path: Path) -> bool:
    with path.open("rb") as stream:
        return b'"pir"' in stream.read(400).lower()


def _nothing(folder: Path) -> ModelFormatError:
    names = sorted(path.name for path in folder.iterdir())
    if not names:
        return ModelFormatError(f"{folder}: the folder is empty")
    for path in _files(folder, "*.json"):
        if path.with_suffix(".pdiparams").is_file():
            return _no_program(path)
    if any(name.endswith(".pdparams") for name in names):
        return ModelFormatError(
            f"{folder} holds a training checkpoint (.pdparams), which has weights but no network. "
            "Export it with PaddleOCR's tools/export_model.py and convert the folder that it writes"
        )
    if found := _holding(folder):
        listed = " or ".join(str(path) for path in found)
        return ModelFormatError(f"{folder}: no model in the folder itself; convert {listed}")
    wanted = ", ".join(" + ".join(pair) for pair in LEGACY_PAIRS)
    return ModelFormatError(
        f"{folder}: no model here; the folder holds {', '.join(names[:8])}. Looked "
        f"for {wanted}, NAME.pdmodel + NAME.pdiparams, NAME.json + NAME.pdiparams, __model__ with "
        "a file for each parameter, and NAME.onnx"
    )


def _no_program(path: Path) -> ModelFormatError:
    """Say what the file is that should be a PIR program."""
    with path.open("rb") as stream:
        begin = stream.read(QUOTED_BYTES)
    if not begin:
        return ModelFormatError(f"{path} is empty (0 bytes): fetch or export it again")
    return ModelFormatError(
        f"{path}: not a PIR program: it begins with {begin!r}; fetch or export it again"
    )
