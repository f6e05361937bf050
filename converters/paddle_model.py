"""What a model folder holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .errors import ModelFormatError

LEGACY_PAIRS = (
    ("inference.pdmodel", "inference.pdiparams"),
    ("model", "params"),
    ("__model__", "__params__"),
)


@dataclass(frozen=True)
class PaddleModel:
    """A model on disk: Paddle's legacy program and parameters, or a plain ONNX graph."""

    format: Literal["paddle-legacy", "onnx"]
    graph: Path
    parameters: Path | None = None


def identify(folder: Path) -> PaddleModel:
    """Find the model in a folder; raises `ModelFormatError` that says what was looked for."""
    if not folder.is_dir():
        raise ModelFormatError(f"{folder}: no such folder, and no model of that name")
    for graph, parameters in LEGACY_PAIRS:
        if (folder / graph).is_file():
            if not (folder / parameters).is_file():
                raise ModelFormatError(f"{folder}: {graph} is here, its {parameters} is missing")
            return PaddleModel("paddle-legacy", folder / graph, folder / parameters)
    if (folder / "inference.onnx").is_file():
        return PaddleModel("onnx", folder / "inference.onnx")
    if (folder / "inference.json").is_file():
        raise ModelFormatError(
            f"{folder}: inference.json is Paddle's PIR format, which this version doesn't "
            "translate; use the model's ONNX export or its legacy format"
        )
    names = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
    wanted = ", ".join(" + ".join(pair) for pair in LEGACY_PAIRS)
    raise ModelFormatError(
        f"{folder}: no model here, only {names}. Looked for {wanted}, or inference.onnx"
    )
