"""Model folders → plain ONNX graphs; one file per translator."""

from __future__ import annotations

from pathlib import Path

from ..paddle_model import identify
from . import paddle2onnx_legacy


def translate(folder: Path) -> tuple[bytes, str]:
    """The plain graph of the model in `folder`, and the translator's name and version.

    Raises `ModelFormatError` or `TranslationError`.
    """
    model = identify(folder)
    if model.format == "onnx":
        return model.graph.read_bytes(), "none: published as ONNX"
    assert model.parameters is not None
    plain = paddle2onnx_legacy.translate(model.graph, model.parameters)
    return plain, paddle2onnx_legacy.NAME
