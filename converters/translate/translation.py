"""Translate a model: read its program, and write the ONNX graph that computes the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from edgeocr.version import __version__

from ..model.paddle_model import PaddleModel
from ..paddle import pir
from ..paddle.program import Program
from . import changes, program_graph
from .changes import Change

# Manifests and reports record this name.
NAME = f"edgeocr {__version__}"


@dataclass(frozen=True)
class Translation:
    """A plain graph and how it was made."""

    plain: bytes
    """The ONNX file."""
    translator: str
    """The program that translated the model, for the report."""
    changes: list[Change] = field(default_factory=list)
    """What the translation changed because a bundle's graphs can't express it."""
    operators: dict[str, int] = field(default_factory=dict)
    """How often each of Paddle's operators occurs in the original, loops' blocks included; empty
    for ONNX."""

    def with_plain(self, plain: bytes) -> Translation:
        """Return the same translation with another form of its plain graph."""
        return replace(self, plain=plain)


def translate(model: PaddleModel, *, opset: int = program_graph.OPSET) -> Translation:
    """Translate a model into a plain graph; an ONNX model is taken as it is.

    Args:
        model: The model's files.
        opset: The version of ONNX's operators to write.

    Raises:
        ModelFormatError: If the model's files can't be read.
        TranslationError: If operators can't be translated; the message names each of them with its
            results and the reason.
    """
    if model.format == "onnx":
        return Translation(model.graph.read_bytes(), "none: published as ONNX")
    if model.format == "paddle-pir":
        program = pir.lower(model.graph, model.parameters)
        original = pir.every(pir.read(model.graph))
        operators = Counter(op.name for op in original if op.name != "parameter")
    else:
        program = Program.read(model.graph, model.parameters)
        operators = Counter(op.type for op in program.operators)
    made = changes.needed(program)
    graph = program_graph.write(program, source=str(model.graph), opset=opset)
    plain = graph.SerializeToString(deterministic=True)
    return Translation(plain, NAME, made, dict(operators.most_common()))
