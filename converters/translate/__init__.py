"""Model folders → plain ONNX graphs.

Both Paddle formats take one way: PIR is brought into the form of a legacy program first (`pir`), so
that one translator and one set of repairs serve both.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import TranslationError
from ..model.paddle_model import PaddleModel
from ..paddle import pir
from ..paddle.program import Program
from . import paddle2onnx_legacy, repairs
from .refusals import refused
from .repairs import Repair


@dataclass(frozen=True)
class Translation:
    """A plain graph, who made it, and what had to be mended on the way.

    operators: how often each of Paddle's operators occurs in the original; empty for ONNX.
    """

    plain: bytes
    translator: str
    repairs: list[Repair] = field(default_factory=list)
    operators: dict[str, int] = field(default_factory=dict)


def translate(model: PaddleModel) -> Translation:
    """The plain graph of a model; raises `ModelFormatError` or `TranslationError`."""
    if model.format == "onnx":
        return Translation(model.graph.read_bytes(), "none: published as ONNX")
    translator = paddle2onnx_legacy.NAME
    if model.format == "paddle-pir":
        program = pir.lower(model.graph, model.parameters)
        operators = Counter(op.name for op in pir.read(model.graph) if op.name != "parameter")
        translator += ", PIR lowered by edgeocr"
    else:
        program = Program.read(model.graph, model.parameters)
        operators = Counter(op.type for op in program.operators)
    made = repairs.mend(program)
    if wrong := refused(program):
        listed = "\n  ".join(wrong)
        raise TranslationError(
            f"{model.graph}: {paddle2onnx_legacy.NAME} would get {len(wrong)} operators wrong:\n  "
            f"{listed}\nExport the network without them, or add a repair that replaces them before "
            "translation (converters/repairs)"
        )
    with tempfile.TemporaryDirectory(prefix="edgeocr-") as folder:
        files = (Path(folder) / "inference.pdmodel", Path(folder) / "inference.pdiparams")
        program.write(*files)
        try:
            plain = paddle2onnx_legacy.translate(*files)
        except paddle2onnx_legacy.UnsupportedOperators as error:
            raise _unsupported(model, program, error.types) from None
        except TranslationError as error:
            raise TranslationError(f"{model.graph}: {error}") from None
    return Translation(plain, translator, made, dict(operators.most_common()))


def _unsupported(model: PaddleModel, program: Program, types: list[str]) -> TranslationError:
    nodes = [str(op) for op in program.operators if op.type in types]
    listed = "\n  ".join(nodes or types)
    return TranslationError(
        f"{model.graph}: {paddle2onnx_legacy.NAME} has no ONNX form of {len(nodes or types)} "
        f"operators:\n  {listed}\nExport the network without them, or add a repair that replaces "
        "them before translation (converters/repairs)"
    )
