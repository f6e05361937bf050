"""Translate a model: read it, repair it, refuse what would become wrong, run the translator."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ModelFormatError, TranslationError
from ..model.paddle_model import PaddleModel
from ..paddle import pir
from ..paddle.files import FAULTS
from ..paddle.program import Program
from . import paddle2onnx, repairs
from .refusals import refused
from .repairs import Repair

_ADVICE = (
    "Export the network without them, or add a repair that replaces them before translation "
    "(converters/translate/repairs)"
)


@dataclass(frozen=True)
class Translation:
    """A plain graph and how it was made."""

    plain: bytes
    """The ONNX file."""
    translator: str
    """The program that translated the model, for the report."""
    repairs: list[Repair] = field(default_factory=list)
    """The repairs that the program needed before it was translated."""
    operators: dict[str, int] = field(default_factory=dict)
    """How often each of Paddle's operators occurs in the original; empty for ONNX."""


def translate(model: PaddleModel) -> Translation:
    """Translate a model into a plain graph; an ONNX model is taken as it is.

    Raises:
        ModelFormatError: If the model's files can't be read.
        TranslationError: If an operator can't be translated, or the translator fails; the message
            names the operators.
    """
    if model.format == "onnx":
        return Translation(model.graph.read_bytes(), "none: published as ONNX")
    made_by = paddle2onnx.NAME
    if model.format == "paddle-pir":
        program = pir.lower(model.graph, model.parameters)
        operators = Counter(op.name for op in pir.read(model.graph) if op.name != "parameter")
        made_by += ", PIR lowered by edgeocr"
    else:
        program = Program.read(model.graph, model.parameters)
        operators = Counter(op.type for op in program.operators)
    with _as_paddle_writes(model):
        made = repairs.mend(program)
        wrong = refused(program)
    if wrong:
        listed = "\n  ".join(wrong)
        raise TranslationError(
            f"{model.graph}: {paddle2onnx.NAME} would get {len(wrong)} operators wrong:\n  "
            f"{listed}\n{_ADVICE}"
        )
    with tempfile.TemporaryDirectory(prefix="edgeocr-") as folder:
        files = (Path(folder) / "inference.pdmodel", Path(folder) / "inference.pdiparams")
        program.write(*files)
        try:
            plain = paddle2onnx.translate(*files)
        except paddle2onnx.UnsupportedOperatorsError as error:
            raise _unsupported(model, program, error.types) from None
        except TranslationError as error:
            raise TranslationError(f"{model.graph}: {error}") from None
    return Translation(plain, made_by, made, dict(operators.most_common()))


@contextmanager
def _as_paddle_writes(model: PaddleModel) -> Iterator[None]:
    """Turn what a program of another form raises into an error that names the file.

    Repairs and refusals read operands and attributes that Paddle always writes. A legacy program
    declares neither, so that they can't be checked when it is read.
    """
    try:
        yield
    except FAULTS as error:
        raise ModelFormatError(
            f"{model.graph}: an operator is not as Paddle writes it "
            f"({type(error).__name__}: {error!s:.200}); export the network again"
        ) from error


def _unsupported(model: PaddleModel, program: Program, types: list[str]) -> TranslationError:
    nodes = [str(op) for op in program.operators if op.type in types]
    listed = "\n  ".join(nodes or types)
    return TranslationError(
        f"{model.graph}: {paddle2onnx.NAME} can't translate {len(nodes or types)} operators:\n  "
        f"{listed}\n{_ADVICE}"
    )
